//! Batches to the cluster, some at a time; the checkpoint follows behind what is stored without a gap.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc::Receiver;

use super::checkpoint::Ledger;
use super::progress::Progress;
use super::reading::Batch;
use super::summary::{Example, Summary};
use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::files::delivery::{Patience, Receipt, deliver};
use crate::cli::files::lines::Place;

/// Enough to keep a cluster busy while each waits for disks.
const UNDER_WAY_MAX: usize = 4;
/// From the first that is not stored to the last that was sent. A node recognises many more.
const AHEAD_MAX: u64 = 64;
/// The checkpoint is written after so long, or so many batches; those since are sent again by an import that goes on.
const WRITTEN_EVERY: Duration = Duration::from_millis(250);
const WRITTEN_AFTER: u64 = 64;

/// What became of a batch.
struct Settled {
    next: (usize, Place),
    summary: Summary,
    unread: Option<(usize, Place)>,
}

/// An import under way.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) patience: Patience,
    pub(super) ledger: &'a mut Ledger,
    pub(super) progress: &'a mut Progress,
}

impl Sending<'_> {
    /// Sends until there are no more.
    pub(super) async fn run(&mut self, mut batches: Receiver<Batch>) -> Result<(), CliError> {
        let producer = self.ledger.checkpoint.producer.clone();
        let (client, patience) = (self.client, self.patience);
        let mut under_way = FuturesUnordered::new();
        let (mut settled, mut written) = (BTreeMap::new(), (Instant::now(), 0u64));
        let (mut last, mut is_over) = (self.ledger.checkpoint.sequence, false);
        while !(is_over && under_way.is_empty()) {
            let has_room =
                under_way.len() < UNDER_WAY_MAX && last < self.ledger.checkpoint.sequence + AHEAD_MAX;
            tokio::select! {
                batch = batches.recv(), if has_room && !is_over => match batch {
                    Some(batch) => {
                        last = batch.sequence;
                        under_way.push(settle(client, &producer, batch, patience));
                    }
                    None => is_over = true,
                },
                Some(outcome) = under_way.next(), if !under_way.is_empty() => {
                    let (sequence, outcome) = outcome?;
                    settled.insert(sequence, outcome);
                    written.1 += self.advance(&mut settled);
                    if written.0.elapsed() >= WRITTEN_EVERY || written.1 >= WRITTEN_AFTER {
                        self.ledger.write()?;
                        written = (Instant::now(), 0);
                    }
                }
            }
        }
        let is_done = self.ledger.checkpoint.file >= self.ledger.plan.len();
        self.ledger.checkpoint.is_done = is_done;
        self.ledger.write()?;
        if is_done { Ok(()) } else { Err(CliError::Check("the files were not read to their end".to_owned())) }
    }

    /// Takes what follows without a gap into the checkpoint; answers how many batches.
    fn advance(&mut self, settled: &mut BTreeMap<u64, Settled>) -> u64 {
        let checkpoint = &mut self.ledger.checkpoint;
        let mut count = 0;
        while let Some(Settled { next, summary, unread }) = settled.remove(&checkpoint.sequence) {
            checkpoint.sequence += 1;
            (checkpoint.file, checkpoint.place) = next;
            checkpoint.unread.extend(unread);
            self.progress.add(summary.read);
            checkpoint.summary.add(summary);
            count += 1;
        }
        count
    }
}

async fn settle(
    client: &Client,
    producer: &str,
    batch: Batch,
    patience: Patience,
) -> Result<(u64, Settled), CliError> {
    let Batch { sequence, path, body, lines, next, known: mut summary, unread } = batch;
    if !body.is_empty() {
        let receipt: Receipt = deliver(client, (producer, sequence), body, patience).await?;
        let accepted = receipt.accepted.unwrap_or(lines.len() as u64 - receipt.rejected);
        let line = |line: u64| lines.get(line.saturating_sub(1) as usize).copied().unwrap_or(0);
        let rejections = receipt.rejections.iter();
        let rejections = rejections.map(|one| Example::new(&path, line(one.line), one.reason.clone()));
        summary.add(Summary {
            stored: accepted,
            rejected: receipt.rejected,
            rejections: rejections.collect(),
            ..Summary::default()
        });
    }
    Ok((sequence, Settled { next, summary, unread }))
}
