//! `GET /api/session`, `GET /api/login` and `POST /api/login`.

pub use insighthub_model::access::Role;
use serde::Deserialize;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Session {
    #[serde(default)]
    pub user: Option<String>,
    pub role: Role,
}

/// How people may sign in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Ways {
    /// Where the browser goes to sign in at the identity provider, if there is one.
    #[serde(default)]
    pub oidc: Option<String>,
}

impl Session {
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}
