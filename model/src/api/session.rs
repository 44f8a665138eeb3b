//! `GET /api/session`, `GET|POST /api/login` and `POST /api/session/refresh`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::Role;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// `None`: nobody, or a program with a token.
    pub user: Option<String>,
    pub role: Role,
}

/// How people may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaysToSignIn {
    pub password: bool,
    /// Where the browser goes to sign in at the identity provider; `None`: there is none.
    pub oidc: Option<String>,
}

/// Who is signed in now, and for programs what to carry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewSession {
    pub user: String,
    pub role: Role,
    /// Until the access token has to be refreshed.
    pub expires_in_secs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Left out where the one that was shown stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Without what is secret.
impl fmt::Debug for NewSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewSession { user, role, expires_in_secs, .. } = self;
        let mut shown = formatter.debug_struct("NewSession");
        shown.field("user", user).field("role", role).field("expires_in_secs", expires_in_secs);
        shown.finish_non_exhaustive()
    }
}
