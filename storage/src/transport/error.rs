//! What can go wrong between nodes, in the terms a caller can act on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::options::SECRET_BYTES_MIN;

/// Why the transport did not start.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error(
        "cannot listen for peers on {address}: {source}; free the port or change the node's peer address"
    )]
    Listen { address: SocketAddr, source: io::Error },

    #[error("cannot use {} for TLS between peers: {reason}", path.display())]
    Tls { path: PathBuf, reason: String },

    #[error("the cluster's secret has {bytes} bytes; use at least {SECRET_BYTES_MIN} random ones")]
    ShortSecret { bytes: usize },

    #[error("a node's name is 1 to {bytes_max} bytes without control characters, not {name:?}")]
    Name { name: String, bytes_max: usize },
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no connection. Certainly not delivered.
    #[error("the peer cannot be reached: {reason}")]
    Unreachable { reason: String },

    /// Too much waits to be sent already. Certainly not delivered.
    #[error("the connection to the peer is busy: {queued_bytes_max} bytes wait to be sent; try again later")]
    Busy { queued_bytes_max: usize },

    /// The call does not fit a frame. Not sent.
    #[error("a call of {bytes} bytes is over the limit of {bytes_max}; split it")]
    TooLarge { bytes: usize, bytes_max: usize },

    /// One of the two nodes did not accept the other. Not sent.
    #[error("the connection was refused: {reason}")]
    Refused { reason: String },

    /// The answer did not come in time; the call may have been carried out.
    #[error("no answer within {} ms", waited.as_millis())]
    TimedOut { waited: Duration },

    /// The connection ended before the answer; the call may have been carried out.
    #[error("the connection was lost before the answer: {reason}")]
    ConnectionLost { reason: String },

    /// The peer's handler answered with an error.
    #[error("{0}")]
    Failed(String),
}

impl CallError {
    /// True if nothing of the call can have reached the peer's handler, so that repeating it is safe.
    pub fn was_certainly_not_delivered(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } | Self::TooLarge { .. } | Self::Refused { .. } => {
                true
            }
            Self::TimedOut { .. } | Self::ConnectionLost { .. } | Self::Failed(_) => false,
        }
    }
}
