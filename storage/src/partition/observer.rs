//! The seam to the layer above: it hears what replicas apply, and learns from it.

use std::sync::Arc;

use bytes::Bytes;

use super::Unsealed;
use crate::note::{Note, NoteFilter};
use crate::sealed_head::SealedHead;
use crate::stored_batch::StoredBatch;

/// What the layer above does with what a replica applies.
pub trait ApplyObserver: Send + Sync + std::fmt::Debug {
    /// Hears of every batch that becomes visible on this replica, in offset order. Must not block.
    fn applied(&self, batch: &Arc<StoredBatch>);

    /// What detectors know and have found out after a sealed head, given what they knew before it, of which the
    /// head is the oldest that is no block. Every replica folds the same heads to the same bytes, however their records are cut into batches, so a new leader continues where the
    /// old one was.
    fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded;

    /// What they have found out since the last block, as far as a filter may want it. `None` to be asked again: they have
    /// seen a newer one.
    fn recent_notes(&self, _unsealed: &Unsealed, _filter: &NoteFilter) -> Option<Vec<Note>> {
        Some(Vec::new())
    }
}

/// What detectors made of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// What they know.
    pub detectors: Bytes,
    /// What they have found out, ascending.
    pub notes: Vec<Note>,
}
