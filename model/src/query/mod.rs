//! The query language: what people type into the search box, from text to syntax tree and back.
//!
//! Knows nothing of columns or storage; runs in the server, the command line and the browser.
//! `docs/query-language.md` is the description for people.

mod error;
mod expression;
pub mod json_scalar;
mod lexer;
pub mod number;
mod parser;
pub mod pattern;
mod print;
pub mod system_field;
pub mod token;

pub use error::QueryError;
pub use expression::{Comparison, Expression, FieldTest, Query, RangeEnd, Test, Text};
pub use number::{Number, NumberRange};
pub use parser::parse;
pub use token::{for_each_token, tokens};

#[cfg(test)]
mod tests;
