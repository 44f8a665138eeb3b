//! `cargo xtask chaos` runs this: one scenario, or all of them, against a cluster of real processes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use insighthub_chaos_tests::chaos_run::run;
use insighthub_chaos_tests::cluster::Between;
use insighthub_chaos_tests::interrupted::interrupted;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::run_options::RunOptions;
use insighthub_chaos_tests::summary::Summary;

/// Break a cluster on purpose and check that nothing is lost, invented, doubled or altered.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// What to break; `--list` names them.
    #[arg(long, default_value = "all")]
    scenario: String,
    /// The same seed gives the same schedule.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long faults go on.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Nodes of the cluster: 1, 3 or 5.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    #[arg(long, default_value_t = 4)]
    partitions: u16,
    /// Time between two batches of a writer; 0 writes as fast as the cluster answers [default: 40, or 0
    /// where throughput is measured].
    #[arg(long, value_name = "MS")]
    pause_ms: Option<u64>,
    /// Clients that ask one node for what another has just acknowledged.
    #[arg(long, default_value_t = 4)]
    readers: u64,
    /// Cut links between network namespaces instead of relays; needs root.
    #[arg(long)]
    namespaces: bool,
    /// A setting of the nodes, as in INSIGHTHUB_RAFT__HEARTBEAT_MS=100; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Write the summary there as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the nodes' files where they are also if the run passes.
    #[arg(long)]
    keep_files: bool,
    /// Name the scenarios and end.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        for scenario in Scenario::EVERY {
            println!("{:<16} {}", scenario.name(), scenario.about());
        }
        return ExitCode::SUCCESS;
    }
    // Dropped on Ctrl-C and SIGTERM, so that nodes, mounts and namespaces go too.
    let done = tokio::select! {
        done = do_it(&arguments) => done,
        error = interrupted() => Err(error),
    };
    match done {
        Ok(summary) if summary.passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn do_it(arguments: &Arguments) -> Result<Summary> {
    let scenario = Scenario::named(&arguments.scenario)
        .with_context(|| format!("no scenario {:?}; `--list` names them", arguments.scenario))?;
    let length = Duration::try_from_secs_f64(arguments.minutes * 60.0).context("--minutes")?;
    let mut options = RunOptions::new(scenario, arguments.seed, length);
    options.nodes = arguments.nodes;
    options.partitions = arguments.partitions;
    options.keep_files = arguments.keep_files;
    options.workload.readers = arguments.readers;
    if arguments.namespaces {
        options.between = Between::Namespaces;
    }
    if let Some(pause_ms) = arguments.pause_ms {
        options.workload.pause = Duration::from_millis(pause_ms);
    }
    for setting in &arguments.settings {
        let (name, value) = setting.split_once('=').with_context(|| format!("--set {setting}: no ="))?;
        options.environment.push((name.to_owned(), value.to_owned()));
    }
    let summary = run(&options).await?;
    println!("{summary}");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&summary)?;
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
        println!("  written to {}", path.display());
    }
    Ok(summary)
}
