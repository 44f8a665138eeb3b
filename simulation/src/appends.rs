//! What stands in for the actors: takes chunks into the log on the leader, proposes seals, looks after blocks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use insighthub_model::{PartitionId, Scores, Timestamp};
use insighthub_storage::cluster::message::{AppendFailure, ChunkMessage, Failure};
use insighthub_storage::cluster::{AppendHandler, Cluster, Upkeep, UpkeepOptions};
use insighthub_storage::command::{Append, Applied, Chunk, ChunkOutcome, Command, EncodedBatch};
use tokio::time::Instant;

use crate::Mutation;
use crate::dice::Dice;

/// The simulated clocks begin here: 2025-12-02T10:10:00Z.
pub(crate) const EPOCH_NANOS: i64 = 1_764_670_200_000_000_000;

/// Takes chunks to the partitions this node leads.
#[derive(Clone, Debug)]
pub(crate) struct Appends {
    cluster: Weak<Cluster>,
    mutation: Mutation,
    started: Instant,
    /// Proposals that were not answered yet; a real node makes no more of them while there are a few.
    unanswered: Arc<AtomicU64>,
}

impl Appends {
    pub(crate) fn new(cluster: &Arc<Cluster>, mutation: Mutation) -> Appends {
        Appends {
            cluster: Arc::downgrade(cluster),
            mutation,
            started: Instant::now(),
            unanswered: Arc::default(),
        }
    }

    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    async fn store(
        &self,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        deadline: Instant,
    ) -> Result<Vec<ChunkOutcome>, Failure> {
        let gone = || Failure::Unavailable("the node stops".into());
        let cluster = self.cluster.upgrade().ok_or_else(gone)?;
        let leader = cluster.leader_of(partition);
        let hosted = cluster.store.partition(partition).filter(|_| leader == Some(cluster.me()));
        let group = hosted.ok_or(Failure::NotLeader { leader })?.group;
        if group.is_handing_over() {
            return Err(Failure::Unavailable("the partition is being handed over".into()));
        }
        let count = chunks.len();
        let proposal = group.submit(self.command(chunks)?).await?;
        if self.mutation == Mutation::AcknowledgeBeforeCommit {
            return Ok(vec![ChunkOutcome::Stored { base_offset: 0, known: 0 }; count]);
        }
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let unanswered = Arc::clone(&self.unanswered);
        // Who asked goes away at the deadline; the proposal is under way until the log answers.
        let applied = tokio::spawn(async move {
            let applied = proposal.applied().await;
            unanswered.fetch_sub(1, Ordering::Relaxed);
            applied
        });
        match tokio::time::timeout_at(deadline, applied).await {
            Ok(Ok(Ok(Applied::Append(outcomes)))) => Ok(outcomes),
            Ok(Ok(Ok(_))) => Err(Failure::Unknown("an answer of another kind".into())),
            Ok(Ok(Err(error))) => Err(error.into()),
            Ok(Err(_)) => Err(Failure::Unknown("the node stops".into())),
            Err(_) => Err(Failure::Unknown("the log did not answer in time".into())),
        }
    }

    fn command(&self, chunks: Vec<ChunkMessage>) -> Result<Command, Failure> {
        let created_at = Timestamp(EPOCH_NANOS + self.started.elapsed().as_nanos() as i64);
        let chunks = chunks.into_iter().map(|chunk| {
            let records = EncodedBatch::from_bytes(chunk.records)?;
            let anomaly_score = vec![f32::NAN; records.batch.len()];
            let scores = Arc::new(Scores { anomaly_score, ..Scores::default() });
            Ok(Chunk { identity: chunk.identity, records, scores, dead_letters: chunk.dead_letters })
        });
        let chunks = chunks.collect::<Result<_, insighthub_storage::codec::CodecError>>();
        let chunks = chunks.map_err(|error| Failure::Invalid(error.to_string()))?;
        Ok(Command::Append(Append { created_at, chunks }))
    }
}

impl AppendHandler for Appends {
    fn append(
        &self,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        deadline: Duration,
    ) -> BoxFuture<'static, Vec<Result<ChunkOutcome, AppendFailure>>> {
        let (appends, count) = (self.clone(), chunks.len());
        async move {
            match appends.store(partition, chunks, Instant::now() + deadline).await {
                Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
                Err(failure) => vec![Err(AppendFailure::Failure(failure)); count],
            }
        }
        .boxed()
    }
}

/// Proposes a seal for each partition this node leads once its head holds a random number of records.
pub(crate) async fn keep_sealing(cluster: Arc<Cluster>, mut dice: Dice) {
    let mut records_max = dice.within(10..120) as usize;
    loop {
        tokio::time::sleep(Duration::from_millis(dice.within(50..200))).await;
        for hosted in cluster.store.partitions() {
            let size = hosted.replica.head_size();
            if size.records < records_max || size.frozen_heads > 0 || !hosted.group.status().leads {
                continue;
            }
            records_max = dice.within(10..120) as usize;
            // Whoever leads by then proposes the next one.
            drop(tokio::time::timeout(Duration::from_secs(1), hosted.group.propose(Command::Seal)).await);
        }
    }
}

/// Has blocks merged and deletions carried out.
pub(crate) async fn keep_tending(cluster: Arc<Cluster>, mut dice: Dice) {
    let mut upkeep = Upkeep::default();
    loop {
        tokio::time::sleep(Duration::from_millis(dice.within(80..400))).await;
        // Nothing is too old: no retention is set.
        cluster.tend(&mut upkeep, Timestamp(EPOCH_NANOS), UpkeepOptions::default()).await;
    }
}
