//! `insighthub bench`: measures a node from outside, the way a client sees it.

mod answer;
mod corpus;
mod disk;
mod expect;
mod feed;
mod figures;
mod ingest;
mod loader;
mod own_node;
mod prepared;
mod queries;
mod query;
mod query_figures;
mod query_place;
mod server_process;

use clap::{Args, Subcommand};

pub(crate) use self::feed::{Target, send_set};
use super::error::CliError;

/// Measure how fast a node takes logs and answers questions, and what that costs it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub bench ingest                                          a million records, 4 connections
  insighthub bench ingest --records 5000000 --encoding gzip
  insighthub bench ingest --connections 1 --batch 1 --records 20000  one record a request
  insighthub bench query --spawn --records 5000000                 load a set into a node of its own, ask it
  insighthub bench query --help                                    how answers are checked and runs compared")]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Ingest(ingest::IngestArgs),
    Query(query::QueryBenchArgs),
}

pub(crate) async fn run(args: BenchArgs) -> Result<(), CliError> {
    match args.command {
        BenchCommand::Ingest(args) => ingest::run(args).await,
        BenchCommand::Query(args) => query::run(args).await,
    }
}
