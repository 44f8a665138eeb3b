//! Detection on a node: each replica's detectors follow its log, so that any of them can lead, and answer, at once.
//!
//! ```text
//! applied batches, ticks ─► watch (one a replica) ─► service detectors ─► notes: windows, episodes, patterns
//! ```
//! Records are scored before they are committed, by the shards of the leader; what they learn there is thrown away when it
//! no longer leads. What is kept is what a watch learns from the log.

mod notes;
pub mod ranking;
mod reading;
mod scorer;
mod services;
mod watch;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use insighthub_detect::template::Masks;
use insighthub_model::PartitionId;
use insighthub_model::detection::DetectionSettings;
use insighthub_storage::note::{Note, NoteFilter};
use insighthub_storage::partition::{Folded, PartitionReplica, Unsealed};
use insighthub_storage::sealed_head::SealedHead;
use parking_lot::Mutex;

pub use notes::{NoteKind, Told, told};
pub use reading::{EpisodesWanted, detectors, episodes, patterns, windows};
pub use scorer::RecordRule;
pub(crate) use scorer::ShardScorer;
pub(crate) use services::rows_by_service;
use watch::Watch;
pub use watch::{Alerted, WatchStatus};
pub use words::put_words;

/// Why settings cannot be followed: the field, and what is wrong with it.
pub fn problem_of(settings: &DetectionSettings) -> Option<(&'static str, String)> {
    let masks = || Masks::new(&settings.masks).err().map(|error| ("masks", error.to_string()));
    settings.problem().or_else(masks)
}

/// The watches of a node's replicas.
#[derive(Debug, Default)]
pub struct Detection {
    watches: Mutex<HashMap<PartitionId, Arc<Mutex<Watch>>>>,
    rule: RecordRule,
    /// Of the watches as of their last step: to be read while they work.
    statuses: Mutex<HashMap<PartitionId, WatchStatus>>,
    /// What people said of episodes.
    pub ranking: ranking::Ranking,
}

impl Detection {
    /// Records are scored by this rule; windows always by all channels.
    pub fn new(rule: RecordRule) -> Detection {
        Detection { rule, ..Detection::default() }
    }

    /// Brings a replica's detectors up to what it has applied; answers what they want to alert of. Blocks the thread.
    pub fn catch_up(&self, replica: &PartitionReplica) -> Vec<Alerted> {
        let watch = self.watch(replica.partition());
        let mut watch = watch.lock();
        watch.catch_up(&replica.unsealed());
        self.statuses.lock().insert(replica.partition(), watch.status());
        watch.take_alerts()
    }

    /// What scores a service's records, as of everything applied. Blocks the thread.
    pub(crate) fn record_scorer(&self, replica: &PartitionReplica, service: &str) -> ShardScorer {
        let unsealed = replica.unsealed();
        if self.rule != RecordRule::Detector {
            let seed = u64::from(replica.partition().0);
            return ShardScorer::simple(self.rule, service, seed, unsealed.all_batches());
        }
        let watch = self.watch(replica.partition());
        let mut watch = watch.lock();
        watch.catch_up(&unsealed);
        ShardScorer::new(watch.record_scorer(service))
    }

    /// What is known of a replica's detectors; `None` before it has applied anything.
    pub fn status(&self, partition: PartitionId) -> Option<WatchStatus> {
        self.statuses.lock().get(&partition).copied()
    }

    /// Forgets a replica that left this node.
    pub fn forget(&self, partition: PartitionId) {
        self.watches.lock().remove(&partition);
        self.statuses.lock().remove(&partition);
    }

    pub(crate) fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded {
        self.watch(before.partition).lock().fold(before, head)
    }

    pub(crate) fn recent_notes(&self, unsealed: &Unsealed, filter: &NoteFilter) -> Option<Vec<Note>> {
        let watch = self.watch(unsealed.partition);
        let mut watch = watch.lock();
        watch.catch_up(unsealed).then(|| watch.recent_notes(filter))
    }

    fn watch(&self, partition: PartitionId) -> Arc<Mutex<Watch>> {
        Arc::clone(
            self.watches
                .lock()
                .entry(partition)
                .or_insert_with(|| Arc::new(Mutex::new(Watch::new(partition)))),
        )
    }
}
