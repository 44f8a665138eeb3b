//! `insighthub bench`: measures a node from outside, the way a client sees it.

mod corpus;
mod figures;
mod ingest;
mod loader;
mod server_process;

use clap::{Args, Subcommand};

use super::error::CliError;

/// Measure how fast a node takes logs, and what that costs it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub bench ingest                                          a million records, 4 connections
  insighthub bench ingest --records 5000000 --encoding gzip
  insighthub bench ingest --connections 1 --batch 1 --records 20000  one record a request")]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Ingest(ingest::IngestArgs),
}

pub(crate) async fn run(args: BenchArgs) -> Result<(), CliError> {
    match args.command {
        BenchCommand::Ingest(args) => ingest::run(args).await,
    }
}
