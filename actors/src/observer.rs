//! What the actors do with what replicas apply.

use std::sync::Arc;

use insighthub_storage::StoredBatch;
use insighthub_storage::note::{Note, NoteFilter};
use insighthub_storage::partition::{ApplyObserver, Folded, Unsealed};
use insighthub_storage::sealed_head::SealedHead;

use crate::detection::{Detection, RecordRule};
use crate::tail::TailFeed;

/// Given to the store when it is opened, and to the actors when they start.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    pub feed: Arc<TailFeed>,
    pub detection: Arc<Detection>,
}

impl Observer {
    /// Records are scored by this rule.
    pub fn new(rule: RecordRule) -> Observer {
        Observer { feed: Arc::default(), detection: Arc::new(Detection::new(rule)) }
    }
}

impl ApplyObserver for Observer {
    fn applied(&self, batch: &Arc<StoredBatch>) {
        self.feed.applied(batch);
    }

    fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded {
        self.detection.fold(before, head)
    }

    fn recent_notes(&self, unsealed: &Unsealed, filter: &NoteFilter) -> Option<Vec<Note>> {
        self.detection.recent_notes(unsealed, filter)
    }
}
