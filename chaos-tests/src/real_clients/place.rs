//! Where a client is to send, and as whom.

use std::net::SocketAddr;
use std::path::PathBuf;

/// One node's doors, and a token for one service.
#[derive(Debug, Clone)]
pub struct Place {
    pub http: SocketAddr,
    pub otlp: SocketAddr,
    pub syslog_tcp: SocketAddr,
    pub syslog_udp: SocketAddr,
    pub syslog_tls: SocketAddr,
    /// Has what the documentation has in `/etc/ssl/insighthub`.
    pub certificates: PathBuf,
    pub service: String,
    pub token: String,
}
