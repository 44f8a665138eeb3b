//! Why a record or a whole request is refused, in words for the person who sent it.

use super::scan::{Problem, ScanError};

/// Bytes of a client's own words repeated in a reason: enough to recognise, too few to flood a log.
const QUOTED_BYTES_MAX: usize = 64;

/// One refused record, as the reply lists it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejection {
    /// Position in the request, from 0.
    pub position: u64,
    /// Line of the body on which the record starts, from 1.
    pub line: u64,
    /// The field at fault where there is one.
    pub field: Option<String>,
    pub reason: String,
}

/// Why one record cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RecordError {
    pub field: Option<String>,
    pub reason: String,
}

/// Why nothing of a request can be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(
        "the body holds no record: send one JSON object, a JSON array of objects, or one object a line (NDJSON)"
    )]
    Empty,
    #[error("the request holds more than {records_max} records: send it in several requests")]
    TooManyRecords { records_max: usize },
    #[error(
        "the records of the request are more than {bytes_max} bytes with what they share (resource, labels): send it in \
         several requests"
    )]
    TooMuchShared { bytes_max: usize },
    #[error("the body cannot be read: {0}")]
    Broken(String),
}

/// Boxed, because results are handed up from every value and errors are rare.
pub(super) type Read<T> = Result<T, Box<RecordError>>;

impl RecordError {
    #[cold]
    pub(super) fn whole(reason: impl Into<String>) -> Box<RecordError> {
        Box::new(RecordError { field: None, reason: reason.into() })
    }

    #[cold]
    pub(super) fn field(name: &str, reason: impl Into<String>) -> Box<RecordError> {
        Box::new(RecordError { field: Some(quoted(name)), reason: reason.into() })
    }

    /// The error of a scan; `field` is the one whose value was being read.
    #[cold]
    pub(super) fn scan(error: ScanError, field: Option<&str>) -> Box<RecordError> {
        let column = error.at + 1;
        let reason = match error.problem {
            Problem::Broken(problem) => {
                format!("the JSON is broken at byte {column} of the record: {problem}")
            }
            Problem::TooDeep => "the record is nested too deep".to_owned(),
            Problem::NumberTooLarge => {
                format!("the number at byte {column} of the record is too large for a 64-bit float")
            }
        };
        Box::new(RecordError { field: field.map(quoted), reason })
    }
}

/// A client's words, cut where they would be too long.
pub(super) fn quoted(text: &str) -> String {
    if text.len() <= QUOTED_BYTES_MAX {
        return text.to_owned();
    }
    let end = (0..=QUOTED_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}...", text.get(..end).unwrap_or_default())
}
