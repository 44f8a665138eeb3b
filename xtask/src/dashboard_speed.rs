//! `cargo xtask dashboard-speed`: builds dashboard and node as they are shipped, and measures them in a real browser.

use anyhow::Result;
use clap::Args;

use crate::browser;
use crate::dashboard::{self, Profile};
use crate::measuring;

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
    let profile = if arguments.debug { Profile::Development } else { Profile::Release };
    measuring::run("dashboard_speed", profile, &arguments.more)
}
