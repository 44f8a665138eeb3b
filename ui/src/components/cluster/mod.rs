//! The cluster: what is wrong with it, and its tables.

pub mod tables;
pub mod troubles;
