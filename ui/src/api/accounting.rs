//! `GET /api/accounting`, `GET /api/dead-letters/summary`.

pub use insighthub_model::api::accounting::{
    Account, Accounting, DeadLettersSummary, ServiceAccount, SummedReason,
};
