//! Records readable column by column, wherever they are: a batch in the head or a block on disk.
//!
//! Query execution sees nothing but this trait.

mod field_view;
pub(crate) mod ids;
mod messages;
mod minutes;
mod printed;
mod statistics;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;

use insighthub_model::{PartitionId, Record};
use serde::{Deserialize, Serialize};

pub use field_view::{Codes, FieldView, Rows, Texts, Values};
pub use messages::{
    Messages, SLOT, SLOT_SHOWN, Template, TemplatedMessages, Templates, Variables, slot_character,
};
pub use minutes::{CellLatencies, MinuteCell, MinuteCounts, MinuteLatencies};
pub(crate) use printed::Numbers;
pub use printed::Printed;
pub(crate) use printed::id_hash;
pub use statistics::{ColumnName, Statistics, ValueRange};

/// A column that is borrowed from memory or shared with the block cache.
#[derive(Debug)]
pub enum Column<'a, T: ?Sized> {
    Borrowed(&'a T),
    Shared(Arc<T>),
}

impl<T: ?Sized> Clone for Column<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Column::Borrowed(column) => Column::Borrowed(column),
            Column::Shared(column) => Column::Shared(Arc::clone(column)),
        }
    }
}

impl<T: ?Sized> Deref for Column<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Column::Borrowed(column) => column,
            Column::Shared(column) => column,
        }
    }
}

/// A column that cannot be read. The records exist; the answer would be incomplete without them.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    #[error("block {block} cannot be read: {reason}")]
    Unreadable { block: String, reason: String },
}

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

/// The rows of one service, which follow one another and ascend in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRun {
    pub service: String,
    /// The row after the last; the first is where the run before ends.
    pub end_row: u32,
    /// Nanoseconds since 1970.
    pub first_timestamp: i64,
    pub last_timestamp: i64,
}

/// What a question made of a column of a source that never changes, for the next question; its maker knows its type.
pub type WorkedOut = Arc<dyn Any + Send + Sync>;

/// A field's name, and its values in the rows asked for, which are numbered as they were asked for; a field of several
/// types comes several times.
pub type PickedField<'a> = (&'a str, FieldView<'static>);

/// A run of records of one partition. All columns but `field` have one value a row.
pub trait ColumnSource: Send + Sync + std::fmt::Debug {
    fn partition(&self) -> PartitionId;
    fn rows(&self) -> usize;
    /// First and last timestamp, nanoseconds since 1970; never read when there are no rows.
    fn time_range(&self) -> (i64, i64);
    /// Lowest offset and the one after the highest.
    fn offset_range(&self) -> (u64, u64);
    /// The distinct services; `service` indexes into it.
    fn services(&self) -> &[String];
    /// Service by service, as in `services`, where rows are sorted by service and then by time; `None` where
    /// they are not. Then no row's service need be read, and a time is found by bisection.
    fn service_runs(&self) -> Option<&[ServiceRun]> {
        None
    }
    /// Rows that must not be seen, ascending: too old, or deleted and not yet gone from the disk. Left out by every
    /// [`crate::query::Filter`].
    fn hidden(&self) -> Result<Vec<u32>, ColumnError>;
    /// One bit per level that occurs (bit n = level number n).
    fn level_mask(&self) -> u8;
    /// False when no row can hold the lower-case token in its message or in a text field.
    /// True when unknown. Tokens are as `model::query` cuts them.
    fn may_hold_token(&self, token: &str) -> bool;
    /// Names of the records' own fields, in any order; a field of several types may come several times.
    fn field_names(&self) -> Vec<&str>;
    /// False when no row has a field of this name.
    fn may_hold_field(&self, name: &str) -> bool;
    /// False when no row has this text in a field of this name, whatever the case and the field's types.
    /// True when unknown.
    fn may_hold_value(&self, name: &str, value: &str) -> bool {
        let _ = value;
        self.may_hold_field(name)
    }
    /// What is known of a column, one for each type it has here; `None` when nothing is.
    fn statistics(&self, column: ColumnName<'_>) -> Option<Vec<Statistics>> {
        let _ = column;
        None
    }

    /// Says that a column will be read soon, so that a disk may have it ready. Changes no answer.
    fn announce(&self, column: ColumnName<'_>) {
        let _ = column;
    }

    /// The same of what answers [`ColumnSource::may_hold_token`] and [`ColumnSource::may_hold_value`].
    fn announce_words(&self) {}

    /// What was last made of a column, if it is still kept and of use.
    fn remembered(
        &self,
        _column: ColumnName<'_>,
        _is_of_use: &dyn Fn(&WorkedOut) -> bool,
    ) -> Option<WorkedOut> {
        None
    }

    /// Keeps what was made of all rows of a column, of so many bytes, while there is room for it. Sources that come and go
    /// keep nothing.
    fn remember(&self, column: ColumnName<'_>, worked_out: WorkedOut, bytes: usize) {
        let _ = (column, worked_out, bytes);
    }

    /// What a column takes where it is stored, bytes: what reading it costs.
    fn stored_bytes(&self, column: ColumnName<'_>) -> u64 {
        let _ = column;
        0
    }
    /// Its rows counted by service, minute and level: exactly those that can be read here. `None` where nobody counted
    /// them.
    fn minute_counts(&self) -> Result<Option<Arc<MinuteCounts>>, ColumnError> {
        Ok(None)
    }
    /// The latencies of the cells of `minute_counts`.
    fn minute_latencies(&self) -> Result<Option<Arc<MinuteLatencies>>, ColumnError> {
        Ok(None)
    }

    fn service(&self) -> Read<'_, [u16]>;
    fn timestamp(&self) -> Read<'_, [i64]>;
    fn level(&self) -> Read<'_, [u8]>;
    fn message(&self) -> Result<Messages<'_>, ColumnError>;
    /// Milliseconds; NaN where the record has none.
    fn latency_ms(&self) -> Read<'_, [f64]>;
    fn offset(&self) -> Read<'_, [u64]>;
    /// NaN where not scored.
    fn anomaly_score(&self) -> Read<'_, [f32]>;
    /// Rows that are anomalies, ascending, with the reason.
    fn anomalies(&self) -> Read<'_, [(u32, String)]>;
    /// The columns of a field, one per type it has here.
    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError>;

    /// The same for one who keeps what was made of it: columns that are read for this alone are not kept, for all of them
    /// together would empty the cache of what is asked for again.
    fn field_once(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        self.field(name)
    }

    /// The values of the records' own fields that are `wanted`, in a few rows, which ascend. `None` where reading whole columns is the cheaper way.
    fn picked_fields(
        &self,
        _wanted: &dyn Fn(&str) -> bool,
        _rows: &[usize],
    ) -> Result<Option<Vec<PickedField<'_>>>, ColumnError> {
        Ok(None)
    }

    /// The records of these rows, in the order asked for.
    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError>;
}
