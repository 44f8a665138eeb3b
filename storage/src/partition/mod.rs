//! A partition: its replicated state, how commands change it, how its head becomes blocks.

mod head;
mod lookup;
mod producers;
mod replica;
mod scrubbing;
mod sealer;
mod snapshots;
mod state;
mod transfer;

pub use head::Head;
pub use producers::{Producers, Verdict};
pub use replica::{ApplyObserver, HeadSize, PartitionReplica, PartitionStatus, ReadView, ReplicaWorld};
pub use scrubbing::Scrubbed;
pub use sealer::Sealer;
pub use state::{ENTRY_RECORDS_MAX, Effects, PartitionSnapshot, PartitionState};
