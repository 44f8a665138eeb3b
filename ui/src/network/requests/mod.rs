//! What the pages ask the nodes for: one function per request, one file per resource.

pub mod aggregates;
pub mod anomalies;
pub mod cluster;
pub mod dead_letters;
pub mod logs;
pub mod overview;
pub mod session;
