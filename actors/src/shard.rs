//! The shard actor: one per service of a partition.
//!
//! owns: what scores the service's records before they are committed. hears: the service's rows of a batch. tells: its partition their
//! scores. bound: a batch is held by its partition under a permit. on restart: it continues
//! from what is stored; rows it held are stored without a score.

use std::sync::Arc;

use insighthub_detect::scorer::RowScores;
use insighthub_model::RecordBatch;
use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::detection::ShardScorer;
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
    /// What to continue with, put there before each start.
    pub(crate) scorer: Arc<Mutex<Option<ShardScorer>>>,
}

#[derive(Debug)]
pub(crate) struct State {
    partition: Mailbox<PartitionMessage>,
    /// `None` only while it is lent, or where there was none to start with: then nothing is scored.
    scorer: Option<ShardScorer>,
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
        let scorer = arguments.scorer.lock().take();
        Ok(State { partition: arguments.partition, scorer })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            ShardMessage::Score { ticket, batch, rows } => {
                let scores = match state.scorer.take() {
                    Some(scorer) => state.score(scorer, &batch, &rows).await?,
                    None => RowScores::default(),
                };
                // A partition that is restarting has lost the batch too.
                drop(state.partition.send(PartitionMessage::Scored { ticket, rows, scores }));
            }
            ShardMessage::Fail => panic!("failing on purpose"),
        }
        Ok(())
    }
}

impl State {
    /// Scores on this thread; where a forest is to be grown, on one that may take its time.
    async fn score(
        &mut self,
        mut scorer: ShardScorer,
        batch: &Arc<RecordBatch>,
        rows: &[u32],
    ) -> Result<RowScores, ActorProcessingErr> {
        let mut scores = RowScores::default();
        if !scorer.is_refit_due(batch, rows) {
            scorer.score(batch, rows, &mut scores);
            self.scorer = Some(scorer);
            return Ok(scores);
        }
        let (batch, rows) = (Arc::clone(batch), rows.to_vec());
        let scoring = tokio::task::spawn_blocking(move || {
            scorer.score(&batch, &rows, &mut scores);
            (scorer, scores)
        });
        let (scorer, scores) = scoring.await?;
        self.scorer = Some(scorer);
        Ok(scores)
    }
}
