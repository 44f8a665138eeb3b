//! The shard actor: one per service of a partition.
//!
//! owns: the service's detector. hears: the service's rows of a batch. tells: its partition their
//! scores. bound: a batch is held by its partition under a permit. on restart: the detector continues
//! from what is stored; rows it held are stored without a score.

use std::sync::Arc;

use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::RecordBatch;
use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::mailbox::{Mailbox, Queued};
use crate::partition::{PartitionMessage, Ticket};

/// What a shard hears.
#[derive(Debug)]
pub(crate) enum ShardMessage {
    Score { ticket: Ticket, batch: Arc<RecordBatch>, rows: Vec<u32> },
    Fail,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Shard;

/// What a shard is started with.
#[derive(Debug, Clone)]
pub(crate) struct ShardArguments {
    pub(crate) partition: Mailbox<PartitionMessage>,
    /// The detector to continue with, put there before each start; empty for a service never seen.
    pub(crate) detector: Arc<Mutex<Option<MovingAverage>>>,
}

#[derive(Debug)]
pub(crate) struct State {
    partition: Mailbox<PartitionMessage>,
    detector: MovingAverage,
}

impl Actor for Shard {
    type Msg = Queued<ShardMessage>;
    type State = State;
    type Arguments = ShardArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: ShardArguments,
    ) -> Result<State, ActorProcessingErr> {
        let detector = arguments.detector.lock().take().unwrap_or_default();
        Ok(State { partition: arguments.partition, detector })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            ShardMessage::Score { ticket, batch, rows } => {
                let mut scores = RowScores::default();
                state.detector.score_batch(&batch, &rows, &mut scores);
                // A partition that is restarting has lost the batch too.
                drop(state.partition.send(PartitionMessage::Scored { ticket, rows, scores }));
            }
            ShardMessage::Fail => panic!("failing on purpose"),
        }
        Ok(())
    }
}
