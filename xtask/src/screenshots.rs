//! `cargo xtask screenshots`: builds the dashboard and the node, and has pictures taken of every page.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::browser;
use crate::dashboard::{self, Profile};
use crate::step::{cargo, node_binary, root, run as run_command, step, target};

/// Take pictures of every page of the dashboard into docs/screenshots.
///
/// Starts a cluster of three with a day of demo traffic, and takes each page in a real browser: light and dark, on a desktop and
/// on a phone. Fails if a page shows an error.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  cargo xtask screenshots
  cargo xtask screenshots --page live --page alerts --out /tmp/pictures")]
pub(crate) struct ScreenshotsArguments {
    /// Only this page; may be given several times.
    #[arg(long = "page", value_name = "NAME")]
    pages: Vec<String>,
    /// Write the pictures here.
    #[arg(long, value_name = "FOLDER", default_value = "docs/screenshots")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &ScreenshotsArguments) -> Result<()> {
    browser::ensure()?;
    dashboard::build(Profile::Release)?;
    step("build node and photographer", || {
        // All of the workspace is named: with fewer crates their libraries would have other features, and be compiled again.
        let wanted = ["--workspace", "--bin", "insighthub", "--bin", "screenshots"];
        run_command(cargo().args(["build", "--locked"]).args(wanted))
    })?;
    let mut photographer = Command::new(target().join("debug").join("screenshots"));
    photographer.current_dir(root()).env("INSIGHTHUB_BIN", node_binary());
    photographer.arg("--out").arg(root().join(&arguments.out));
    for page in &arguments.pages {
        photographer.args(["--page", page]);
    }
    step("take pictures", || run_command(&mut photographer))
}
