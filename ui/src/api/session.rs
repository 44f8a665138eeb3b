//! `GET /api/session` and `POST /api/login`.

pub use insighthub_model::access::Role;
use serde::Deserialize;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Session {
    #[serde(default)]
    pub user: Option<String>,
    pub role: Role,
}

impl Session {
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}
