//! Measures how fast a node takes each protocol; `cargo xtask adapters-speed` builds what it needs and runs it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use insighthub_chaos_tests::adapter_speed::{Form, Plan, measure};
use insighthub_chaos_tests::interrupted::interrupted;

/// Send the same records in the form of every protocol, and compare with our own NDJSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// Records of each form in each round.
    #[arg(long, default_value_t = 200_000)]
    records: usize,
    /// Records of one request.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Rounds; the one in the middle counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only this form, beside NDJSON; may be given several times.
    #[arg(long = "form", value_enum)]
    forms: Vec<Form>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Dropped on Ctrl-C, so that the node ends too.
    let done = tokio::select! {
        done = run(&arguments) => done,
        error = interrupted() => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("adapters_speed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { records, batch, connections, rounds, .. } = *arguments;
    let is_chosen =
        |form: &Form| arguments.forms.is_empty() || *form == Form::Ndjson || arguments.forms.contains(form);
    let forms: Vec<Form> = Form::value_variants().iter().copied().filter(is_chosen).collect();
    println!("{records} records of each form, {batch} a request, {connections} connections, {rounds} rounds");
    let figures = measure(Plan { records, batch, connections, rounds }, &forms).await?;
    println!("\n{figures}");
    Ok(())
}
