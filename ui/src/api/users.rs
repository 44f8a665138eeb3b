//! `/api/users`.

pub use insighthub_model::api::users::{ListedUser, Users};
