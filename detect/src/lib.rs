//! Anomaly detection, pure: no clock, no I/O, no randomness that is not an argument.
//!
//! [`scorer`] is the seam the shards call; every rule and model stands behind it.

pub mod moving_average;
pub mod scorer;
