//! Writers that send batches and repeat each under the same identity until it is acknowledged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinHandle;

use crate::api::{Answer, Api, Identity};
use crate::chaos_record::{ChaosRecord, RecordSource, mixed, now};
use crate::deadline::wait_until;
use crate::ledger::{Judgement, Ledger};

/// Short, so that a restarted node meets the retries at once.
const RETRY_EVERY: Duration = Duration::from_millis(10);

/// What the writers do.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    pub writers: u64,
    /// Batches hold 1 to this many records.
    pub batch_records_max: u64,
    /// Every so many records one is broken on purpose; 0 means none.
    pub broken_every: u64,
    pub seed: u64,
}

impl Default for LoadPlan {
    fn default() -> Self {
        LoadPlan { writers: 4, batch_records_max: 40, broken_every: 97, seed: 1 }
    }
}

/// Running writers.
#[derive(Debug)]
pub struct Load {
    ledger: Arc<Mutex<Ledger>>,
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

struct Writer {
    api: Api,
    source: RecordSource,
    plan: LoadPlan,
    ledger: Arc<Mutex<Ledger>>,
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub fn start(url: &str, plan: &LoadPlan) -> Result<Load> {
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let start = now();
        let mut writers = Vec::new();
        for number in 0..plan.writers {
            let source = RecordSource {
                writer: format!("w{number}"),
                seed: mixed(plan.seed ^ number),
                start,
                broken_every: plan.broken_every,
            };
            let writer = Writer {
                api: Api::new(url)?,
                source,
                plan: plan.clone(),
                ledger: Arc::clone(&ledger),
                acknowledged: Arc::clone(&acknowledged),
                stop: Arc::clone(&stop),
            };
            writers.push(tokio::spawn(writer.run()));
        }
        Ok(Load { ledger, acknowledged, stop, writers })
    }

    /// Records acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this many more records are acknowledged: the load really flows.
    pub async fn flows(&self, records: u64, within: Duration) -> Result<()> {
        let enough = self.acknowledged() + records;
        let what = format!("{records} more records are acknowledged");
        let flowed = wait_until(&what, within, || async move { self.acknowledged() >= enough }).await;
        flowed.with_context(|| {
            let ledger = self.ledger();
            let last = &ledger.last_trouble;
            format!(
                "{} acknowledged before; last trouble: {last}; violations: {:?}",
                ledger.acknowledged, ledger.violations
            )
        })
    }

    /// Lets every writer finish the batch it is at, and ends them.
    pub async fn finish(mut self, within: Duration) -> Result<Ledger> {
        self.stop.store(true, Ordering::Relaxed);
        let started = Instant::now();
        for writer in self.writers.drain(..) {
            let left = within.saturating_sub(started.elapsed());
            match tokio::time::timeout(left, writer).await {
                Ok(ended) => ended.context("a writer panicked")?,
                Err(_) => bail!("a writer's last batch was not acknowledged within {within:?}"),
            }
        }
        Ok(std::mem::take(&mut *self.ledger()))
    }

    /// Ends the writers at once: what they wait for stays unknown.
    pub async fn abandon(mut self) -> Ledger {
        for writer in self.writers.drain(..) {
            writer.abort();
            // An aborted task ends with an error by design.
            drop(writer.await);
        }
        std::mem::take(&mut *self.ledger())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for writer in &self.writers {
            writer.abort();
        }
    }
}

impl Writer {
    async fn run(self) {
        let (mut number, mut sequence) = (0, 0);
        while !self.stop.load(Ordering::Relaxed) {
            sequence += 1;
            let size = 1 + mixed(self.source.seed ^ sequence) % self.plan.batch_records_max;
            let batch: Vec<_> = (number..number + size).map(|number| self.source.record(number)).collect();
            number += size;
            self.ledger().sending(&batch);
            self.send_until_promised(sequence, &batch).await;
        }
    }

    async fn send_until_promised(&self, sequence: u64, batch: &[ChaosRecord]) {
        let mut body = Vec::new();
        for record in batch {
            body.extend_from_slice(record.json.to_string().as_bytes());
            body.push(b'\n');
        }
        let identity = Identity { producer: self.source.writer.clone(), sequence };
        loop {
            // No answer means unknown: the same identity makes it safe to ask again.
            let trouble = match self.api.ingest_as(&identity, &[], body.clone()).await {
                Ok(answer) if self.judge(&answer, batch) => return,
                Ok(answer) => format!("{} {}", answer.status, answer.text),
                Err(error) => format!("{error:#}"),
            };
            {
                let mut ledger = self.ledger();
                ledger.retries += 1;
                ledger.last_trouble = trouble;
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }

    /// Whether the batch is settled by this answer.
    fn judge(&self, answer: &Answer, batch: &[ChaosRecord]) -> bool {
        let judgement = self.ledger().judge(answer, batch);
        if let Judgement::Promised { good } = judgement {
            self.acknowledged.fetch_add(good, Ordering::Relaxed);
        }
        !matches!(judgement, Judgement::Later)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
