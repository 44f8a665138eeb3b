//! `GET /api/logs`, `/ws/logs` and `/api/services`.

pub use insighthub_model::Level;
pub use insighthub_model::api::logs::CoverageAndCost;
pub use insighthub_model::api::services::{Service, Services};

use super::record::Record;

/// One page of a search, newest first.
pub type Page = insighthub_model::api::logs::LogsPage<Record>;

/// One text frame of the live tail.
pub type Frame = insighthub_model::api::logs::Frame<Record>;
