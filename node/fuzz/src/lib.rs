//! The node's request parser under the node's name, so that the checks are written once.

#[path = "../../src/ingest/mod.rs"]
pub mod ingest;
