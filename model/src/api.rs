//! What the API answers, for everybody who asks it: the command line and the dashboard.

pub mod alerts;
pub mod anomalies;
pub mod answer;
pub mod audit;
pub mod cluster;
pub mod different;
pub mod fields;
pub mod heatmap;
pub mod histogram;
pub mod patterns;
pub mod trouble;
