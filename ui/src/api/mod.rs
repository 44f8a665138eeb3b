//! What the node's HTTP API answers, as the dashboard reads it. No I/O here.
//!
//! Unknown fields are ignored and missing ones have a default wherever the page can do without,
//! so that a dashboard still works against a node one version older or newer.

pub mod accounting;
pub mod aggregates;
pub mod alerts;
pub mod anomalies;
pub mod audit;
pub mod cluster;
pub mod dead_letters;
pub mod error;
pub mod explore;
pub mod logs;
pub mod record;
pub mod session;
pub mod settings;
pub mod tokens;
pub mod users;
pub mod views;
