//! The actors of a node as the edge sees them: submit a request, follow the tail, see who is alive.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures::future::join_all;
use insighthub_model::PartitionId;
use insighthub_model::clock::Clock;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_storage::Store;
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use insighthub_storage::partition::PartitionReplica;
use insighthub_storage::query::Filter;
use ractor::{Actor, ActorRef, SpawnErr};
use tokio::sync::{mpsc, oneshot};

use crate::admission::{Admission, Permit};
use crate::ingest::{ChunkWork, IngestArguments, IngestError, IngestMessage};
use crate::liveness::{Liveness, LivenessError, LivenessOptions, ReportSource};
use crate::mailbox::{Mailbox, Queued};
use crate::partition::{PartitionArguments, PartitionMessage, SealRule};
use crate::root::{Root, RootArguments, RootMessage};
use crate::roster::Roster;
use crate::tail::{Frame, HubArguments, HubMessage, OpenTail, SESSION_FRAMES_MAX, TailCursor, TailFeed};

/// How the tree is built.
#[derive(Debug, Clone)]
pub struct SystemOptions {
    pub clock: Arc<dyn Clock>,
    pub seal_rule: SealRule,
    pub in_flight_bytes_max: usize,
    pub service_records_per_sec: u64,
    pub service_burst_records: u64,
    /// Unique to this run of the node.
    pub own_producer: String,
    /// A request not answered within this time is answered "unknown".
    pub submit_deadline: Duration,
}

/// Part of a parsed request.
#[derive(Debug)]
pub struct Submission {
    pub partition: PartitionId,
    pub identity: Option<BatchIdentity>,
    pub records: EncodedBatch,
    pub dead_letters: Vec<DeadLetter>,
}

/// Which kind of actor a fault test makes fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultTarget {
    Ingest,
    Partition,
    Shard,
    TailHub,
    Session,
}

/// Handle of the running tree.
#[derive(Debug, Clone)]
pub struct ActorSystem {
    pub roster: Roster,
    pub admission: Admission,
    pub feed: Arc<TailFeed>,
    root: ActorRef<Queued<RootMessage>>,
    root_mailbox: Mailbox<RootMessage>,
    ingest: Mailbox<IngestMessage>,
    hub: Mailbox<HubMessage>,
    partitions: Arc<Vec<Mailbox<PartitionMessage>>>,
    replicas: Arc<Vec<Arc<PartitionReplica>>>,
    submit_deadline: Duration,
}

impl ActorSystem {
    /// Starts the tree over an open store whose observer is `feed`.
    pub async fn start(
        store: &Store,
        feed: Arc<TailFeed>,
        options: SystemOptions,
    ) -> Result<ActorSystem, SpawnErr> {
        let roster = Roster::default();
        let root_mailbox = Mailbox::new(&roster, "root", "root".into());
        let ingest = Mailbox::new(&roster, "ingest", "ingest".into());
        let hub = Mailbox::new(&roster, "tail_hub", "tail hub".into());
        let partitions: Vec<PartitionArguments> = store
            .partitions
            .iter()
            .map(|group| PartitionArguments {
                group: group.clone(),
                mailbox: Mailbox::new(
                    &roster,
                    "partition",
                    format!("partition {}", group.replica.partition()),
                ),
                roster: roster.clone(),
                clock: Arc::clone(&options.clock),
                seal_rule: options.seal_rule,
                own_producer: options.own_producer.clone(),
                own_sequence: Arc::new(AtomicU64::new(1)),
            })
            .collect();
        let mailboxes = Arc::new(partitions.iter().map(|partition| partition.mailbox.clone()).collect());
        feed.connect(hub.clone());
        let replicas: Arc<Vec<_>> =
            Arc::new(store.partitions.iter().map(|group| Arc::clone(&group.replica)).collect());
        let arguments = RootArguments {
            root: root_mailbox.clone(),
            ingest: (
                ingest.clone(),
                IngestArguments {
                    partitions: Arc::clone(&mailboxes),
                    clock: Arc::clone(&options.clock),
                    service_records_per_sec: options.service_records_per_sec,
                    service_burst_records: options.service_burst_records,
                },
            ),
            hub: (
                hub.clone(),
                HubArguments {
                    feed: Arc::clone(&feed),
                    roster: roster.clone(),
                    partitions: Arc::clone(&replicas),
                },
            ),
            partitions,
        };
        let (root, _) = Actor::spawn(None, Root, arguments).await?;
        root_mailbox.connect(root.clone());
        root_mailbox.entry().running.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(ActorSystem {
            roster,
            admission: Admission::new(options.in_flight_bytes_max),
            feed,
            root,
            root_mailbox,
            ingest,
            hub,
            partitions: mailboxes,
            replicas,
            submit_deadline: options.submit_deadline,
        })
    }

    /// Takes part in the cluster's control plane, under the same supervision as all else.
    pub async fn start_liveness(
        &self,
        options: LivenessOptions,
        source: Arc<dyn ReportSource>,
    ) -> Result<Liveness, LivenessError> {
        let listen = options.listen;
        let (liveness, arguments) = Liveness::prepare(&self.roster, options, source)?;
        let (reply, started) = oneshot::channel();
        let start = RootMessage::StartLiveness(Box::new(arguments), reply);
        self.root_mailbox.send(start).map_err(|_| LivenessError::Stopped)?;
        let started = started.await.map_err(|_| LivenessError::Stopped)?;
        started.map_err(|error| LivenessError::Listen { listen, reason: error.to_string() })?;
        Ok(liveness)
    }

    /// Stores the parts of a request; one outcome each, in order, once all are synced and applied.
    pub async fn submit(
        &self,
        submissions: Vec<Submission>,
        permit: Permit,
    ) -> Vec<Result<ChunkOutcome, IngestError>> {
        let permit = Arc::new(permit);
        let (works, replies): (Vec<_>, Vec<_>) = submissions
            .into_iter()
            .map(|submission| {
                let (reply, answer) = oneshot::channel();
                let work = ChunkWork {
                    partition: submission.partition,
                    identity: submission.identity,
                    records: submission.records,
                    dead_letters: submission.dead_letters,
                    reply,
                    permit: Arc::clone(&permit),
                };
                (work, answer)
            })
            .unzip();
        let count = works.len();
        if let Err(error) = self.ingest.send(IngestMessage::Submit(works)) {
            return vec![Err(IngestError::Unavailable(error.to_string())); count];
        }
        let unknown = |reason: &str| Err(IngestError::Unknown(reason.to_owned()));
        let answers = join_all(replies.into_iter().map(|answer| async {
            match tokio::time::timeout(self.submit_deadline, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => unknown("the actor that held the records was restarted"),
                Err(_) => unknown("the log did not answer in time"),
            }
        }));
        answers.await
    }

    /// Opens a live tail; frames end when the session does. `None` when the hub is restarting.
    pub fn follow(&self, filter: Filter, cursor: Option<TailCursor>) -> Option<mpsc::Receiver<Frame>> {
        let (frames, receiver) = mpsc::channel(SESSION_FRAMES_MAX);
        // Read before the follower hears that it is connected: what is acknowledged after that is shown.
        let cursor = cursor.unwrap_or_else(|| {
            let ends =
                self.replicas.iter().map(|replica| (replica.partition(), replica.status().next_offset));
            TailCursor(ends.collect())
        });
        self.hub.send(HubMessage::Open(OpenTail { filter, cursor, frames })).ok().map(|()| receiver)
    }

    /// Ends every live tail; its follower reconnects elsewhere with its cursor.
    pub fn end_sessions(&self) {
        if let Err(error) = self.hub.send(HubMessage::EndSessions) {
            tracing::debug!(%error, "there are no live tails to end");
        }
    }

    /// Makes an actor of this kind fail; for fault tests.
    pub fn fail(&self, target: FaultTarget) {
        let sent = match target {
            FaultTarget::Ingest => self.ingest.send(IngestMessage::Fail),
            FaultTarget::TailHub => self.hub.send(HubMessage::Fail),
            FaultTarget::Session => self.hub.send(HubMessage::FailSession),
            FaultTarget::Partition => self.each_partition(|| PartitionMessage::Fail),
            FaultTarget::Shard => self.each_partition(|| PartitionMessage::FailShard),
        };
        if let Err(error) = sent {
            tracing::info!(%error, "nothing to fail");
        }
    }

    /// Ends the tree; what is in mailboxes is not acknowledged.
    pub async fn stop(&self) {
        self.admission.set_stopping();
        if let Err(error) = self.root.stop_and_wait(None, None).await {
            tracing::warn!(%error, "the actors did not stop in order");
        }
    }

    fn each_partition(
        &self,
        message: impl Fn() -> PartitionMessage,
    ) -> Result<(), crate::mailbox::SendError> {
        self.partitions.iter().try_for_each(|partition| partition.send(message()))
    }
}
