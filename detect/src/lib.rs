//! Anomaly detection, pure: no clock, no I/O, no randomness that is not an argument.
//!
//! [`service::ServiceDetector`] is all of it for one service; [`scorer`] is the seam the shards call, and the simpler
//! rules stand behind it too; [`series::SeriesDetector`] takes one number over time.

pub mod budget;
pub mod episode;
pub mod explanation;
pub mod forest;
mod math;
mod memory;
mod minute;
pub mod moving_average;
mod pattern_log;
mod prng;
pub mod ranking;
pub mod record;
pub mod scorer;
pub mod series;
pub mod service;
pub mod session;
pub mod tail;
pub mod template;
pub mod window;
