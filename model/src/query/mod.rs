//! The query language: what people type into the search box, from text to syntax tree and back.
//!
//! Knows nothing of columns or storage; runs in the server, the command line and the browser.

pub mod token;

pub use token::{for_each_token, tokens};
