//! Anomaly detection, pure: no clock, no I/O, no randomness that is not an argument.
//!
//! [`scorer`] is the seam the shards call; every rule and model stands behind it.

pub mod forest;
mod math;
pub mod moving_average;
mod prng;
pub mod scorer;
pub mod series;
pub mod tail;
pub mod template;
