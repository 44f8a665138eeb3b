//! `cargo xtask adapters-speed`: builds the node as it is shipped, and measures how fast it takes each protocol.

use anyhow::Result;
use clap::Args;

use crate::dashboard::Profile;
use crate::measuring;

/// Measure how fast a node takes the same records in the form of each protocol, against its own NDJSON.
///
/// Prints a table with rates, processor time and ratios. Fails if a record is missing. The machine should do nothing else.
#[derive(Debug, Args)]
pub(crate) struct AdaptersSpeedArguments {
    /// Measure an unoptimised node: quicker to build, and its figures mean little.
    #[arg(long)]
    debug: bool,
    /// More for what measures, such as `-- --records 1000000 --form syslog`.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &AdaptersSpeedArguments) -> Result<()> {
    let profile = if arguments.debug { Profile::Development } else { Profile::Release };
    measuring::run("adapters_speed", profile, &arguments.more)
}
