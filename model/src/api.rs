//! What the API answers, for everybody who asks it: the command line and the dashboard.

pub mod accounting;
pub mod alerts;
pub mod anomalies;
pub mod answer;
pub mod audit;
pub mod cluster;
pub mod dead_letters;
pub mod deletions;
pub mod different;
pub mod error;
pub mod fields;
pub mod heatmap;
pub mod histogram;
pub mod logs;
pub mod patterns;
pub mod query;
pub mod services;
pub mod session;
pub mod tokens;
pub mod trouble;
pub mod users;
pub mod views;
