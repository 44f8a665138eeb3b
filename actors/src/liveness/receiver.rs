//! The beat receiver: the one actor of a node that other nodes can send to, member of [`GROUP`].
//!
//! owns: nothing. hears: what other nodes send, and this node's own events. tells: the liveness actor.
//! bound: [`WAITING_MAX`] messages wait for the liveness actor, what comes beyond is dropped and counted;
//! what lies before the receiver itself is bounded by the senders' windows. on restart: it comes back with
//! the liveness actor, as a new member of the group.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::actor::LivenessMessage;
use super::wire::Packet;
use super::{Shared, WAITING_MAX};

/// The process group of all nodes' receivers.
pub(crate) const GROUP: &str = "insighthub";

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Receiver;

impl Actor for Receiver {
    type Msg = Packet;
    type State = Arc<Shared>;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Packet>,
        shared: Arc<Shared>,
    ) -> Result<Arc<Shared>, ActorProcessingErr> {
        Ok(shared)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Packet>,
        packet: Packet,
        shared: &mut Arc<Shared>,
    ) -> Result<(), ActorProcessingErr> {
        let counters = &shared.counters;
        match packet.decode() {
            Ok(envelope) if envelope.cluster_id != shared.cluster_id => {
                counters.other_cluster.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) if shared.mailbox.queue_depth() >= WAITING_MAX => {
                counters.dropped.fetch_add(1, Ordering::Relaxed);
            }
            // An actor that is restarting hears the next beat.
            Ok(envelope) => drop(shared.mailbox.send(LivenessMessage::Heard(Box::new(envelope)))),
            Err(error) => {
                if counters.unreadable.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!(%error, "a node sent what cannot be read; further ones are only counted");
                }
            }
        }
        Ok(())
    }
}
