//! `cargo xtask adapters-speed`: builds the node as it is shipped, and measures how fast it takes each protocol.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::step::{cargo, root, run as run_command, step, target};

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
    step("build what measures", || {
        let wanted = ["--workspace", "--bin", "insighthub", "--bin", "adapters_speed"];
        run_command(cargo().args(["build", "--locked"]).args(wanted))
    })?;
    let profile = if arguments.debug { "debug" } else { "release" };
    if !arguments.debug {
        step("node: build (release)", || {
            run_command(cargo().args(["build", "--locked", "--package", "insighthub-node", "--release"]))
        })?;
    }
    let mut stopwatch = Command::new(target().join("debug").join("adapters_speed"));
    stopwatch.current_dir(root()).env("INSIGHTHUB_BIN", target().join(profile).join("insighthub"));
    step("measure", || run_command(stopwatch.args(&arguments.more)))
}
