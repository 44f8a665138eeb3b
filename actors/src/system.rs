//! The actors of a node as the edge sees them: submit a request, follow the tail, see who is alive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use insighthub_model::PartitionId;
use insighthub_model::clock::Clock;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::command::EncodedBatch;
use insighthub_storage::query::Conditions;
use ractor::{Actor, ActorRef, SpawnErr};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::admission::{Admission, Permit};
use crate::alerting::AlertingOptions;
use crate::detection::Detection;
use crate::forwarding::{Delivery, Forwarding, Parcel};
use crate::ingest::{IngestArguments, IngestError, IngestMessage};
use crate::liveness::{Liveness, LivenessError, LivenessOptions, ReportSource};
use crate::mailbox::{Mailbox, Queued};
use crate::observer::Observer;
use crate::partition::{NodePressure, PartitionMailboxes, PartitionMessage, SealRule};
use crate::root::{PartitionFactory, Root, RootArguments, RootMessage};
use crate::roster::Roster;
use crate::spreading::Spreading;
use crate::tail::{Frame, HubArguments, HubMessage, OpenTail, SESSION_FRAMES_MAX, TailCursor, TailFeed};

/// How the tree is built.
#[derive(Debug, Clone)]
pub struct SystemOptions {
    pub clock: Arc<dyn Clock>,
    pub seal_rule: SealRule,
    pub in_flight_bytes_max: usize,
    pub service_records_per_sec: u64,
    pub service_burst_records: u64,
    pub services_max: usize,
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
    pub detection: Arc<Detection>,
    pub spreading: Spreading,
    root: ActorRef<Queued<RootMessage>>,
    root_mailbox: Mailbox<RootMessage>,
    ingest: Mailbox<IngestMessage>,
    hub: Mailbox<HubMessage>,
    partitions: PartitionMailboxes,
    forwarding: Forwarding,
    pub submit_deadline: Duration,
}

impl ActorSystem {
    /// Starts the tree over an open store with its observer, and takes chunks from peers.
    pub async fn start(
        cluster: Arc<Cluster>,
        observer: Observer,
        options: SystemOptions,
    ) -> Result<ActorSystem, SpawnErr> {
        let Observer { feed, detection } = observer;
        let roster = Roster::default();
        let root_mailbox = Mailbox::new(&roster, "root", "root".into());
        let ingest = Mailbox::new(&roster, "ingest", "ingest".into());
        let hub = Mailbox::new(&roster, "tail_hub", "tail hub".into());
        let partitions = PartitionMailboxes::default();
        feed.connect(hub.clone());
        let hub_arguments =
            HubArguments { feed: Arc::clone(&feed), roster: roster.clone(), cluster: Arc::clone(&cluster) };
        let arguments = RootArguments {
            root: root_mailbox.clone(),
            ingest: (ingest.clone(), IngestArguments { partitions: partitions.clone() }),
            hub: (hub.clone(), hub_arguments),
            partitions: PartitionFactory {
                cluster: Arc::clone(&cluster),
                mailboxes: partitions.clone(),
                roster: roster.clone(),
                clock: Arc::clone(&options.clock),
                detection: Arc::clone(&detection),
                seal_rule: options.seal_rule,
                node_pressure: NodePressure::default(),
                service_records_per_sec: options.service_records_per_sec,
                service_burst_records: options.service_burst_records,
                services_max: options.services_max,
            },
        };
        let (root, _) = Actor::spawn(None, Root, arguments).await?;
        root_mailbox.connect(root.clone());
        root_mailbox.entry().running.store(true, std::sync::atomic::Ordering::Relaxed);
        follow_hosted(&cluster, root_mailbox.clone());
        let admission = Admission::new(options.in_flight_bytes_max);
        let forwarding =
            Forwarding::new(Arc::clone(&cluster), ingest.clone(), admission.clone(), options.own_producer);
        cluster.set_append_handler(Arc::new(forwarding.clone()));
        let spreading = Spreading::new(cluster);
        Ok(ActorSystem {
            roster,
            admission,
            feed,
            detection,
            spreading,
            root,
            root_mailbox,
            ingest,
            hub,
            partitions,
            forwarding,
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

    /// Has rules looked at and messages sent, while this node leads the control group.
    pub fn start_alerting(&self, options: AlertingOptions) {
        if let Err(error) = self.root_mailbox.send(RootMessage::StartAlerting(Box::new(options))) {
            tracing::error!(%error, "alerting did not start");
        }
    }

    /// Stores the parts of a request; one outcome each, in order, once all are synced and applied.
    pub async fn submit(
        &self,
        submissions: Vec<Submission>,
        permit: &Arc<Permit>,
    ) -> Vec<Result<Delivery, IngestError>> {
        let deadline = Instant::now() + self.submit_deadline;
        let count = submissions.len();
        let mut by_partition: BTreeMap<PartitionId, (Vec<usize>, Vec<Parcel>)> = BTreeMap::new();
        for (place, submission) in submissions.into_iter().enumerate() {
            let partition = submission.partition;
            let identity = submission.identity.unwrap_or_else(|| self.forwarding.own_identity(partition));
            let (records, dead_letters) = (submission.records, submission.dead_letters);
            let (places, parcels) = by_partition.entry(partition).or_default();
            places.push(place);
            parcels.push(Parcel { identity, records, dead_letters });
        }
        let storing = by_partition.into_iter().map(|(partition, (places, parcels))| async move {
            (places, self.forwarding.store(partition, parcels, permit, deadline).await)
        });
        let unanswered = || Err(IngestError::Unknown("nobody answered".to_owned()));
        let mut outcomes: Vec<_> = (0..count).map(|_| unanswered()).collect();
        for (places, stored) in join_all(storing).await {
            for (place, outcome) in places.into_iter().zip(stored) {
                if let Some(slot) = outcomes.get_mut(place) {
                    *slot = outcome;
                }
            }
        }
        outcomes
    }

    /// Opens a live tail; frames end when the session does. `None` when the hub is restarting.
    pub async fn follow(
        &self,
        conditions: Conditions,
        cursor: Option<TailCursor>,
    ) -> Option<mpsc::Receiver<Frame>> {
        let (frames, receiver) = mpsc::channel(SESSION_FRAMES_MAX);
        // Read before the follower hears that it is connected: what is acknowledged after that is shown.
        let cursor = TailCursor(self.forwarding.cluster.positions(cursor.unwrap_or_default().0).await);
        let tail = Box::new(OpenTail { conditions, cursor, frames });
        self.hub.send(HubMessage::Open(tail)).ok().map(|()| receiver)
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
        self.partitions.all().iter().try_for_each(|(_, partition)| partition.send(message()))
    }
}

/// Tells the root whenever replicas come or go.
fn follow_hosted(cluster: &Cluster, root: Mailbox<RootMessage>) {
    let mut changes = cluster.store.watch_hosted();
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            if let Err(error) = root.send(RootMessage::HostedChanged) {
                tracing::debug!(%error, "the actors have stopped");
                return;
            }
        }
    });
}
