//! `/api/tokens`.

pub use insighthub_model::access::Scope;
pub use insighthub_model::api::tokens::{ListedToken, TokenMade, TokenRotated, Tokens};
