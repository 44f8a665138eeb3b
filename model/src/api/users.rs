//! `GET|POST /api/users`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::access::Role;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Users {
    /// By name.
    pub users: Vec<ListedUser>,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedUser {
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    /// That are open.
    pub sessions: usize,
}

/// A user was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewUserMade {
    pub name: String,
    pub role: Role,
}
