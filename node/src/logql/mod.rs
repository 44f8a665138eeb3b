//! LogQL, the query language of Grafana's data source for Loki: from text to syntax tree, what of it our own queries answer, and
//! what is worked out of lines and of numbers over time.
//!
//! Knows nothing of HTTP and of clusters, reads no clock: who asks the records is `http::loki`.

mod addresses;
pub mod ast;
mod error;
pub mod labels;
mod lexer;
mod limits;
pub mod line;
pub mod metric;
mod parse;
mod print;
pub mod pushdown;
mod units;

pub use error::LogqlError;
pub use parse::{parse, parse_log};
pub(crate) use units::{bytes, duration};

#[cfg(test)]
mod tests;
