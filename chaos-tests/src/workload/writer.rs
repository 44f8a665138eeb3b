//! One writer: posts batches to any live node, and repeats a batch elsewhere until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use insighthub_model::Timestamp;

use super::{Acked, Shared, WorkloadPlan};
use crate::api::{Answer, Api, Identity};
use crate::chaos_record::{ChaosRecord, RecordSource};
use crate::dice::Dice;
use crate::ledger::Judgement;

/// A node that does not answer by then is given up for this attempt; the batch may be stored or not.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(4);
/// A steady writer measures the cluster, not one node that hangs: it turns to another node soon.
const STEADY_ATTEMPT_WITHIN: Duration = Duration::from_millis(700);
const STEADY_PAUSE: Duration = Duration::from_millis(50);
/// After an attempt without an answer.
const RETRY_AFTER: Duration = Duration::from_millis(30);
/// A refusal that asks for more would stop the run.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);

/// How a writer goes about its work.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Batches have an identity and are repeated on other nodes until acknowledged.
    Persistent,
    /// Without identity each batch is sent once: what is not acknowledged is stored once or not at all.
    Once,
    /// One record at a time to one partition, as evenly as can be, for the gaps.
    Steady { partition: u16, service: String },
}

/// A writer with clients to every node.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    nodes: Vec<Api>,
    manner: Manner,
    source: RecordSource,
    batch_records_max: u64,
    pause: Duration,
    dice: Dice,
}

impl Writer {
    pub fn new(
        shared: Arc<Shared>,
        number: usize,
        manner: Manner,
        plan: &WorkloadPlan,
        start: Timestamp,
        mut dice: Dice,
    ) -> Result<Writer> {
        let is_steady = matches!(manner, Manner::Steady { .. });
        let within = if is_steady { STEADY_ATTEMPT_WITHIN } else { ATTEMPT_WITHIN };
        let nodes = shared.cluster.nodes.iter().map(|node| Api::patient(&node.url(), within));
        let nodes = nodes.collect::<Result<_>>()?;
        let source = RecordSource {
            writer: format!("w{number}"),
            seed: dice.throw(),
            start,
            broken_every: if is_steady { 0 } else { plan.broken_every },
        };
        let (batch_records_max, pause) =
            if is_steady { (1, STEADY_PAUSE) } else { (plan.batch_records_max, plan.pause) };
        Ok(Writer { shared, nodes, manner, source, batch_records_max, pause, dice })
    }

    pub async fn run(mut self) {
        let (mut number, mut sequence) = (0, 0);
        while !self.shared.is_over() {
            sequence += 1;
            let size = 1 + self.dice.below(self.batch_records_max);
            let batch: Vec<ChaosRecord> = (number..number + size).map(|number| self.record(number)).collect();
            number += size;
            self.shared.ledger().sending(&batch);
            let started = Instant::now();
            self.deliver(sequence, &batch).await;
            if !self.pause.is_zero() {
                let elapsed = match self.manner {
                    // Its own rest would be taken for a gap of the cluster.
                    Manner::Steady { .. } => Duration::ZERO,
                    // A cluster that needs longer is asked less often.
                    Manner::Persistent | Manner::Once => started.elapsed().min(Duration::from_secs(1)),
                };
                tokio::time::sleep(self.pause.max(elapsed)).await;
            }
        }
    }

    fn record(&self, number: u64) -> ChaosRecord {
        let record = self.source.record(number);
        match &self.manner {
            Manner::Steady { service, .. } => record.of_service(service),
            Manner::Persistent | Manner::Once => record,
        }
    }

    async fn deliver(&mut self, sequence: u64, batch: &[ChaosRecord]) {
        let body = ChaosRecord::lines(batch);
        let identity = Identity { producer: self.source.writer.clone(), sequence };
        let mut last_node = None;
        loop {
            let Some(node) = self.choose_node(last_node) else {
                // Everything is down: not even an attempt.
                tokio::time::sleep(RETRY_AFTER).await;
                continue;
            };
            let was_calm = self.shared.tally.is_calm();
            let answer = self.send(node, &identity, body.clone()).await;
            let (judgement, retry_after) = self.judge(node, batch, &answer, was_calm);
            if judgement != Judgement::Later || matches!(self.manner, Manner::Once) {
                return;
            }
            last_node = Some(node);
            tokio::time::sleep(retry_after).await;
        }
    }

    /// Any running node, but not the one that just failed if there is another.
    fn choose_node(&mut self, not: Option<usize>) -> Option<usize> {
        let up = self.shared.cluster.up();
        let others: Vec<usize> = up.iter().copied().filter(|node| Some(*node) != not).collect();
        self.dice.pick(if others.is_empty() { &up } else { &others }).copied()
    }

    async fn send(&self, node: usize, identity: &Identity, body: Vec<u8>) -> Result<Answer> {
        let api = self.nodes.get(node).ok_or_else(|| anyhow::anyhow!("there is no node {node}"))?;
        match self.manner {
            Manner::Once => api.ingest(&[("content-type", "application/x-ndjson")], body).await,
            Manner::Persistent | Manner::Steady { .. } => api.ingest_as(identity, &[], body).await,
        }
    }

    /// What the answer means, and how long to wait before another attempt.
    fn judge(
        &self,
        node: usize,
        batch: &[ChaosRecord],
        answer: &Result<Answer>,
        was_calm: bool,
    ) -> (Judgement, Duration) {
        let tally = &self.shared.tally;
        let mut ledger = self.shared.ledger();
        let judgement = match answer {
            Ok(answer) => ledger.judge(answer, batch),
            Err(_) => Judgement::Later,
        };
        tally.attempt(was_calm, judgement != Judgement::Later);
        if let Judgement::Promised { good } = judgement {
            drop(ledger);
            tally.acknowledged.fetch_add(good, Ordering::Relaxed);
            self.note_acknowledged(node, batch);
            return (judgement, Duration::ZERO);
        }
        ledger.retries += 1;
        let name = self.shared.cluster.nodes.get(node).map_or("", |node| &node.name);
        ledger.last_trouble = match answer {
            Ok(answer) => format!("{name}: {} {}", answer.status, answer.text),
            Err(error) => format!("{name}: {error:#}"),
        };
        let asked_for = answer.as_ref().ok().and_then(Answer::retry_after).unwrap_or(RETRY_AFTER);
        let retry_after = match self.manner {
            // It asks another node, to which the refusal does not apply.
            Manner::Steady { .. } => RETRY_AFTER,
            Manner::Persistent | Manner::Once => asked_for.clamp(RETRY_AFTER, RETRY_AFTER_MAX),
        };
        (judgement, retry_after)
    }

    fn note_acknowledged(&self, node: usize, batch: &[ChaosRecord]) {
        if let Manner::Steady { partition, .. } = &self.manner {
            self.shared.gaps().acknowledged(*partition, Instant::now());
        }
        let text = |record: &ChaosRecord, name: &str| {
            record.json.get(name).and_then(serde_json::Value::as_str).unwrap_or("").to_owned()
        };
        if let Some(record) = batch.iter().rev().find(|record| !record.is_broken)
            && let Ok(timestamp) = Timestamp::parse(&text(record, "timestamp"))
        {
            let (id, service) = (record.id.clone(), text(record, "service"));
            self.shared.remember(Acked { id, service, timestamp, node });
        }
    }
}
