//! Runs the detectors over files and measures them against labels.
//!
//! The command `insighthub score` is this crate and nothing else; it runs the same detectors as a node, on event time.
//! Knows no storage, no network.

pub mod benchmarks;
pub mod events;
pub mod grouping;
pub mod incidents;
pub mod logs;
pub mod metrics;
pub mod nab;
pub mod plot;
pub mod reports;
pub mod series_csv;
pub mod sessions;
pub mod table;
