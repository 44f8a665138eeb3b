//! `GET /api/session` and `POST /api/login`.

use serde::Deserialize;

/// What the caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Viewer,
    AnonymousViewer,
}

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
