//! Why a text is not the JSON that was expected, and where.

use std::fmt;

use super::reader::Reader;

/// One pointer: most of what is read returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonError(Box<Fault>);

#[derive(Clone, Debug, PartialEq)]
struct Fault {
    reason: String,
    /// Line and column, from 1.
    place: Option<(usize, usize)>,
}

impl JsonError {
    /// Where the reader stands, unless it is known better.
    pub(super) fn at(mut self, reader: &Reader<'_>) -> JsonError {
        self.0.place.get_or_insert_with(|| reader.place());
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)?;
        match self.0.place {
            Some((line, column)) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for JsonError {}

impl serde::de::Error for JsonError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        JsonError(Box::new(Fault { reason: reason.to_string(), place: None }))
    }
}
