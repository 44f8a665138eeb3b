//! Runs the detectors over files and measures them against labels.

pub mod nab;
pub mod series_csv;
pub mod events;
pub mod grouping;
pub mod incidents;
pub mod logs;
pub mod metrics;
pub mod sessions;
