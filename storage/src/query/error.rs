//! What can go wrong when a query is answered.

use crate::column_source::ColumnError;

/// A condition that can mean nothing, such as `level:loud`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct FilterError {
    /// The field.
    pub name: String,
    pub reason: String,
}

/// A query that was not answered in full. Nothing of a part is returned: it would look complete.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error(
        "the query ran out of time after {scanned_records} records: narrow the time range, the service or the level"
    )]
    OutOfTime { scanned_records: u64 },
    #[error("the query was cancelled after {scanned_records} records")]
    Cancelled { scanned_records: u64 },
    #[error(
        "the query would look at more than {scanned_records_max} records: narrow the time range, the service or the level"
    )]
    TooManyRecords { scanned_records_max: u64 },
    #[error(
        "the query would read more than {scanned_bytes_max} bytes of columns: narrow the time range, the service or the level, or ask for fewer fields"
    )]
    TooManyBytes { scanned_bytes_max: u64 },
    #[error(
        "the query makes more than {groups_max} groups: group by fewer or coarser fields, or narrow the filter"
    )]
    TooManyGroups { groups_max: usize },
    #[error(
        "the query would hold more than {bytes_max} bytes of groups: group by fewer fields, or narrow the filter"
    )]
    TooMuchMemory { bytes_max: usize },
    #[error(
        "the records have more than {fields_max} different fields: name the fields you want, or narrow the filter"
    )]
    TooManyFields { fields_max: usize },
    #[error(
        "the messages have more than {patterns_max} different patterns: narrow the filter, the service or the time range"
    )]
    TooManyPatterns { patterns_max: usize },
    #[error(transparent)]
    Filter(#[from] FilterError),
}
