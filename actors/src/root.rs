//! The root actor: starts the tree and restarts what fails below it.
//!
//! owns: ingest, the partitions, the tail hub, the liveness actor of a node with peers. hears: their
//! failures. bound: one message per failure, and one when liveness starts.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::oneshot;

use crate::ingest::{Ingest, IngestArguments, IngestMessage};
use crate::liveness::{LivenessActor, LivenessArguments};
use crate::mailbox::{Mailbox, Queued};
use crate::partition::{Partition, PartitionArguments};
use crate::supervision::{Children, Restart};
use crate::tail::{Hub, HubArguments, HubMessage};

/// What the root hears.
#[derive(Debug)]
pub(crate) enum RootMessage {
    Restart(String),
    /// A node with peers takes part in the cluster once its replicas are open.
    StartLiveness(Box<LivenessArguments>, oneshot::Sender<Result<(), SpawnErr>>),
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
    pub(crate) partitions: Vec<PartitionArguments>,
}

#[derive(Debug)]
pub(crate) struct State {
    root: Mailbox<RootMessage>,
    children: Children,
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
        for partition in arguments.partitions {
            let mailbox = partition.mailbox.clone();
            children.start(myself.get_cell(), &mailbox, move || (Partition, partition.clone())).await?;
        }
        let (mailbox, hub) = arguments.hub;
        children.start(myself.get_cell(), &mailbox, move || (Hub, hub.clone())).await?;
        let (mailbox, ingest) = arguments.ingest;
        children.start(myself.get_cell(), &mailbox, move || (Ingest, ingest.clone())).await?;
        Ok(State { root: arguments.root, children })
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

    fn later(&self, myself: &ActorRef<Queued<RootMessage>>, restart: Option<Restart>) {
        let Some(Restart { name, after }) = restart else { return };
        let root = self.root.clone();
        myself.send_after(after, move || root.enqueue(RootMessage::Restart(name)));
    }
}
