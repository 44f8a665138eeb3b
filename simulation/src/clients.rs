//! Those who use the cluster: writers that send a batch until it is acknowledged, a reader that asks any node,
//! one that changes the control state and one that deletes batches. What they see goes into the history.

use std::sync::Arc;
use std::time::Duration;

use insighthub_model::access::Scope;
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{Level, PartitionId, Timestamp};
use insighthub_storage::cluster::message::ChunkMessage;
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use insighthub_storage::control::{ControlCommand, ControlReply, ServiceToken, TokenCommand};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

use crate::appends::EPOCH_NANOS;
use crate::dice::Dice;
use crate::door::Ask;
use crate::history::History;
use crate::node::{Machine, PARTITIONS, Running};

pub(crate) const WRITERS: u64 = 3;
/// The writer that numbers its requests anew and begins again where it last wrote down to have been, as agents do that follow files:
/// its records are known by themselves.
const AGENT: u64 = 0;
/// The writers, the reader, the one of the control state and the one who deletes.
const SLOTS: u64 = WRITERS + 3;
/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(6);

/// What the driver tells the clients, and they it.
#[derive(Default)]
pub(crate) struct Progress {
    /// No fault is active any more.
    pub(crate) healed: bool,
    pub(crate) stopped: bool,
    /// Batches begun after the healing that were acknowledged, by writer.
    pub(crate) fresh_batches: [u64; WRITERS as usize],
    pub(crate) complete_reads_after_healing: u64,
    /// Tokens whose creation was acknowledged.
    pub(crate) tokens: Vec<String>,
    /// Clients that still run.
    pub(crate) running: usize,
}

/// What every client holds.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) seed: u64,
    pub(crate) machines: Arc<Mutex<Vec<Machine>>>,
    pub(crate) history: Arc<Mutex<History>>,
    pub(crate) progress: Arc<Mutex<Progress>>,
}

impl Client {
    /// Runs all of them until they are stopped.
    pub(crate) async fn run_all(self) -> turmoil::Result {
        self.progress.lock().running = SLOTS as usize;
        let mut tasks = Vec::new();
        for number in 0..WRITERS {
            tasks.push(tokio::spawn(self.clone().write(number)));
        }
        tasks.push(tokio::spawn(self.clone().read()));
        tasks.push(tokio::spawn(self.clone().control()));
        tasks.push(tokio::spawn(self.clone().delete()));
        for task in tasks {
            task.await?;
            self.progress.lock().running -= 1;
        }
        std::future::pending().await
    }

    fn is_stopped(&self) -> bool {
        self.progress.lock().stopped
    }

    /// A node that runs, if the one the dice choose does.
    fn any_node(&self, dice: &mut Dice) -> Option<Running> {
        let machines = self.machines.lock();
        let at = dice.within(0..machines.len() as u64) as usize;
        machines.get(at)?.running.lock().clone()
    }

    /// Asks a node; `None` when it is not there, stops or takes too long.
    async fn ask<T>(
        &self,
        pace: &mut Pace,
        patience: Duration,
        ask: impl FnOnce(oneshot::Sender<T>) -> Ask,
    ) -> Option<T> {
        pace.pause(1..4).await;
        let node = self.any_node(&mut pace.dice)?;
        let (sender, answer) = oneshot::channel();
        node.door.try_send(ask(sender)).ok()?;
        drop(node);
        let answer = tokio::time::timeout(patience, answer).await.ok()?.ok();
        pace.pause(1..4).await;
        answer
    }

    async fn write(self, number: u64) {
        let mut pace = Pace::new(self.seed, number);
        let name = format!("w{number}");
        let mut sequence = 0;
        let mut last = None;
        while !self.is_stopped() {
            sequence += 1;
            let partition = PartitionId(pace.dice.within(0..u64::from(PARTITIONS)) as u16);
            let new: Vec<String> =
                (0..pace.dice.within(1..7)).map(|row| format!("{name}/{sequence}/{row}")).collect();
            let (partition, messages) = match last.take() {
                Some((partition, again)) if number == AGENT && pace.dice.one_in(3) => {
                    (partition, [again, new.clone()].concat())
                }
                _ => (partition, new.clone()),
            };
            last = Some((partition, new));
            let chunk = chunk(&name, sequence, &messages, number == AGENT);
            let is_fresh = self.progress.lock().healed;
            self.history.lock().send(partition, &messages);
            if self.send(&mut pace, partition, chunk, &messages).await && is_fresh {
                let mut progress = self.progress.lock();
                if let Some(count) = progress.fresh_batches.get_mut(number as usize) {
                    *count += 1;
                }
            }
            pace.pause(5..120).await;
        }
    }

    /// Sends a batch until it is acknowledged, now and then giving up; true if it was.
    async fn send(
        &self,
        pace: &mut Pace,
        partition: PartitionId,
        chunk: ChunkMessage,
        messages: &[String],
    ) -> bool {
        for attempt in 0u64.. {
            if attempt > 0 && (self.is_stopped() || pace.dice.one_in(60)) {
                return false;
            }
            let within = Duration::from_millis(pace.dice.within(40..1_500));
            let chunk = chunk.clone();
            let ask = |answer| Ask::Append { partition, chunk, within, answer };
            match self.ask(pace, within, ask).await {
                Some(Ok(outcome @ (ChunkOutcome::Stored { .. } | ChunkOutcome::Duplicate))) => {
                    let mut history = self.history.lock();
                    history.counts.duplicates += u64::from(outcome == ChunkOutcome::Duplicate);
                    if let ChunkOutcome::Stored { known, .. } = outcome {
                        history.counts.known += u64::from(known);
                    }
                    history.counts.retried += u64::from(attempt > 0);
                    history.note("client", &format!("acknowledged p{partition} {messages:?} {outcome:?}"));
                    history.acknowledge(partition, messages);
                    return true;
                }
                Some(Ok(outcome)) => {
                    self.history.lock().violate(format!("{messages:?} was answered {outcome:?}"));
                    return false;
                }
                Some(Err(_)) | None => pace.pause(5..80).await,
            }
        }
        false
    }

    async fn read(self) {
        let mut pace = Pace::new(self.seed, WRITERS);
        while !self.is_stopped() {
            pace.pause(20..200).await;
            let service = format!("w{}", pace.dice.within(0..WRITERS));
            let before = {
                let history = self.history.lock();
                (history.acknowledged_count(), history.erased_count())
            };
            let healed = self.progress.lock().healed;
            let asked = service.clone();
            let ask = |answer| Ask::Search { service: asked, answer };
            let Some(Some(found)) = self.ask(&mut pace, PATIENCE, ask).await else { continue };
            let mut history = self.history.lock();
            history.counts.reads += 1;
            history.counts.uncertain_reads += u64::from(!found.uncertain.is_empty());
            history.note("client", &format!("read {} of {service}", found.records.len()));
            let prefix = format!("{service}/");
            history.check_read("a reader", &found.records, before, |(partition, message)| {
                !found.uncertain.contains(partition) && message.starts_with(&prefix)
            });
            if healed && found.uncertain.is_empty() {
                self.progress.lock().complete_reads_after_healing += 1;
            }
        }
    }

    async fn control(self) {
        let mut pace = Pace::new(self.seed, WRITERS + 1);
        let mut number = 0;
        while !self.is_stopped() {
            pace.pause(100..600).await;
            number += 1;
            let id = format!("token-{number}");
            let token = ServiceToken {
                name: id.clone(),
                service: Some("w0".into()),
                scopes: [Scope::Write].into(),
                secret_hash: [number; 32],
                created_at: Timestamp(EPOCH_NANOS),
                expires_at: None,
                last_used: None,
            };
            let command = ControlCommand::Token(TokenCommand::Create { id: id.clone(), token });
            let ask = |answer| Ask::Control { command, answer };
            if let Some(Ok(ControlReply::Done)) = self.ask(&mut pace, PATIENCE, ask).await {
                let mut history = self.history.lock();
                history.counts.control_changes += 1;
                history.note("client", &format!("control changed: {id}"));
                self.progress.lock().tokens.push(id);
            }
        }
    }
}

impl Client {
    /// Deletes a batch now and then.
    async fn delete(self) {
        let mut pace = Pace::new(self.seed, WRITERS + 2);
        while !self.is_stopped() {
            pace.pause(300..2_500).await;
            let at = pace.dice.roll();
            let Some(start) = self.history.lock().begin_erasing(at) else { continue };
            let asked = start.clone();
            let ask = |answer| Ask::Delete { start: asked, answer };
            if let Some(true) = self.ask(&mut pace, PATIENCE, ask).await {
                let mut history = self.history.lock();
                history.note("client", &format!("deleted {start}"));
                history.erase(&start);
            }
        }
    }
}

/// A client's dice and clock. It acts in milliseconds of its own, so that clients that are woken at once, as they
/// are in no certain order when a node dies, never act in the order they were woken.
struct Pace {
    dice: Dice,
    started: Instant,
    slot: u64,
}

impl Pace {
    fn new(seed: u64, slot: u64) -> Pace {
        Pace { dice: Dice::for_part(seed, 10 + slot), started: Instant::now(), slot }
    }

    async fn pause(&mut self, millis: std::ops::Range<u64>) {
        let earliest = self.started.elapsed().as_millis() as u64 + self.dice.within(millis);
        let slot = earliest.saturating_sub(self.slot).div_ceil(SLOTS) * SLOTS + self.slot;
        tokio::time::sleep_until(self.started + Duration::from_millis(slot)).await;
    }
}

fn chunk(producer: &str, sequence: u64, messages: &[String], keyed: bool) -> ChunkMessage {
    let mut builder = BatchBuilder::default();
    for (row, message) in messages.iter().enumerate() {
        let mut record = builder.record();
        if record.int("row", row as i64).is_err() {
            continue;
        }
        if keyed {
            record.key(xxh3_128(message.as_bytes()));
        }
        record.finish(FixedFields {
            service: producer,
            timestamp: Timestamp(EPOCH_NANOS + (sequence * 700_000_000) as i64 + row as i64),
            level: if sequence.is_multiple_of(5) { Level::Error } else { Level::Info },
            message,
            latency_ms: Some(sequence as f64),
            raw_bytes: 64,
        });
    }
    let identity = BatchIdentity::whole(producer, sequence);
    ChunkMessage { identity, records: EncodedBatch::new(builder.take()).to_bytes(), dead_letters: Vec::new() }
}
