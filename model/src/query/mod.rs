//! The query language: what people type into the search box, from text to syntax tree and back.
//!
//! Knows nothing of columns or storage; runs in the server, the command line and the browser.
//! `docs/query-language.md` is the description for people.

mod bars;
pub mod complete;
mod error;
mod expression;
pub mod json_scalar;
mod lexer;
mod moment;
pub mod number;
mod parser;
pub mod pattern;
pub mod pipeline;
mod print;
mod regex;
mod resolve;
mod suggestion;
pub mod system_field;
mod time_span;
pub mod token;
mod value;

pub use bars::Bars;
pub use complete::{Suggestion, SuggestionKind, Vocabulary, complete};
pub use error::QueryError;
pub use expression::{Comparison, Expression, FieldTest, Query, RangeEnd, Test, Text};
pub use number::{Number, NumberRange};
pub use parser::{parse, parse_filter};
pub use pipeline::{Output, Stage};
pub use regex::{LetterCase, Regex, RegexError};
pub use time_span::TimeSpan;
pub use token::{for_each_token, tokens};

#[cfg(test)]
mod tests;
