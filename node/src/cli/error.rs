//! Why a command failed, as one sentence that says what to do next.

use std::time::Duration;

use crate::backup::BackupFault;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(
        "no node answers at {url}: start one with `insighthub serve --dev`, or name another with --url ({cause})"
    )]
    NoNode { url: String, cause: String },
    #[error(
        "the node at {url} did not answer within {} s: narrow the search with --from, or look at its /readyz",
        waited.as_secs()
    )]
    Timeout { url: String, waited: Duration },
    #[error(
        "the node wants to know who you are (401): pass --token, or --user and --password, or set INSIGHTHUB_TOKEN; it says: {message}"
    )]
    Unauthorized { message: String },
    #[error("you may not do this (403): sign in as an admin with --user and --password; it says: {message}")]
    Forbidden { message: String },
    #[error("the node refused (status {status}): {message}")]
    Refused { status: u16, message: String, retry_after: Option<Duration> },
    #[error("the answer of {url} cannot be read ({cause}): is this an InsightHub node of the same version?")]
    Unreadable { url: String, cause: String },
    #[error("{0}")]
    Argument(String),
    #[error("{0}")]
    Check(String),
    #[error(transparent)]
    Backup(#[from] BackupFault),
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
}

impl CliError {
    /// Whether the same request may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            CliError::NoNode { .. } | CliError::Timeout { .. } => true,
            CliError::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// How long the node asked to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            CliError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
