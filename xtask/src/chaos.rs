//! `cargo xtask chaos`: builds the node and the chaos runner, runs one scenario, keeps its summary.

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::step::{cargo, root, run as run_command, shown, step, target};

/// Break a cluster of real processes on purpose and check that nothing is lost, doubled or altered.
///
/// Everything runs on this machine. What needs root or a missing program is left out of `all` and
/// refused elsewhere with a word on what to install.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  cargo xtask chaos --list
  cargo xtask chaos --scenario leader-kills --seed 7 --minutes 5
  cargo xtask chaos --scenario all --seed 1 --minutes 30 --nodes 5 --release")]
pub(crate) struct ChaosArguments {
    /// Name the scenarios and end.
    #[arg(long)]
    list: bool,
    /// What to break.
    #[arg(long, value_name = "NAME", default_value = "all")]
    scenario: String,
    /// The same seed gives the same schedule of faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long faults go on; founding, healing and checking come on top.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Nodes of the cluster.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// Run optimised nodes, for figures that mean something.
    #[arg(long)]
    release: bool,
    /// Leave configuration and output of the nodes where they are also if the run passes.
    #[arg(long)]
    keep_files: bool,
    /// More for the runner, such as `-- --set INSIGHTHUB_RAFT__HEARTBEAT_MS=100`.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &ChaosArguments) -> Result<()> {
    let profile = if arguments.release { "release" } else { "debug" };
    step("build the chaos runner", || {
        run_command(cargo().args([
            "build",
            "--locked",
            "--package",
            "insighthub-chaos-tests",
            "--bin",
            "chaos",
        ]))
    })?;
    let mut runner = Command::new(target().join("debug").join("chaos"));
    runner.current_dir(root());
    if arguments.list {
        return run_command(runner.arg("--list"));
    }
    step("build the node", || {
        let mut build = cargo();
        build.args(["build", "--locked", "--package", "insighthub-node", "--bin", "insighthub"]);
        if arguments.release {
            build.arg("--release");
        }
        run_command(&mut build)
    })?;
    let results = target().join("chaos");
    std::fs::create_dir_all(&results)?;
    let name = format!("{}-{}.json", arguments.scenario, arguments.seed);
    runner.args(["--scenario", &arguments.scenario]).arg("--json").arg(results.join(name));
    for (flag, value) in [
        ("--seed", arguments.seed.to_string()),
        ("--minutes", arguments.minutes.to_string()),
        ("--nodes", arguments.nodes.to_string()),
    ] {
        runner.args([flag, &value]);
    }
    if arguments.keep_files {
        runner.arg("--keep-files");
    }
    runner.args(&arguments.more).env("INSIGHTHUB_BIN", target().join(profile).join("insighthub"));
    println!("==> {}", shown(&runner));
    let status = runner.status()?;
    if !status.success() {
        bail!("scenario {} with seed {} did not pass ({status})", arguments.scenario, arguments.seed);
    }
    Ok(())
}
