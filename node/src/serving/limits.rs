//! The bounds on connections of clients, each with its reason.

use std::time::Duration;

use crate::open_files;

/// From the first byte of a request's head to its last; and how long a new connection may say nothing. A slow-loris attack
/// holds a place for so long only.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A connection between two requests: longer than clients and proxies keep theirs, mostly.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(75);
/// A request of which nothing moves, neither in nor out: above the 300 s that a query may be given.
pub(super) const STALLED_MAX: Duration = Duration::from_secs(330);
/// A client of whom nothing has come for so long is asked by the system whether it is there.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Connections that wait to be accepted.
pub(super) const BACKLOG: u32 = 4_096;
/// How often a connection is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// All headers of a request: eight times what browsers send.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Requests at once on one HTTP/2 connection: what browsers expect.
pub(super) const STREAMS_MAX: u32 = 100;
/// Streams that a client has reset before they were looked at; beyond, its connection is closed (rapid reset).
pub(super) const RESET_STREAMS_MAX: usize = 20;
/// Streams that this node has reset for a client's mistakes; beyond, its connection is closed.
pub(super) const MISTAKEN_STREAMS_MAX: usize = 64;
/// What a client may send ahead of what is read: of one stream, and of all streams of a connection.
pub(super) const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
pub(super) const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// What waits to be written to one stream.
pub(super) const SEND_BUFFER_BYTES_MAX: usize = 256 * 1024;
/// A client of HTTP/2 that is silent is asked whether it is there, and must answer.
pub(super) const PING_EVERY: Duration = Duration::from_secs(20);
pub(super) const PONG_WITHIN: Duration = Duration::from_secs(20);

/// Connections where the configuration says nothing: ten thousand idle ones cost some tens of MiB.
const CONNECTIONS_DEFAULT: usize = 10_000;
/// How many connections of clients there may be: what is configured, as far as the system's limit on open files allows.
pub(super) fn connections_max(configured: Option<usize>) -> usize {
    let wanted = configured.unwrap_or(CONNECTIONS_DEFAULT);
    let allowed = open_files::connections_max();
    if configured.is_some() && allowed < wanted {
        tracing::warn!(
            allowed,
            "http.connections_max is {wanted}, but the limit on open files (ulimit -n) allows fewer connections"
        );
    }
    wanted.min(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_configured_holds_as_far_as_the_system_allows() {
        assert_eq!(connections_max(Some(7)), 7);
        assert_eq!(connections_max(Some(usize::MAX)), open_files::connections_max());
    }
}
