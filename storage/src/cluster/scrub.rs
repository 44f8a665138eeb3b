//! The background check of everything at rest: each node reads its own blocks again, compares what its replicas
//! hold with what their peers hold, and replaces what is damaged or differs by a copy of the majority's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Cluster;
use super::message::{ReplicaChecksums, Request, Response};
use crate::block::{BlockId, BlockMeta};
use crate::group::PartitionGroup;
use crate::partition::{PartitionReplica, Scrubbed};
use crate::raft::NodeId;
use crate::store::group_of;

const ASK_DEADLINE: Duration = Duration::from_secs(5);
/// Between two looks for damage that was found by a reader or at the start.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often and how fast everything is read again.
#[derive(Clone, Copy, Debug)]
pub struct ScrubOptions {
    /// From the end of one pass to the start of the next.
    pub every: Duration,
    pub bytes_per_sec: u64,
}

/// What the scrub has done since the node started.
#[derive(Debug, Default)]
pub struct ScrubCounters {
    pub passes: AtomicU64,
    pub blocks_checked: AtomicU64,
    /// Found damaged, whoever met them: a pass, a reader, or the start.
    pub blocks_damaged: AtomicU64,
    pub blocks_repaired: AtomicU64,
    /// Blocks that are whole and hold something else than the majority of their replicas.
    pub blocks_diverged: AtomicU64,
}

impl ScrubCounters {
    /// Of a node whose replicas have just been opened.
    pub(super) fn since_start(replicas: &[PartitionGroup]) -> Arc<ScrubCounters> {
        let damaged: usize = replicas.iter().map(|replica| replica.replica.damaged_blocks()).sum();
        Arc::new(ScrubCounters { blocks_damaged: AtomicU64::new(damaged as u64), ..ScrubCounters::default() })
    }

    /// Reads a block again and counts what it finds; blocks the thread.
    pub(super) fn scrub(&self, replica: &PartitionReplica, meta: &BlockMeta) {
        ScrubCounters::add(&self.blocks_checked);
        if replica.scrub(meta) == Scrubbed::FoundDamaged {
            ScrubCounters::add(&self.blocks_damaged);
        }
    }

    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Cluster {
    /// Runs until aborted.
    pub async fn keep_scrubbing(self: Arc<Self>, options: ScrubOptions) {
        let mut next_pass = Instant::now() + options.every;
        loop {
            tokio::time::sleep(LOOK_EVERY.min(options.every)).await;
            self.repair_all().await;
            if Instant::now() >= next_pass {
                for replica in self.store.partitions() {
                    self.scrub_replica(&replica, options.bytes_per_sec).await;
                    self.compare_with_peers(&replica).await;
                }
                ScrubCounters::add(&self.scrub.passes);
                next_pass = Instant::now() + options.every;
            }
        }
    }

    async fn scrub_replica(&self, replica: &PartitionGroup, bytes_per_sec: u64) {
        for meta in replica.replica.blocks_to_scrub() {
            let started = Instant::now();
            let (counters, reading) = (Arc::clone(&self.scrub), Arc::clone(&replica.replica));
            let block = meta.clone();
            if let Err(error) =
                crate::simulation::spawn_blocking(move || counters.scrub(&reading, &block)).await
            {
                tracing::error!(block = meta.file_name, %error, "a block was not read again");
            }
            let nanos = meta.bytes.saturating_mul(1_000_000_000) / bytes_per_sec.max(1);
            tokio::time::sleep_until(started + Duration::from_nanos(nanos)).await;
            // A pass over much data takes hours; what it or a reader finds does not wait for its end.
            self.repair_all().await;
        }
    }

    async fn repair_all(&self) {
        for replica in self.store.partitions() {
            self.repair_damaged(&replica).await;
        }
    }

    /// Finds blocks that are whole here and hold something else than on most of their nodes.
    async fn compare_with_peers(&self, replica: &PartitionGroup) {
        let mut votes: BTreeMap<BlockId, BTreeMap<u64, usize>> = BTreeMap::new();
        let mut count = |checksums: &ReplicaChecksums| {
            for (id, checksum) in &checksums.blocks {
                if !checksums.damaged.contains(id) {
                    *votes.entry(*id).or_default().entry(*checksum).or_default() += 1;
                }
            }
        };
        count(&replica.replica.checksums());
        for (_, checksums) in self.checksums_of_peers(replica).await {
            count(&checksums);
        }
        for meta in replica.replica.blocks_to_scrub() {
            let Some(votes) = votes.get(&meta.id) else { continue };
            let mine = votes.get(&meta.content_checksum).copied().unwrap_or(0);
            if votes.values().any(|others| *others > mine) {
                ScrubCounters::add(&self.scrub.blocks_diverged);
                tracing::error!(
                    partition = %replica.replica.partition(), block = meta.file_name,
                    "a block holds something else than on most of its nodes: take this node out and let it join anew"
                );
            }
        }
    }

    async fn checksums_of_peers(&self, replica: &PartitionGroup) -> Vec<(NodeId, ReplicaChecksums)> {
        let partition = replica.replica.partition();
        let mut answers = Vec::new();
        for node in self.holders_of(partition) {
            let request = Request::Checksums { partition };
            if let Ok(Response::Checksums(checksums)) =
                self.ask(node, group_of(partition), &request, ASK_DEADLINE).await
            {
                answers.push((node, checksums));
            }
        }
        answers
    }

    /// Replaces damaged blocks by a peer's that are whole.
    async fn repair_damaged(&self, replica: &PartitionGroup) {
        if replica.replica.is_whole() {
            return;
        }
        let damaged: Vec<BlockMeta> = replica
            .replica
            .blocks_to_scrub()
            .into_iter()
            .filter(|meta| replica.replica.is_damaged(meta))
            .collect();
        let peers = self.checksums_of_peers(replica).await;
        let mut merged_away = false;
        for meta in damaged {
            merged_away |=
                !peers.iter().any(|(_, checksums)| checksums.blocks.iter().any(|(id, _)| *id == meta.id));
            let has_it_whole = |checksums: &ReplicaChecksums| {
                checksums.blocks.contains(&(meta.id, meta.content_checksum))
                    && !checksums.damaged.contains(&meta.id)
            };
            for (node, _) in peers.iter().filter(|(_, checksums)| has_it_whole(checksums)) {
                match self.repair_block(*node, replica, &meta).await {
                    Ok(()) => {
                        ScrubCounters::add(&self.scrub.blocks_repaired);
                        break;
                    }
                    Err(error) => {
                        tracing::warn!(block = meta.file_name, node, error, "a block was not mended")
                    }
                }
            }
        }
        if merged_away {
            for (node, _) in peers {
                match self.adopt_blocks(node, replica).await {
                    Ok(true) => return ScrubCounters::add(&self.scrub.blocks_repaired),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(node, error, "a peer's blocks were not taken over"),
                }
            }
        }
    }

    /// Takes over the blocks of a peer that has merged away what is damaged here; false where it has not come further.
    async fn adopt_blocks(&self, from: NodeId, replica: &PartitionGroup) -> Result<bool, String> {
        let partition = replica.replica.partition();
        let request = Request::Snapshot { partition };
        let answer = self.ask(from, group_of(partition), &request, ASK_DEADLINE).await;
        let Ok(Response::Snapshot(Some(stored))) = answer else { return Ok(false) };
        if !replica.replica.may_adopt(&stored) {
            return Ok(false);
        }
        self.fetch_missing(from, replica, &stored.snapshot).await?;
        let adopting = Arc::clone(&replica.replica);
        let adopted = crate::simulation::spawn_blocking(move || adopting.adopt(*stored));
        adopted.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok(true)
    }

    async fn repair_block(
        &self,
        from: NodeId,
        replica: &PartitionGroup,
        meta: &BlockMeta,
    ) -> Result<(), String> {
        let content = self.read_peers_block(from, replica.replica.partition(), meta).await?;
        let (replica, meta) = (Arc::clone(&replica.replica), meta.clone());
        let storing = crate::simulation::spawn_blocking(move || replica.repair(&meta, &content));
        storing.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}
