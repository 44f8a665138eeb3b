//! `GET|POST /api/tokens` and `POST /api/tokens/{id}/rotate`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::access::Scope;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Tokens {
    pub tokens: Vec<ListedToken>,
}

/// A service token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedToken {
    pub id: String,
    /// For people.
    pub name: String,
    /// The only one it may write; null: every one.
    pub service: Option<String>,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To within five minutes.
    pub last_used: Option<Timestamp>,
}

/// The token is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenMade {
    pub id: String,
    pub token: String,
    pub expires_at: Option<Timestamp>,
}

/// The new token is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenRotated {
    pub id: String,
    pub token: String,
    pub old_expires_at: Timestamp,
}

/// Without what is secret.
impl fmt::Debug for TokenMade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenMade").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Without what is secret.
impl fmt::Debug for TokenRotated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenRotated").field("id", &self.id).finish_non_exhaustive()
    }
}
