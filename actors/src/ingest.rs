//! The ingest actor.
//!
//! owns: the rate limits of services, the way to each partition. hears: whole requests, parsed.
//! tells: each partition its chunks. bound: senders hold byte permits. on restart: rate limits start
//! full; requests it held are answered "unknown, send again".

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_model::clock::Clock;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{PartitionId, RecordBatch};
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use crate::admission::Permit;
use crate::mailbox::{Mailbox, Queued};
use crate::partition::PartitionMessage;
use crate::rate_limit::RateLimit;

/// Why records were not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    #[error("service {service:?} sends more than its limit; send again in {retry_after_secs} s")]
    RateLimited { service: String, retry_after_secs: u64 },
    /// Nothing was stored; send again.
    #[error("{0}")]
    Unavailable(String),
    /// The records may or may not have been stored; the same identity makes a retry safe.
    #[error("the outcome is unknown ({0}); send again with the same producer and sequence")]
    Unknown(String),
}

/// Part of a request for one partition.
#[derive(Debug)]
pub struct ChunkWork {
    pub partition: PartitionId,
    /// `None`: the client gave no identity, so its retries cannot be recognised.
    pub identity: Option<BatchIdentity>,
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
    /// Stores the chunks of a request; each is answered by its own `reply`.
    Submit(Vec<ChunkWork>),
    /// Panics on purpose; sent by fault tests alone.
    Fail,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Ingest;

/// What the actor is started with.
#[derive(Debug, Clone)]
pub(crate) struct IngestArguments {
    pub(crate) partitions: Arc<Vec<Mailbox<PartitionMessage>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) service_records_per_sec: u64,
    pub(crate) service_burst_records: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    partitions: Arc<Vec<Mailbox<PartitionMessage>>>,
    clock: Arc<dyn Clock>,
    rate_limit: RateLimit,
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
        Ok(State {
            partitions: arguments.partitions,
            clock: arguments.clock,
            rate_limit: RateLimit::new(arguments.service_records_per_sec, arguments.service_burst_records),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            IngestMessage::Submit(chunks) => state.submit(chunks),
            IngestMessage::Fail => panic!("failing on purpose"),
        }
        Ok(())
    }
}

impl State {
    fn submit(&mut self, chunks: Vec<ChunkWork>) {
        if let Err(error) = self.take_rate(&chunks) {
            for chunk in chunks {
                chunk.answer(Err(error.clone()));
            }
            return;
        }
        for chunk in chunks {
            let Some(partition) = self.partitions.get(usize::from(chunk.partition.0)) else {
                let error = format!("there is no partition {}", chunk.partition);
                chunk.answer(Err(IngestError::Unavailable(error)));
                continue;
            };
            // A refused message is dropped with its reply; the caller hears that nothing answered.
            if let Err(error) = partition.send(PartitionMessage::Append(chunk)) {
                tracing::debug!(%error, "a chunk was not taken");
            }
        }
    }

    fn take_rate(&mut self, chunks: &[ChunkWork]) -> Result<(), IngestError> {
        if !self.rate_limit.is_on() {
            return Ok(());
        }
        let mut services: BTreeMap<&str, usize> = BTreeMap::new();
        for chunk in chunks {
            let batch = chunk.batch();
            for service in &batch.service {
                let name = batch.services.get(usize::from(*service)).map_or("", String::as_str);
                *services.entry(name).or_default() += 1;
            }
        }
        let services: Vec<_> = services.into_iter().collect();
        self.rate_limit
            .take(&services, self.clock.now())
            .map_err(|(service, retry_after_secs)| IngestError::RateLimited { service, retry_after_secs })
    }
}
