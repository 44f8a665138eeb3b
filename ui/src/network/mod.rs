//! The only module that talks to the nodes.

mod fetch;
pub mod peers;
pub mod requests;
pub mod tail;
