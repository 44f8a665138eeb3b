//! Chunks from the edge of any node to the leader of their partition, here or one hop away, until they are
//! stored or the deadline has passed. Every chunk has an identity, so sending again never stores twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use insighthub_model::PartitionId;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_storage::cluster::message::{AppendFailure, ChunkMessage, Failure};
use insighthub_storage::cluster::{AppendHandler, Cluster};
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use insighthub_storage::raft::NodeId;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::admission::{Admission, Permit};
use crate::ingest::{ChunkWork, IngestError, IngestMessage};
use crate::mailbox::Mailbox;

/// Before a partition is tried again whose leader was not found: elections take some hundred milliseconds.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// An answer that takes longer is taken for lost and the chunks are sent again, perhaps to another leader.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(2);

/// How often it is looked whether the leader that is waited for still leads, and is within reach.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A chunk that may have to be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) identity: BatchIdentity,
    pub(crate) records: EncodedBatch,
    pub(crate) dead_letters: Vec<DeadLetter>,
}

type Outcome = Result<ChunkOutcome, IngestError>;

/// What became of a chunk, as its sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Stored {
        /// Records of it that were stored before, with other requests.
        known: u32,
    },
    /// Stored before, by an earlier request under the same identity.
    Duplicate,
    /// So old that nobody knows any more whether it was stored; nothing was stored now.
    SequenceTooOld,
    /// An earlier chunk of the request is missing; nothing was stored.
    OutOfOrder,
    /// A service of the request is spread by now: nothing was stored, the request must be split anew.
    Moved,
}

/// The way to every partition of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Forwarding {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) ingest: Mailbox<IngestMessage>,
    pub(crate) admission: Admission,
    identities: Identities,
}

/// Names chunks whose sender gave them no identity. One line of sequences per partition, unique to this
/// run of the node.
#[derive(Debug, Clone)]
struct Identities {
    producer: String,
    sequences: Arc<Vec<AtomicU64>>,
}

impl Forwarding {
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        ingest: Mailbox<IngestMessage>,
        admission: Admission,
        producer: String,
    ) -> Forwarding {
        let sequences = cluster.store.all_partitions().map(|_| AtomicU64::new(1)).collect();
        let identities = Identities { producer, sequences: Arc::new(sequences) };
        Forwarding { cluster, ingest, admission, identities }
    }

    /// A new identity for a chunk of a partition.
    pub(crate) fn own_identity(&self, partition: PartitionId) -> BatchIdentity {
        let sequence = self.identities.sequences.get(usize::from(partition.0));
        let sequence = sequence.map_or(0, |next| next.fetch_add(1, Ordering::Relaxed));
        BatchIdentity::whole(self.identities.producer.clone(), sequence)
    }

    /// Stores chunks of one request in one partition; one outcome each, in order.
    pub(crate) async fn store(
        &self,
        partition: PartitionId,
        parcels: Vec<Parcel>,
        permit: &Arc<Permit>,
        deadline: Instant,
    ) -> Vec<Result<Delivery, IngestError>> {
        let mut pause = PAUSE_FIRST;
        let mut attempt = 0;
        // Chunks that an earlier attempt may have stored: that they are found stored now is its success.
        let mut maybe_stored = vec![false; parcels.len()];
        loop {
            let within = deadline.saturating_duration_since(Instant::now()).min(ATTEMPT_DEADLINE);
            let outcomes = tokio::select! {
                biased;
                outcomes = self.try_once(partition, &parcels, permit, attempt, within) => outcomes,
                () = self.cut_off(partition) => vec![Err(IngestError::CutOff(partition)); parcels.len()],
            };
            let again =
                outcomes.iter().any(is_worth_another_try) && !outcomes.contains(&Ok(ChunkOutcome::Moved));
            if !again || Instant::now() + pause >= deadline {
                let outcomes = outcomes.into_iter().zip(maybe_stored);
                return outcomes.map(|(outcome, maybe_stored)| deliver(outcome, maybe_stored)).collect();
            }
            for (outcome, maybe_stored) in outcomes.iter().zip(&mut maybe_stored) {
                *maybe_stored |=
                    matches!(outcome, Ok(ChunkOutcome::Stored { .. }) | Err(IngestError::Unknown(_)));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            attempt += 1;
        }
    }

    /// Ends when this node does not reach the partition's majority: whoever sent the chunks had better ask another
    /// node than wait.
    async fn cut_off(&self, partition: PartitionId) {
        while self.cluster.store.partition(partition).is_none_or(|hosted| !hosted.group.is_cut_off()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn try_once(
        &self,
        partition: PartitionId,
        parcels: &[Parcel],
        permit: &Arc<Permit>,
        attempt: usize,
        within: Duration,
    ) -> Vec<Outcome> {
        let cluster = &self.cluster;
        let leader = cluster.leader_of(partition).or_else(|| cluster.guess_leader(partition, attempt));
        let Some(leader) = leader else {
            let error = IngestError::Unavailable(format!("partition {partition} has no leader; send again"));
            return vec![Err(error); parcels.len()];
        };
        if leader == cluster.me() {
            return self.store_here(partition, parcels.to_vec(), permit, within).await;
        }
        let chunks = parcels.iter().map(|parcel| ChunkMessage {
            identity: parcel.identity.clone(),
            records: parcel.records.to_bytes(),
            dead_letters: parcel.dead_letters.clone(),
        });
        let sent = self.forward_while_it_leads(leader, partition, chunks.collect(), within);
        match sent.await {
            Ok(outcomes) => {
                let outcomes = outcomes
                    .into_iter()
                    .map(|outcome| outcome.map_err(|failure| self.learn(partition, failure)));
                outcomes.collect()
            }
            Err(failure) => {
                let error = self.learn(partition, AppendFailure::Failure(failure));
                vec![Err(error); parcels.len()]
            }
        }
    }

    /// Sends chunks to a leader and waits for its answer as long as it may come: a leader that hangs is given up
    /// as soon as another is known, and the chunks are sent there.
    async fn forward_while_it_leads(
        &self,
        leader: NodeId,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        within: Duration,
    ) -> Result<Vec<Result<ChunkOutcome, AppendFailure>>, Failure> {
        let deposed = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if self.cluster.leader_of(partition).is_some_and(|now| now != leader) {
                    return;
                }
            }
        };
        tokio::select! {
            answer = self.cluster.forward(leader, partition, chunks, within) => answer,
            () = deposed => Err(Failure::Unknown("another node leads by now".to_owned())),
        }
    }

    fn learn(&self, partition: PartitionId, failure: AppendFailure) -> IngestError {
        match failure {
            AppendFailure::RateLimited { service, retry_after_secs } => {
                IngestError::RateLimited { service, retry_after_secs }
            }
            AppendFailure::TooManyServices { service, services_max, retry_after_secs } => {
                IngestError::TooManyServices { service, services_max, retry_after_secs }
            }
            AppendFailure::Failure(Failure::NotLeader { leader }) => {
                self.cluster.learn_leader(partition, leader);
                IngestError::NotLeader { leader }
            }
            AppendFailure::Failure(Failure::NotHosted(_)) => {
                self.cluster.learn_leader(partition, None);
                IngestError::NotLeader { leader: None }
            }
            AppendFailure::Failure(Failure::Unknown(reason)) => {
                self.cluster.learn_leader(partition, None);
                IngestError::Unknown(reason)
            }
            AppendFailure::Failure(other) => {
                self.cluster.learn_leader(partition, None);
                IngestError::Unavailable(other.to_string())
            }
        }
    }

    /// Hands chunks to the partition on this node.
    pub(crate) async fn store_here(
        &self,
        partition: PartitionId,
        parcels: Vec<Parcel>,
        permit: &Arc<Permit>,
        within: Duration,
    ) -> Vec<Outcome> {
        let count = parcels.len();
        let (chunks, replies): (Vec<_>, Vec<_>) = parcels
            .into_iter()
            .map(|parcel| {
                let (reply, answer) = oneshot::channel();
                let work = ChunkWork {
                    identity: parcel.identity,
                    records: parcel.records,
                    dead_letters: parcel.dead_letters,
                    reply,
                    permit: Arc::clone(permit),
                };
                (work, answer)
            })
            .unzip();
        if let Err(error) = self.ingest.send(IngestMessage::Submit { partition, chunks }) {
            return vec![Err(IngestError::Unavailable(error.to_string())); count];
        }
        let until = Instant::now() + within;
        let unknown = |reason: &str| Err(IngestError::Unknown(reason.to_owned()));
        join_all(replies.into_iter().map(|answer| async {
            match tokio::time::timeout_at(until, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => unknown("the actor that held the records was restarted"),
                Err(_) => unknown("the log did not answer in time"),
            }
        }))
        .await
    }
}

fn deliver(outcome: Outcome, maybe_stored: bool) -> Result<Delivery, IngestError> {
    Ok(match outcome? {
        ChunkOutcome::Stored { known, .. } => Delivery::Stored { known },
        ChunkOutcome::Duplicate if maybe_stored => Delivery::Stored { known: 0 },
        ChunkOutcome::Duplicate => Delivery::Duplicate,
        ChunkOutcome::SequenceTooOld => Delivery::SequenceTooOld,
        ChunkOutcome::ChunkOutOfOrder => Delivery::OutOfOrder,
        ChunkOutcome::Moved => Delivery::Moved,
    })
}

/// Whether sending the same chunks again, perhaps elsewhere, may store them.
fn is_worth_another_try(outcome: &Outcome) -> bool {
    match outcome {
        Ok(ChunkOutcome::ChunkOutOfOrder) => true,
        Ok(_) => false,
        Err(
            IngestError::RateLimited { .. } | IngestError::TooManyServices { .. } | IngestError::CutOff(_),
        ) => false,
        Err(IngestError::NotLeader { .. } | IngestError::Unavailable(_) | IngestError::Unknown(_)) => true,
    }
}

/// Takes chunks from peers; they are answered by this node's partitions or refused, never sent on.
impl AppendHandler for Forwarding {
    fn append(
        &self,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        deadline: Duration,
    ) -> BoxFuture<'static, Vec<Result<ChunkOutcome, AppendFailure>>> {
        let forwarding = self.clone();
        Box::pin(async move {
            let count = chunks.len();
            let refuse = |failure: Failure| vec![Err(AppendFailure::Failure(failure)); count];
            // Asked before the work of decoding: after an election every node knocks here for a moment.
            let leader = forwarding.cluster.leader_of(partition);
            if leader != Some(forwarding.cluster.me()) {
                return refuse(Failure::NotLeader { leader });
            }
            let bytes = chunks.iter().map(|chunk| chunk.records.len()).sum();
            let permit = match forwarding.admission.admit(bytes) {
                Ok(permit) => Arc::new(permit),
                Err(refusal) => return refuse(Failure::Unavailable(refusal.to_string())),
            };
            let parcels = tokio::task::spawn_blocking(move || {
                let parcels = chunks.into_iter().map(|chunk| {
                    let records = EncodedBatch::from_bytes(chunk.records)?;
                    let (identity, dead_letters) = (chunk.identity, chunk.dead_letters);
                    Ok(Parcel { identity, records, dead_letters })
                });
                parcels.collect::<Result<Vec<_>, insighthub_storage::codec::CodecError>>()
            });
            let parcels = match parcels.await {
                Ok(Ok(parcels)) => parcels,
                Ok(Err(error)) => return refuse(Failure::Invalid(error.to_string())),
                Err(error) => return refuse(Failure::Unavailable(error.to_string())),
            };
            let outcomes = forwarding.store_here(partition, parcels, &permit, deadline).await;
            outcomes.into_iter().map(|outcome| outcome.map_err(to_failure)).collect()
        })
    }
}

fn to_failure(error: IngestError) -> AppendFailure {
    match error {
        IngestError::RateLimited { service, retry_after_secs } => {
            AppendFailure::RateLimited { service, retry_after_secs }
        }
        IngestError::TooManyServices { service, services_max, retry_after_secs } => {
            AppendFailure::TooManyServices { service, services_max, retry_after_secs }
        }
        IngestError::NotLeader { leader } => Failure::NotLeader { leader }.into(),
        IngestError::Unavailable(reason) => Failure::Unavailable(reason).into(),
        unknown @ (IngestError::Unknown(_) | IngestError::CutOff(_)) => {
            Failure::Unknown(unknown.to_string()).into()
        }
    }
}
