//! The ingest actor.
//!
//! owns: the way to each partition of this node. hears: the chunks of requests, from this node's edge and from
//! its peers. tells: each partition its chunks. bound: senders hold byte permits. on restart: requests it
//! held are sent again by whoever waits for them.

use std::sync::Arc;

use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{PartitionId, RecordBatch};
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use insighthub_storage::raft::NodeId;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use crate::admission::Permit;
use crate::mailbox::Queued;
use crate::partition::{PartitionMailboxes, PartitionMessage};

/// Why records were not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// Nothing was stored; the leader takes them.
    #[error("this node does not lead the partition")]
    NotLeader { leader: Option<NodeId> },
    #[error("service {service:?} sends more than its limit; send again in {retry_after_secs} s")]
    RateLimited { service: String, retry_after_secs: u64 },
    #[error(
        "service {service:?} is one too many: its partition has taken limits.services_max ({services_max}) different \
         services within the last hour"
    )]
    TooManyServices { service: String, services_max: usize, retry_after_secs: u64 },
    /// Nothing was stored; send again.
    #[error("{0}")]
    Unavailable(String),
    /// The records may or may not have been stored; the same identity makes a retry safe.
    #[error("the outcome is unknown ({0}); send again with the same producer and sequence")]
    Unknown(String),
    /// The same, and another node is more likely to take them.
    #[error(
        "this node does not reach the majority of partition {0}, the outcome is unknown; send again with the same \
         producer and sequence, to another node"
    )]
    CutOff(PartitionId),
}

/// Part of a request for one partition.
#[derive(Debug)]
pub struct ChunkWork {
    pub identity: BatchIdentity,
    pub records: EncodedBatch,
    pub dead_letters: Vec<DeadLetter>,
    pub reply: oneshot::Sender<Result<ChunkOutcome, IngestError>>,
    /// Bytes this chunk may hold until it is answered; shared by the chunks of a request.
    pub permit: Arc<Permit>,
}

impl ChunkWork {
    pub fn batch(&self) -> &Arc<RecordBatch> {
        &self.records.batch
    }

    pub(crate) fn answer(self, outcome: Result<ChunkOutcome, IngestError>) {
        // The client may have gone; what was stored stays stored.
        drop(self.reply.send(outcome));
    }
}

/// What the ingest actor hears.
#[derive(Debug)]
pub enum IngestMessage {
    /// Stores the chunks of one request in one partition; each is answered by its own `reply`.
    Submit { partition: PartitionId, chunks: Vec<ChunkWork> },
    /// Panics on purpose; sent by fault tests alone.
    Fail,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Ingest;

/// What the actor is started with.
#[derive(Debug, Clone)]
pub(crate) struct IngestArguments {
    pub(crate) partitions: PartitionMailboxes,
}

#[derive(Debug)]
pub(crate) struct State {
    partitions: PartitionMailboxes,
}

impl Actor for Ingest {
    type Msg = Queued<IngestMessage>;
    type State = State;
    type Arguments = IngestArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: IngestArguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { partitions: arguments.partitions })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            IngestMessage::Submit { partition, chunks } => state.submit(partition, chunks),
            IngestMessage::Fail => panic!("failing on purpose"),
        }
        Ok(())
    }
}

impl State {
    fn submit(&mut self, partition: PartitionId, chunks: Vec<ChunkWork>) {
        let Some(mailbox) = self.partitions.get(partition) else {
            // Its replica is elsewhere, or on its way.
            let error = IngestError::NotLeader { leader: None };
            chunks.into_iter().for_each(|chunk| chunk.answer(Err(error.clone())));
            return;
        };
        // A refused message is dropped with its replies; the caller hears that nothing answered.
        if let Err(error) = mailbox.send(PartitionMessage::Append(chunks)) {
            tracing::debug!(%error, "chunks were not taken");
        }
    }
}
