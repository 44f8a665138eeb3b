//! What the pages ask the nodes for: one function per request, one file per resource.

pub mod aggregates;
pub mod alerts;
pub mod anomalies;
pub mod cluster;
pub mod dead_letters;
pub mod explore;
pub mod logs;
pub mod overview;
pub mod query;
pub mod session;
pub mod views;
