//! The root actor: starts the tree and restarts what fails below it.
//!
//! owns: ingest, the partitions of this node, the tail hub, the evaluator and the notifier of alerts, the liveness actor of
//! a node with peers. hears: their failures, and that replicas came or went. bound: one message per failure or change, and
//! one when alerting and when liveness start.

use std::sync::Arc;

use insighthub_model::clock::Clock;
use insighthub_storage::cluster::Cluster;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::oneshot;

use crate::alerting::{
    AlertingOptions, Evaluator, EvaluatorArguments, EvaluatorMessage, Notifier, NotifierArguments,
    NotifierMessage,
};
use crate::detection::Detection;
use crate::ingest::{Ingest, IngestArguments, IngestMessage};
use crate::liveness::{LivenessActor, LivenessArguments};
use crate::mailbox::{Mailbox, Queued};
use crate::partition::{NodePressure, Partition, PartitionArguments, PartitionMailboxes, SealRule};
use crate::roster::Roster;
use crate::supervision::{Children, Restart};
use crate::tail::{Hub, HubArguments, HubMessage};

/// What the root hears.
#[derive(Debug)]
pub(crate) enum RootMessage {
    Restart(String),
    /// A node with peers takes part in the cluster once its replicas are open.
    StartLiveness(Box<LivenessArguments>, oneshot::Sender<Result<(), SpawnErr>>),
    /// Rules are looked at once the node can be reached.
    StartAlerting(Box<AlertingOptions>),
    /// Replicas came to this node or left it.
    HostedChanged,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Root;

/// What every actor of the tree is started with.
#[derive(Debug)]
pub(crate) struct RootArguments {
    pub(crate) root: Mailbox<RootMessage>,
    pub(crate) ingest: (Mailbox<IngestMessage>, IngestArguments),
    pub(crate) hub: (Mailbox<HubMessage>, HubArguments),
    pub(crate) partitions: PartitionFactory,
}

/// Makes the partitions of this node.
#[derive(Debug, Clone)]
pub(crate) struct PartitionFactory {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) mailboxes: PartitionMailboxes,
    pub(crate) roster: Roster,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) detection: Arc<Detection>,
    pub(crate) seal_rule: SealRule,
    pub(crate) node_pressure: NodePressure,
    pub(crate) service_records_per_sec: u64,
    pub(crate) service_burst_records: u64,
    pub(crate) services_max: usize,
}

#[derive(Debug)]
pub(crate) struct State {
    root: Mailbox<RootMessage>,
    children: Children,
    partitions: PartitionFactory,
}

impl Actor for Root {
    type Msg = Queued<RootMessage>;
    type State = State;
    type Arguments = RootArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: RootArguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut children = Children::default();
        arguments.partitions.follow_store(&myself, &mut children).await?;
        let (mailbox, hub) = arguments.hub;
        children.start(myself.get_cell(), &mailbox, move || (Hub, hub.clone())).await?;
        let (mailbox, ingest) = arguments.ingest;
        children.start(myself.get_cell(), &mailbox, move || (Ingest, ingest.clone())).await?;
        Ok(State { root: arguments.root, children, partitions: arguments.partitions })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            RootMessage::Restart(name) => {
                let again = state.children.restart(myself.get_cell(), &name).await;
                state.later(&myself, again);
            }
            RootMessage::StartLiveness(arguments, reply) => {
                let started = state.start_liveness(myself.get_cell(), *arguments).await;
                // Who asked may have given up.
                drop(reply.send(started));
            }
            RootMessage::StartAlerting(options) => {
                if let Err(error) = state.start_alerting(myself.get_cell(), *options).await {
                    tracing::error!(%error, "alerting did not start");
                }
            }
            RootMessage::HostedChanged => {
                if let Err(error) = state.partitions.follow_store(&myself, &mut state.children).await {
                    tracing::error!(%error, "a partition did not start");
                }
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let restart = state.children.hear(&event);
        state.later(&myself, restart);
        Ok(())
    }
}

impl PartitionFactory {
    /// Starts partitions for replicas that came, stops those whose replicas left.
    async fn follow_store(
        &self,
        myself: &ActorRef<Queued<RootMessage>>,
        children: &mut Children,
    ) -> Result<(), SpawnErr> {
        let hosted = self.cluster.store.partitions();
        for (partition, mailbox) in self.mailboxes.all() {
            if !hosted.iter().any(|replica| replica.replica.partition() == partition) {
                self.mailboxes.remove(partition);
                self.detection.forget(partition);
                children.stop(&mailbox.entry().name);
            }
        }
        for group in hosted {
            let partition = group.replica.partition();
            if self.mailboxes.get(partition).is_some() {
                continue;
            }
            let mailbox = Mailbox::new(&self.roster, "partition", format!("partition {partition}"));
            let arguments = PartitionArguments {
                group,
                cluster: Arc::clone(&self.cluster),
                mailbox: mailbox.clone(),
                roster: self.roster.clone(),
                clock: Arc::clone(&self.clock),
                detection: Arc::clone(&self.detection),
                seal_rule: self.seal_rule,
                node_pressure: self.node_pressure.clone(),
                service_records_per_sec: self.service_records_per_sec,
                service_burst_records: self.service_burst_records,
                services_max: self.services_max,
            };
            children.start(myself.get_cell(), &mailbox, move || (Partition, arguments.clone())).await?;
            self.mailboxes.add(partition, mailbox);
        }
        Ok(())
    }
}

impl State {
    async fn start_liveness(
        &mut self,
        root: ActorCell,
        arguments: LivenessArguments,
    ) -> Result<(), SpawnErr> {
        let mailbox = arguments.mailbox().clone();
        let make = move || (LivenessActor, arguments.clone());
        let started = self.children.start(root, &mailbox, make).await;
        if started.is_err() {
            self.children.stop(&mailbox.entry().name);
        }
        started
    }

    async fn start_alerting(&mut self, root: ActorCell, options: AlertingOptions) -> Result<(), SpawnErr> {
        let roster = &self.partitions.roster;
        let evaluator: Mailbox<EvaluatorMessage> =
            Mailbox::new(roster, "alert_evaluator", "alert evaluator".into());
        let notifier: Mailbox<NotifierMessage> =
            Mailbox::new(roster, "alert_notifier", "alert notifier".into());
        let (arguments, mailbox) = (options.clone(), evaluator.clone());
        let evaluating = move || {
            let arguments = EvaluatorArguments { options: arguments.clone(), mailbox: mailbox.clone() };
            (Evaluator, arguments)
        };
        self.children.start(root.clone(), &evaluator, evaluating).await?;
        let mailbox = notifier.clone();
        let notifying = move || {
            let arguments = NotifierArguments { options: options.clone(), mailbox: mailbox.clone() };
            (Notifier, arguments)
        };
        self.children.start(root, &notifier, notifying).await
    }

    fn later(&self, myself: &ActorRef<Queued<RootMessage>>, restart: Option<Restart>) {
        let Some(Restart { name, after }) = restart else { return };
        let root = self.root.clone();
        myself.send_after(after, move || root.enqueue(RootMessage::Restart(name)));
    }
}
