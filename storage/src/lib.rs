//! The log store of a node: write-ahead log, Raft groups, heads, blocks, index, query execution.
//!
//! Knows no actor and no HTTP. State changes only through [`command::Command`]; everything else reads.

pub mod backup;
pub mod block;
pub mod cluster;
pub mod codec;
pub mod column_source;
pub mod command;
pub mod control;
pub mod durations;
mod failing;
pub mod fs;
#[doc(hidden)]
pub mod fuzzing;
pub mod group;
pub mod head_source;
pub mod identity;
pub mod index;
pub mod life;
pub mod note;
pub mod partition;
pub mod query;
pub mod raft;
pub mod sealed_head;
#[doc(hidden)]
pub mod simulation;
pub mod snapshot;
mod split_filter;
pub mod store;
pub mod stored_batch;
pub mod transport;
mod value_filter;
pub mod wal;
mod warming;

pub use identity::{Identity, Member};
pub use store::{Store, StoreError, StoreOptions};
pub use stored_batch::StoredBatch;
