//! Builds a node, optimised unless said otherwise, and a program of chaos-tests that measures it.

use std::process::Command;

use anyhow::Result;

use crate::dashboard::Profile;
use crate::step::{cargo, root, run as run_command, step, target};

/// Runs the program with these arguments and the node of this profile.
pub(crate) fn run(program: &str, profile: Profile, arguments: &[String]) -> Result<()> {
    step("build what measures", || {
        let wanted = ["--workspace", "--bin", "insighthub", "--bin", program];
        run_command(cargo().args(["build", "--locked"]).args(wanted))
    })?;
    let folder = match profile {
        Profile::Development => "debug",
        Profile::Release => {
            step("node: build (release)", || {
                run_command(cargo().args(["build", "--locked", "--package", "insighthub-node", "--release"]))
            })?;
            "release"
        }
    };
    let mut stopwatch = Command::new(target().join("debug").join(program));
    stopwatch.current_dir(root()).env("INSIGHTHUB_BIN", target().join(folder).join("insighthub"));
    step("measure", || run_command(stopwatch.args(arguments)))
}
