//! The only module that talks to the node.

mod fetch;
pub mod requests;
pub mod tail;
