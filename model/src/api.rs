//! What the API answers, for everybody who asks it: the command line and the dashboard.

pub mod cluster;
pub mod trouble;
