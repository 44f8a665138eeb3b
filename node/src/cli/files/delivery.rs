//! One batch to the cluster, however long it takes: sent again under the same identity until a node says what became
//! of it.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::terminal::note;

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A node that asks for more is asked again all the same.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// What passes within this is nothing a person must know.
const QUIET: Duration = Duration::from_secs(3);

/// What a node says of a batch.
#[derive(Debug, Deserialize)]
pub(crate) struct Receipt {
    /// Absent in the answer to a single record.
    pub(crate) accepted: Option<u64>,
    #[serde(default)]
    pub(crate) rejected: u64,
    #[serde(default)]
    pub(crate) rejections: Vec<Rejection>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rejection {
    /// The line of the body, from 1.
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// How long to go on where no node takes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Endless,
    For(Duration),
}

/// Sends until the batch is stored, or refused for good.
pub(crate) async fn deliver(
    client: &Client,
    (producer, sequence): (&str, u64),
    body: Bytes,
    patience: Patience,
) -> Result<Receipt, CliError> {
    let (begun, mut backoff, mut is_told) = (Instant::now(), BACKOFF_FIRST, false);
    loop {
        let error = match client.deliver_batch(producer, sequence, body.clone()).await {
            Ok(receipt) => return Ok(receipt),
            Err(error) => error,
        };
        let waited = begun.elapsed();
        if !error.is_passing() || matches!(patience, Patience::For(most) if waited > most) {
            return Err(error);
        }
        if waited > QUIET && !std::mem::replace(&mut is_told, true) {
            note(&format!("{error}; trying again"));
        }
        // Under the same identity it is stored once, whichever node takes it.
        client.try_next_node();
        tokio::time::sleep(error.retry_after().unwrap_or(backoff).min(RETRY_AFTER_MAX)).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}
