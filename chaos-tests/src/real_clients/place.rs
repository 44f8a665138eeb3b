//! Where a client is to send, and as whom.

use std::net::SocketAddr;

/// One node's doors, and a token for one service.
#[derive(Debug, Clone)]
pub struct Place {
    pub http: SocketAddr,
    pub otlp: SocketAddr,
    pub syslog_tcp: SocketAddr,
    pub syslog_udp: SocketAddr,
    pub service: String,
    pub token: String,
}
