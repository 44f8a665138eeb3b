//! The words everybody shares: records, batches, queries, API types, limits.
//!
//! Does no I/O, reads no clock, builds for wasm. Knows nothing of storage, actors or HTTP.

pub mod access;
pub mod aggregate;
pub mod alerts;
pub mod api;
pub mod batch;
pub mod clock;
pub mod dead_letter;
pub mod decimal;
pub mod detection;
pub mod ids;
pub mod level;
pub mod limits;
pub mod prng;
pub mod query;
pub mod record;
pub mod retention;
pub mod routing;
#[cfg(feature = "schema")]
mod schema;
pub mod scores;
pub mod settings;
pub mod spread_plan;
pub mod table;
pub mod timestamp;

pub use batch::RecordBatch;
pub use ids::{LogId, Offset, PartitionId};
pub use level::Level;
pub use record::{FieldValue, Record};
pub use scores::Scores;
pub use timestamp::Timestamp;
