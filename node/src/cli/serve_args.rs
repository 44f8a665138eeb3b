//! What `insighthub serve` is told. Parsed here, acted on by `boot`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Start a node and serve until it is told to stop.
///
/// Without a configuration file the node is a cluster of one with safe defaults. At its first start
/// it prints the password of the user `admin` once, then the address it listens on.
/// Ctrl-C and SIGTERM stop it gracefully: what it acknowledged is on disk.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "Examples:
  insighthub serve --dev                                 try it out on this machine
  insighthub serve --dev --http 127.0.0.1:0              let the system choose a free port
  insighthub serve --config cluster.toml --node n1       one node of a cluster
  INSIGHTHUB_LIMITS__BODY_BYTES_MAX=1048576 insighthub serve --dev")]
pub struct ServeArgs {
    /// The development profile: anonymous callers on this machine may send and read logs.
    ///
    /// Refused on any address but loopback.
    #[arg(long)]
    pub dev: bool,

    /// The cluster's configuration.
    #[arg(long, value_name = "FILE", env = "INSIGHTHUB_CONFIG")]
    pub config: Option<PathBuf>,

    /// Which of the configuration's nodes this one is; not needed where it names only one.
    #[arg(long, value_name = "NAME", env = "INSIGHTHUB_NODE")]
    pub node: Option<String>,

    /// Where the node keeps everything it stores [default: data].
    #[arg(long, value_name = "DIR", env = "INSIGHTHUB_DATA")]
    pub data: Option<PathBuf>,

    /// Address to listen on; overrides the configuration; port 0 lets the system choose
    /// [default: 127.0.0.1:8000].
    #[arg(long, value_name = "ADDR", env = "INSIGHTHUB_HTTP")]
    pub http: Option<SocketAddr>,
}
