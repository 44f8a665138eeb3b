//! Sends batches under an identity and repeats them under the same one until they are acknowledged.

use std::time::Duration;

use insighthub_model::Timestamp;
use serde::Deserialize;

use super::record::DemoRecord;
use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::terminal::note;

/// Longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
const BACKOFF_FIRST: Duration = Duration::from_millis(200);

/// Sends batch after batch, one at a time.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    producer: String,
    sequence: u64,
    accepted: u64,
    rejected: u64,
    retries: u64,
}

#[derive(Deserialize)]
struct Reply {
    /// Absent in the reply to a single record.
    accepted: Option<u64>,
    #[serde(default)]
    rejected: u64,
}

impl Sender {
    /// The time of the start tells this run's batches from those of any run before.
    pub(super) fn new(client: Client, started: Timestamp) -> Sender {
        let producer = format!("demo-{:x}-{:x}", started.0, std::process::id());
        Sender { client, producer, sequence: 0, accepted: 0, rejected: 0, retries: 0 }
    }

    pub(super) async fn send(&mut self, records: &[DemoRecord]) -> Result<(), CliError> {
        let mut body = Vec::new();
        for record in records {
            serde_json::to_writer(&mut body, record)
                .map_err(|error| CliError::Argument(format!("a record cannot be written: {error}")))?;
            body.push(b'\n');
        }
        let body = bytes::Bytes::from(body);
        self.sequence += 1;
        let mut backoff = BACKOFF_FIRST;
        loop {
            match self.client.post_batch::<Reply>(&self.producer, self.sequence, body.clone()).await {
                Ok(reply) => {
                    self.accepted += reply.accepted.unwrap_or(records.len() as u64);
                    self.rejected += reply.rejected;
                    return Ok(());
                }
                // Before anything was taken the address is likely wrong: say so instead of waiting.
                Err(error) if !error.is_passing() || self.accepted == 0 => return Err(error),
                Err(error) => {
                    self.retries += 1;
                    note(&format!("{error}; trying again"));
                    // Under the same identity it is stored once, whichever node takes it.
                    self.client.try_next_node();
                    tokio::time::sleep(error.retry_after().unwrap_or(backoff).min(BACKOFF_MAX)).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    pub(super) fn progress(&self, news: &str) -> String {
        let Sender { accepted, rejected, retries, .. } = self;
        format!("{accepted} records sent, {rejected} rejected, {retries} retries{news}")
    }
}
