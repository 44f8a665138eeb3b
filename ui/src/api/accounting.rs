//! `GET /api/accounting`.

pub use insighthub_model::api::accounting::{Account, Accounting, ServiceAccount};
