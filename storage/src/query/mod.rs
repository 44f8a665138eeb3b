//! Answering queries over anything that is a [`crate::column_source::ColumnSource`].
//!
//! Knows nothing of heads, blocks, partitions' leaders, actors or HTTP, and reads no clock: a query's
//! time ends when its [`Budget`] says so.

mod ahead;
mod best_rows;
mod bitmap;
mod budget;
mod cursor;
mod effort;
mod equal_texts;
mod error;
pub mod exploring;
mod filter;
mod log_id_hash;
mod message_search;
mod minute_test;
mod parallel;
pub mod pipeline;
mod predicate;
mod ranges;
mod regex_search;
mod search;
mod segment_search;
mod slot_search;
mod template_search;
mod value_test;
mod watched;
mod word_search;

pub use budget::{Budget, Stop};
pub use cursor::{Cursor, CursorError};
pub use effort::{ColumnReads, Effort, PrunedBy, Step};
pub use error::{FilterError, QueryError};
pub use filter::{Conditions, Filter};
pub(crate) use regex_search::finds_what_it_requires;
pub use search::{CountResult, Matched, Page, SearchResult, after_offset, count, search};

#[cfg(test)]
mod tests;
