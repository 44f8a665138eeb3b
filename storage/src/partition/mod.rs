//! A partition: its replicated state, how commands change it, how its head becomes blocks.

mod adopting;
mod content;
mod contents;
mod head;
mod hiding;
mod joining;
mod keys;
mod lookup;
mod merging;
mod noting;
mod observer;
mod producers;
mod recounting;
mod replica;
mod scrubbing;
mod sealer;
mod sealing;
mod snapshots;
mod state;
mod tending;
mod transfer;
mod view;

pub use content::Content;
pub use head::Head;
pub use joining::JOIN_STEPS;
pub use noting::Unsealed;
pub use observer::{ApplyObserver, Folded};
pub use producers::{Producers, Verdict};
pub(crate) use replica::snapshot_meta;
pub use replica::{HeadSize, PartitionReplica, PartitionStatus, ReplicaWorld};
pub use scrubbing::Scrubbed;
pub use sealer::Sealer;
pub use state::{ENTRY_RECORDS_MAX, Effects, PartitionSnapshot, PartitionState};
pub use tending::PartitionDeletion;
pub use view::ReadView;
