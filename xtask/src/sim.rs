//! `cargo xtask sim`: builds the simulation and hands it its arguments.

use anyhow::Result;
use clap::Args;

use crate::step::{cargo, run as run_command};

#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Break something on purpose and stop at the first seed that notices: skip-sync,
    /// acknowledge-before-commit, drop-dedupe, drop-keys or serve-before-read-index.
    #[arg(long)]
    mutation: Option<String>,
    /// Print every event; RUST_LOG adds what the libraries log.
    #[arg(long)]
    trace: bool,
    /// Run each seed twice and compare the two runs.
    #[arg(long)]
    twice: bool,
}

pub(crate) fn run(arguments: &SimArguments) -> Result<()> {
    let SimArguments { seeds, first, mutation, trace, twice } = arguments;
    let mut command = cargo();
    command.args(["run", "--locked", "--quiet", "--package", "insighthub-simulation", "--"]);
    command.args(["--seeds", &seeds.to_string(), "--first", &first.to_string()]);
    if let Some(mutation) = mutation {
        command.args(["--mutation", mutation]);
    }
    command.args(trace.then_some("--trace"));
    command.args(twice.then_some("--twice"));
    run_command(&mut command)
}
