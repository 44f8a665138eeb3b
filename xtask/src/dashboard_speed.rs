//! `cargo xtask dashboard-speed`: builds dashboard and node as they are shipped, and measures them in a real browser.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::browser;
use crate::dashboard::{self, Profile};
use crate::step::{cargo, root, run as run_command, step, target};

/// Measure the dashboard in a real browser: first paint, bytes, smoothness at 5,000 records a second, delay.
///
/// Prints a table with what is aimed at. Fails only if something cannot be measured. The machine should do nothing else.
#[derive(Debug, Args)]
pub(crate) struct DashboardSpeedArguments {
    /// Measure an unoptimised node: quicker to build, and its figures mean little.
    #[arg(long)]
    debug: bool,
    /// More for what measures, such as `-- --rate 10000 --seconds 60`.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &DashboardSpeedArguments) -> Result<()> {
    browser::ensure()?;
    dashboard::build(Profile::Release)?;
    step("build what measures", || {
        let wanted = ["--workspace", "--bin", "insighthub", "--bin", "dashboard_speed"];
        run_command(cargo().args(["build", "--locked"]).args(wanted))
    })?;
    let profile = if arguments.debug { "debug" } else { "release" };
    if !arguments.debug {
        step("node: build (release)", || {
            run_command(cargo().args(["build", "--locked", "--package", "insighthub-node", "--release"]))
        })?;
    }
    let mut stopwatch = Command::new(target().join("debug").join("dashboard_speed"));
    stopwatch.current_dir(root()).env("INSIGHTHUB_BIN", target().join(profile).join("insighthub"));
    step("measure", || run_command(stopwatch.args(&arguments.more)))
}
