//! The partition actor: the only proposer of its group.
//!
//! owns: chunks between arrival and acknowledgement, the shards and rate limits of its services. hears: chunks,
//! their scores, outcomes of proposals; refuses chunks while another node leads. tells: shards what to score, Raft what to commit. bound: every chunk
//! holds a byte permit; at most [`packing::PROPOSALS_MAX`] proposals are under way. on restart: chunks
//! it held are answered "unknown, send again"; what was committed stays committed.

mod heat;
mod leading;
mod mailboxes;
mod packing;
mod pressure;
mod scoring;
mod service_count;
mod watching;

use std::sync::Arc;
use std::time::{Duration, Instant};

use insighthub_detect::scorer::RowScores;
use insighthub_model::clock::Clock;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::command::{Append, Applied, Chunk, Command};
use insighthub_storage::group::{PartitionGroup, ProposeError};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::detection::Detection;
use crate::ingest::{ChunkWork, IngestError};
use crate::mailbox::{Mailbox, Queued};
use crate::rate_limit::RateLimit;
use crate::roster::Roster;
use heat::Heat;
pub(crate) use mailboxes::PartitionMailboxes;
use packing::{Packing, Waiting};
pub(crate) use pressure::NodePressure;
use pressure::Pressure;
use scoring::Shards;
use service_count::ServiceCount;
use watching::Watching;

/// Names a chunk while it is being scored.
pub type Ticket = u64;

/// How often a partition looks at its clock: late scorers, seals.
const TICK: Duration = Duration::from_millis(100);
/// A chunk is stored without the scores that are not there after this long.
const SCORING_DEADLINE: Duration = Duration::from_millis(250);

/// What a partition hears.
#[derive(Debug)]
pub enum PartitionMessage {
    /// Chunks of one request, in order.
    Append(Vec<ChunkWork>),
    Scored {
        ticket: Ticket,
        rows: Vec<u32>,
        scores: RowScores,
    },
    /// A proposal has ended.
    Committed,
    /// A seal has ended.
    SealEnded,
    /// Detectors have caught up, and heed other settings than before.
    Watched {
        is_told_anew: bool,
    },
    Tick,
    RestartShard(String),
    /// Panic on purpose; sent by fault tests alone.
    Fail,
    FailShard,
}

/// When a head is frozen.
#[derive(Debug, Clone, Copy)]
pub struct SealRule {
    pub head_records_max: usize,
    pub head_bytes_max: usize,
}

/// What a partition is started with.
#[derive(Debug, Clone)]
pub(crate) struct PartitionArguments {
    pub(crate) group: PartitionGroup,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) mailbox: Mailbox<PartitionMessage>,
    pub(crate) roster: Roster,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) detection: Arc<Detection>,
    pub(crate) seal_rule: SealRule,
    /// Shared with the other partitions of the node.
    pub(crate) node_pressure: NodePressure,
    pub(crate) service_records_per_sec: u64,
    pub(crate) service_burst_records: u64,
    pub(crate) services_max: usize,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Partition;

#[derive(Debug)]
pub(crate) struct State {
    arguments: PartitionArguments,
    packing: Packing,
    shards: Shards,
    watching: Watching,
    rate_limit: RateLimit,
    service_count: ServiceCount,
    heat: Heat,
    /// The term this node leads in and has started shards anew for.
    led_term: Option<u64>,
    proposals: usize,
    seal_under_way: bool,
    /// What waited on this node at the last tick.
    pressure: Pressure,
}

impl Actor for Partition {
    type Msg = Queued<PartitionMessage>;
    type State = State;
    type Arguments = PartitionArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: PartitionArguments,
    ) -> Result<State, ActorProcessingErr> {
        let mailbox = arguments.mailbox.clone();
        myself.send_interval(TICK, move || mailbox.enqueue(PartitionMessage::Tick));
        Ok(State {
            shards: Shards::new(
                arguments.mailbox.clone(),
                arguments.roster.clone(),
                Arc::clone(&arguments.detection),
                Arc::clone(&arguments.group.replica),
            ),
            watching: Watching::default(),
            rate_limit: RateLimit::new(arguments.service_records_per_sec, arguments.service_burst_records),
            service_count: ServiceCount::new(arguments.services_max),
            heat: Heat::default(),
            led_term: None,
            arguments,
            packing: Packing::default(),
            proposals: 0,
            seal_under_way: false,
            pressure: Pressure::default(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            PartitionMessage::Append(chunks) => {
                if let Some(chunks) = state.admit(chunks).await {
                    for chunk in chunks {
                        state.take(&myself, chunk).await;
                    }
                }
                state.propose_ready().await;
            }
            PartitionMessage::Scored { ticket, rows, scores } => {
                state.packing.scored(ticket, &rows, &scores);
                state.propose_ready().await;
            }
            PartitionMessage::Committed => {
                state.proposals = state.proposals.saturating_sub(1);
                state.propose_ready().await;
                state.seal_if_due();
            }
            PartitionMessage::SealEnded => state.seal_under_way = false,
            PartitionMessage::Watched { is_told_anew } => state.watched(is_told_anew),
            PartitionMessage::Tick => {
                state.packing.give_up_scoring(Instant::now(), SCORING_DEADLINE);
                state.propose_ready().await;
                state.look_at_pressure();
                state.seal_if_due();
                state.look_at_heat();
                state.watch_if_due();
            }
            PartitionMessage::RestartShard(name) => {
                state.shards.restart(&myself, &name).await;
            }
            PartitionMessage::Fail => panic!("failing on purpose"),
            PartitionMessage::FailShard => state.shards.fail_one(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.shards.hear(&event);
        Ok(())
    }
}

impl State {
    async fn take(&mut self, myself: &ActorRef<Queued<PartitionMessage>>, chunk: ChunkWork) {
        let ticket = self.packing.push(chunk, Instant::now());
        if let Some(waiting) = self.packing.get_mut(ticket) {
            self.shards.score(myself, ticket, waiting, &mut self.heat).await;
        }
    }

    /// Packs what is ready into proposals while there is room for one more under way.
    async fn propose_ready(&mut self) {
        // While leadership changes hands, what is ready waits for whoever leads next.
        while self.proposals < packing::PROPOSALS_MAX && !self.arguments.group.group.is_handing_over() {
            let pack = self.packing.pack();
            if pack.is_empty() {
                return;
            }
            self.proposals += 1;
            self.propose(pack).await;
        }
    }

    async fn propose(&mut self, pack: Vec<Waiting>) {
        let created_at = self.arguments.clock.now();
        let mut chunks = Vec::with_capacity(pack.len());
        let mut waiting = Vec::with_capacity(pack.len());
        for Waiting { mut work, scores, .. } in pack {
            chunks.push(Chunk {
                identity: work.identity.clone(),
                records: work.records.clone(),
                scores: Arc::new(scores),
                dead_letters: std::mem::take(&mut work.dead_letters),
            });
            waiting.push(work);
        }
        let command = Command::Append(Append { created_at, chunks });
        let (begun, cluster) = (Instant::now(), Arc::clone(&self.arguments.cluster));
        let proposal = self.arguments.group.group.submit(command).await;
        let mailbox = self.arguments.mailbox.clone();
        tokio::spawn(async move {
            let applied = match proposal {
                Ok(proposal) => proposal.applied().await,
                Err(error) => Err(error),
            };
            if applied.is_ok() {
                cluster.commits.note(begun.elapsed());
            }
            answer_all(waiting, applied);
            drop(mailbox.send(PartitionMessage::Committed));
        });
    }

    fn seal_if_due(&mut self) {
        let head = self.arguments.group.replica.head_size();
        let rule = self.arguments.seal_rule;
        let due = head.records >= rule.head_records_max
            || head.bytes >= rule.head_bytes_max
            || self.pressure.wants_sealed(head.bytes, rule.head_bytes_max);
        let group = &self.arguments.group.group;
        if !due
            || !group.leadership().leads
            || group.is_handing_over()
            || self.seal_under_way
            || head.frozen_heads > 0
        {
            return;
        }
        self.seal_under_way = true;
        let (group, mailbox) = (self.arguments.group.group.clone(), self.arguments.mailbox.clone());
        tokio::spawn(async move {
            if let Err(error) = group.propose(Command::Seal).await {
                tracing::warn!(%error, "a seal was not committed; it is tried again");
            }
            drop(mailbox.send(PartitionMessage::SealEnded));
        });
    }
}

fn answer_all(waiting: Vec<ChunkWork>, applied: Result<Applied, ProposeError>) {
    match applied {
        Ok(Applied::Append(outcomes)) => {
            for (work, outcome) in waiting.into_iter().zip(outcomes) {
                work.answer(Ok(outcome));
            }
        }
        Ok(other) => {
            let error = IngestError::Unknown(format!("the log answered {other:?}"));
            waiting.into_iter().for_each(|work| work.answer(Err(error.clone())));
        }
        Err(error) => {
            let error = match error {
                ProposeError::Deposed | ProposeError::Stopped(_) => IngestError::Unknown(error.to_string()),
                // A leader that was deposed says this of entries that the next leader may still commit; the
                // same identity makes sending again safe.
                ProposeError::NotLeader { .. } => IngestError::Unknown("the leader was deposed".to_owned()),
                not_proposed => IngestError::Unavailable(not_proposed.to_string()),
            };
            waiting.into_iter().for_each(|work| work.answer(Err(error.clone())));
        }
    }
}
