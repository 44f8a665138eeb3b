//! `GET /api/session`, `GET /api/login` and `POST /api/login`.

pub use insighthub_model::access::Role;
pub use insighthub_model::api::session::{NewSession, Session, WaysToSignIn};

/// Whether this is one that may change things.
pub fn is_admin(session: &Session) -> bool {
    session.role == Role::Admin
}
