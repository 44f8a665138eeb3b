//! The shard actor: one per service of a partition.
//!
//! owns: the service's detector. hears: the service's rows of a batch. tells: its partition their
//! scores. bound: a batch is held by its partition under a permit. on restart: the detector starts
//! learning again; rows it held are stored without a score.

use std::sync::Arc;

use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::RecordBatch;
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

#[derive(Debug)]
pub(crate) struct State {
    partition: Mailbox<PartitionMessage>,
    detector: MovingAverage,
}

impl Actor for Shard {
    type Msg = Queued<ShardMessage>;
    type State = State;
    type Arguments = Mailbox<PartitionMessage>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        partition: Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { partition, detector: MovingAverage::default() })
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
