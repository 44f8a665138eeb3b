//! A follower of the live tail that goes on at another node, by its cursor, whenever a node leaves it.
//!
//! It must see every acknowledged record once and each partition in order; what a node skips it must
//! count.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_model::{LogId, Offset, PartitionId};
use serde_json::Value;

use super::Shared;
use crate::dice::Dice;
use crate::ledger::{Fate, Ledger};
use crate::live_tail::{Frame, LiveTail};

/// Frames come at least as often as heartbeats; a node that sends nothing for so long hangs.
const FRAME_WITHIN: Duration = Duration::from_secs(20);
const OPEN_WITHIN: Duration = Duration::from_secs(4);
/// After a node could not be followed.
const RESUME_AFTER: Duration = Duration::from_millis(100);
/// For what was acknowledged last to arrive once writing is over.
pub const COMPLETE_WITHIN: Duration = Duration::from_secs(45);
/// A frame every so often lets the end of the run be noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without a word a paused or cut-off node is left for another after this long, in the end.
const LAST_FRAME_WITHIN: Duration = Duration::from_secs(2);

/// A follower and what it saw.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    dice: Dice,
    cursor: String,
    tail: Option<LiveTail>,
    /// When the last frame came.
    heard: Instant,
    seen: Followed,
}

/// What a follower saw.
#[derive(Debug, Default)]
pub struct Followed {
    /// Where it began.
    pub node: String,
    pub ids: HashSet<String>,
    pub skipped: u64,
    pub resumes: u64,
    pub violations: Vec<String>,
    last: HashMap<PartitionId, Offset>,
    /// Where offsets of a partition are left out; for the message, the counts decide.
    jumps: Vec<String>,
}

impl Follower {
    /// Opens a tail at one node, from now on.
    pub async fn open(shared: Arc<Shared>, number: usize, dice: Dice) -> Result<Follower> {
        let node = shared.cluster.node(number)?;
        let mut tail = LiveTail::open(&node.url(), &[]).await?;
        let first = tail.next(OPEN_WITHIN).await?;
        let cursor = first.cursor.context("the first frame of a tail has no cursor")?;
        let seen = Followed { node: node.name.clone(), ..Followed::default() };
        Ok(Follower { shared, dice, cursor, tail: Some(tail), heard: Instant::now(), seen })
    }

    /// Follows until writing is over and everything acknowledged was seen, or time is up.
    pub async fn run(mut self) -> Followed {
        let (mut over_since, mut looked) = (None, Instant::now());
        loop {
            if self.shared.is_quiet() {
                let since = *over_since.get_or_insert_with(Instant::now);
                let is_late = since.elapsed() > COMPLETE_WITHIN;
                // The ledger is large and other clients need it: looked at once in a while only.
                if looked.elapsed() > LOOK_EVERY {
                    if is_late || self.seen.missing(&self.shared.ledger()).is_empty() {
                        return self.seen;
                    }
                    looked = Instant::now();
                }
            }
            if self.follow().await.is_err() {
                self.tail = None;
                self.seen.resumes += 1;
                self.shared.tally.tail_resumes.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(RESUME_AFTER).await;
            }
        }
    }

    async fn follow(&mut self) -> Result<()> {
        let mut tail = match self.tail.take() {
            Some(tail) => tail,
            None => self.resume().await?,
        };
        match tokio::time::timeout(LOOK_EVERY, tail.next(FRAME_WITHIN)).await {
            Ok(frame) => {
                let frame = frame?;
                self.heard = Instant::now();
                self.seen.take(&frame);
                self.cursor = frame.cursor.unwrap_or(std::mem::take(&mut self.cursor));
            }
            Err(_) => {
                // In the end a quiet node is left sooner: it may not know that it is cut off.
                let patience = if self.shared.is_quiet() { LAST_FRAME_WITHIN } else { FRAME_WITHIN };
                ensure!(self.heard.elapsed() < patience, "no frame within {patience:?}");
            }
        }
        self.tail = Some(tail);
        Ok(())
    }

    async fn resume(&mut self) -> Result<LiveTail> {
        let up = self.shared.cluster.up();
        let number = *self.dice.pick(&up).context("no node runs")?;
        let url = self.shared.cluster.node(number)?.url();
        let parameters = [("cursor", self.cursor.as_str())];
        self.heard = Instant::now();
        tokio::time::timeout(OPEN_WITHIN, LiveTail::open(&url, &parameters)).await.context("no answer")?
    }
}

impl Followed {
    fn take(&mut self, frame: &Frame) {
        self.skipped += frame.skipped;
        for record in &frame.records {
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or("");
            let Ok(log_id) = text("log_id").parse::<LogId>() else {
                self.violations
                    .push(format!("a record on the tail of {} has no log id: {record}", self.node));
                continue;
            };
            // Offsets of a partition only grow: this finds what comes twice as well as what comes late.
            match self.last.insert(log_id.partition, log_id.offset) {
                Some(last) if log_id.offset <= last => self.violations.push(format!(
                    "the follower that began at {} got {log_id} after offset {last:x} of the same partition",
                    self.node
                )),
                Some(last) if log_id.offset > last + 1 => self.jumps.push(format!(
                    "{log_id} after offset {last:x}, after {} resumes, with cursor {:?}",
                    self.resumes, frame.cursor
                )),
                _ => {}
            }
            if !self.ids.insert(text("chaos_id").to_owned()) {
                self.violations.push(format!(
                    "{} came twice on the tail begun at {}",
                    text("chaos_id"),
                    self.node
                ));
            }
        }
    }

    /// Acknowledged records that it did not see.
    pub fn missing<'a>(&self, ledger: &'a Ledger) -> Vec<&'a str> {
        let records = ledger.records.iter();
        let acknowledged = records.filter(|(_, sent)| sent.fate == Fate::Acknowledged);
        acknowledged.map(|(id, _)| id.as_str()).filter(|id| !self.ids.contains(*id)).collect()
    }

    /// What this follower's run says against the cluster.
    pub fn trouble(&self, ledger: &Ledger) -> Vec<String> {
        let mut trouble = self.violations.clone();
        let missing = self.missing(ledger);
        if missing.len() as u64 > self.skipped {
            trouble.push(format!(
                "the follower that began at {} missed {} acknowledged records and was told of {} skipped, such as {:?}; jumps: {:?}",
                self.node,
                missing.len(),
                self.skipped,
                missing.first(),
                self.jumps,
            ));
        }
        let phantoms = self.ids.iter().filter(|id| !ledger.records.contains_key(*id));
        trouble.extend(phantoms.map(|id| format!("{id:?} was on the tail of {} and never sent", self.node)));
        trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos_record::{ChaosRecord, RecordSource};
    use serde_json::json;

    fn sent() -> (Ledger, Vec<ChaosRecord>) {
        let source = RecordSource {
            writer: "w".to_owned(),
            seed: 5,
            start: insighthub_model::Timestamp(0),
            broken_every: 0,
        };
        let batch: Vec<ChaosRecord> = (0..10).map(|number| source.record(number)).collect();
        let mut ledger = Ledger::default();
        ledger.sending(&batch);
        ledger.promised(&batch);
        (ledger, batch)
    }

    fn trouble(offsets: &[usize], skipped: u64) -> usize {
        let (ledger, batch) = sent();
        let records = offsets
            .iter()
            .map(|offset| json!({"log_id": format!("0001-{offset:012x}"), "chaos_id": batch[*offset].id}));
        let frame = Frame { records: records.collect(), skipped, cursor: None, arrived: Instant::now() };
        let mut followed = Followed::default();
        followed.take(&frame);
        followed.trouble(&ledger).len()
    }

    #[test]
    fn all_records_in_order_are_no_trouble_and_a_counted_gap_neither() {
        assert_eq!(trouble(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0), 0);
        assert_eq!(trouble(&[0, 1, 2, 5, 6, 7, 8, 9], 2), 0);
    }

    #[test]
    fn an_uncounted_gap_a_double_and_a_swap_are_found() {
        assert_eq!(trouble(&[0, 1, 2, 4, 5, 6, 7, 8, 9], 0), 1, "a gap");
        assert_eq!(trouble(&[0, 1, 2, 5, 6, 7, 8, 9], 1), 1, "a gap counted too small");
        assert_eq!(trouble(&[0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9], 0), 2, "a double: its place and its id");
        assert_eq!(trouble(&[0, 2, 1, 3, 4, 5, 6, 7, 8, 9], 0), 1, "a swap");
    }
}
