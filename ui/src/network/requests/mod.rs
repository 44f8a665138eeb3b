//! What the pages ask the nodes for: one function per request, one file per resource.

pub mod aggregates;
pub mod alerts;
pub mod anomalies;
pub mod audit;
pub mod cluster;
pub mod dead_letters;
pub mod explore;
pub mod logs;
pub mod overview;
pub mod query;
pub mod session;
pub mod settings;
pub mod tokens;
pub mod users;
pub mod views;
