//! The node's own log: on stderr, as text for people or JSON for machines.

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogConfig, LogFormat};

/// Starts the log; once per process.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).with_context(|| {
        format!("log.filter is {:?}: use for example info or info,openraft=warn", config.filter)
    })?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    let started = match config.format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log did not start: {error}"))
}
