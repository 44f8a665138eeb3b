//! A tail session actor.
//!
//! owns: one follower's filter, position and outgoing queue. hears: applied batches, its heartbeat.
//! tells: the follower's socket frames. bound: [`SESSION_FRAMES_MAX`] frames; when a live follower falls
//! behind, records are left out and counted, and it is told how many. on failure: ends; the follower
//! reconnects with its cursor and misses nothing.

use std::sync::Arc;
use std::time::Duration;

use insighthub_model::api::logs;
use insighthub_model::{Offset, PartitionId, Record};
use insighthub_storage::StoredBatch;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::partition::PartitionReplica;
use insighthub_storage::query::{Conditions, Filter, after_offset};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{mpsc, oneshot};

use super::elsewhere::Elsewhere;
use super::{TailCursor, TailFeed};
use crate::mailbox::{Mailbox, Queued};

/// Frames that wait for a follower's socket.
pub const SESSION_FRAMES_MAX: usize = 64;
/// Records of one frame: bounds its size and the delay of the next.
pub(super) const FRAME_RECORDS_MAX: usize = 500;
/// An empty frame this often tells the follower that silence is real.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What goes over the socket, as JSON.
pub type Frame = logs::Frame<Record>;

/// A follower's wish.
#[derive(Debug)]
pub struct OpenTail {
    pub conditions: Conditions,
    /// Where to continue, for every partition.
    pub cursor: TailCursor,
    /// Ends of the session: dropping the receiver ends it.
    pub frames: mpsc::Sender<Frame>,
}

/// What a session hears.
#[derive(Debug)]
pub(crate) enum SessionMessage {
    Applied(Arc<StoredBatch>),
    /// Matching records of a partition that is not on this node, and the offset after all looked at.
    Elsewhere {
        partition: PartitionId,
        records: Vec<Record>,
        next: Offset,
        taken: oneshot::Sender<()>,
    },
    /// First message: read what lies between the cursor and now.
    CatchUp,
    Heartbeat,
    Fail,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Session;

#[derive(Debug)]
pub(crate) struct SessionArguments {
    pub(crate) tail: OpenTail,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) feed: Arc<TailFeed>,
    pub(crate) mailbox: Mailbox<SessionMessage>,
}

#[derive(Debug)]
pub(crate) struct State {
    filter: Arc<Filter>,
    conditions: Conditions,
    frames: mpsc::Sender<Frame>,
    cluster: Arc<Cluster>,
    /// Where it is counted what is left out.
    feed: Arc<TailFeed>,
    mailbox: Mailbox<SessionMessage>,
    position: TailCursor,
    /// Partitions that are followed at a peer.
    elsewhere: Elsewhere,
    /// Left out and not yet announced.
    skipped: u64,
}

impl Actor for Session {
    type Msg = Queued<SessionMessage>;
    type State = State;
    type Arguments = SessionArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: SessionArguments,
    ) -> Result<State, ActorProcessingErr> {
        let OpenTail { conditions, cursor, frames } = arguments.tail;
        let mailbox = arguments.mailbox;
        myself.cast(mailbox.enqueue(SessionMessage::CatchUp))?;
        let heartbeat = mailbox.clone();
        myself.send_interval(HEARTBEAT, move || heartbeat.enqueue(SessionMessage::Heartbeat));
        Ok(State {
            filter: Arc::new(Filter::new(&conditions)?),
            elsewhere: Elsewhere::default(),
            conditions,
            frames,
            cluster: arguments.cluster,
            feed: arguments.feed,
            mailbox,
            position: cursor,
            skipped: 0,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            SessionMessage::Applied(batch) => state.applied(&batch).await?,
            SessionMessage::Elsewhere { partition, records, next, taken } => {
                state.heard_elsewhere(partition, records, next).await;
                // Whoever fetched them may fetch more.
                taken.send(()).ok();
            }
            SessionMessage::CatchUp => {
                state.catch_up(Pace::Follower).await?;
                state.follow_elsewhere();
                // Tells the follower that it is live, and from where.
                state.send(Vec::new(), None);
            }
            SessionMessage::Heartbeat => {
                state.catch_up(Pace::Live).await?;
                state.follow_elsewhere();
                state.send(Vec::new(), None);
            }
            SessionMessage::Fail => panic!("failing on purpose"),
        }
        if state.frames.is_closed() {
            myself.stop(None);
        }
        Ok(())
    }
}

/// Who sets the pace of a read from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// The follower: it asked for the past and gets all of it.
    Follower,
    /// The log: what the follower does not take in time is left out and counted.
    Live,
}

impl State {
    async fn applied(&mut self, batch: &Arc<StoredBatch>) -> Result<(), ActorProcessingErr> {
        let position = self.position.0.get(&batch.partition).copied().unwrap_or(0);
        if batch.end_offset() <= position {
            return Ok(());
        }
        let Some(group) = self.cluster.store.partition(batch.partition) else { return Ok(()) };
        // The hub left a batch out, or what is in it may be deleted since: the store knows.
        if batch.base_offset > position || batch.base_offset < group.replica.deleted_below() {
            return self.catch_up(Pace::Live).await;
        }
        let view = group.replica.view_of(batch);
        let sources: Vec<_> = view.sources().collect();
        let records = after_offset(&sources, &self.filter, position, batch.len())?;
        self.send_all(batch.partition, records, batch.end_offset(), Pace::Live).await;
        Ok(())
    }

    /// Reads everything between the position and the end of each partition from the store.
    async fn catch_up(&mut self, pace: Pace) -> Result<(), ActorProcessingErr> {
        for group in self.cluster.store.partitions() {
            let replica = group.replica;
            loop {
                let from = self.position.0.get(&replica.partition()).copied().unwrap_or(0);
                if from >= replica.status().next_offset || self.frames.is_closed() {
                    break;
                }
                let (replica_read, filter) = (Arc::clone(&replica), Arc::clone(&self.filter));
                let (records, next) =
                    tokio::task::spawn_blocking(move || read_after(&replica_read, &filter, from)).await??;
                self.send_all(replica.partition(), records, next, pace).await;
            }
        }
        Ok(())
    }

    /// Follows at a peer what is not on this node, and no longer what has come here.
    fn follow_elsewhere(&mut self) {
        let store = &self.cluster.store;
        for partition in store.all_partitions() {
            if store.partition(partition).is_some() {
                self.elsewhere.stop(partition);
            } else {
                let from = self.position.0.get(&partition).copied().unwrap_or(0);
                self.elsewhere.start(partition, from, &self.cluster, &self.conditions, &self.mailbox);
            }
        }
    }

    async fn heard_elsewhere(&mut self, partition: PartitionId, mut records: Vec<Record>, next: Offset) {
        let position = self.position.0.get(&partition).copied().unwrap_or(0);
        // The partition may have come to this node meanwhile.
        records.retain(|record| record.log_id.offset >= position);
        if next > position {
            self.send_all(partition, records, next, Pace::Live).await;
        }
    }

    /// Sends what was found in a partition up to `end` and moves the position there. Each frame carries the
    /// position after its own last record, so that a follower can continue in the middle of a batch.
    async fn send_all(&mut self, partition: PartitionId, mut records: Vec<Record>, end: Offset, pace: Pace) {
        loop {
            let rest = records.split_off(records.len().min(FRAME_RECORDS_MAX));
            let after =
                records.last().filter(|_| !rest.is_empty()).map_or(end, |last| last.log_id.offset + 1);
            match pace {
                _ if records.is_empty() => self.move_to(partition, after),
                Pace::Live => self.send(records, Some((partition, after))),
                Pace::Follower => {
                    self.move_to(partition, after);
                    let frame = Frame::of_records(records, self.position.to_string());
                    // Closed: noticed by the caller.
                    drop(self.frames.send(frame).await);
                }
            }
            if rest.is_empty() {
                return;
            }
            records = rest;
        }
    }

    fn move_to(&mut self, partition: PartitionId, offset: Offset) {
        self.position.0.insert(partition, offset);
    }

    /// Queues a frame that moves the position, or counts its records as skipped when the queue is full.
    fn send(&mut self, records: Vec<Record>, moves: Option<(PartitionId, Offset)>) {
        if self.skipped > 0 {
            // The position before this frame: what follows is not part of what was skipped.
            let frame = Frame::of_skipped(self.skipped, self.position.to_string());
            if self.frames.try_send(frame).is_ok() {
                self.skipped = 0;
            }
        }
        if let Some((partition, offset)) = moves {
            self.move_to(partition, offset);
        }
        let count = records.len() as u64;
        let frame = Frame::of_records(records, self.position.to_string());
        if self.skipped > 0 || self.frames.try_send(frame).is_err() {
            self.skipped += count;
            self.feed.count_skipped(count);
        }
    }
}

/// The matching records from `from` on, and the offset after everything that was looked at.
fn read_after(
    replica: &PartitionReplica,
    filter: &Filter,
    from: Offset,
) -> Result<(Vec<Record>, Offset), ActorProcessingErr> {
    let end = replica.status().next_offset;
    // Fails the session rather than skip what a lacking block holds: its follower goes elsewhere with its cursor.
    let view = replica.view_from(from).ok_or("a block is lacking on this node until a peer has sent it")?;
    let sources: Vec<_> = view.sources().collect();
    let records = after_offset(&sources, filter, from, FRAME_RECORDS_MAX)?;
    let next = match records.last() {
        Some(last) if records.len() >= FRAME_RECORDS_MAX => last.log_id.offset + 1,
        // The view is newer than `end` and may hold more.
        Some(last) => end.max(last.log_id.offset + 1),
        None => end,
    };
    Ok((records, next))
}
