//! The command line: what a person types, how answers look in a terminal and on a pipe.
//!
//! Knows a node only by its HTTP and WebSocket interface, like any other client.

mod addresses;
mod alerts;
mod anomalies;
mod asking;
mod audit;
mod backup;
mod bench;
mod client;
mod cluster;
mod completions;
mod configuration;
mod coverage;
mod delete;
mod demo;
mod error;
mod explain;
mod explore;
mod files;
mod follow;
mod health;
mod import;
mod listing;
mod manual;
mod moment;
mod prng;
mod query;
mod record_line;
mod record_reading;
mod retention;
mod score;
mod serve_args;
mod table_answer;
mod tail;
mod terminal;
mod tls;
mod token;
mod user;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use error::CliError;
pub use serve_args::ServeArgs;

/// A distributed, real-time log store.
///
/// One process is a complete node: it takes logs over HTTP, stores them durably, finds what is
/// unusual, answers searches and shows the dashboard.
#[derive(Debug, Parser)]
#[command(name = "insighthub", version, after_long_help = FIRST_STEPS)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "First steps:
  insighthub serve --dev                       start a node on http://127.0.0.1:8000
  insighthub demo                              send it realistic traffic
  insighthub tail --level ERROR                watch errors arrive
  insighthub query 'stripe timeout' --from -1h search the last hour";

/// `serve` is a server; the rest are its clients.
#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(ServeArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    Query(query::QueryArgs),
    Explore(explore::ExploreArgs),
    Anomalies(anomalies::AnomaliesArgs),
    Alerts(alerts::AlertsArgs),
    Tail(Box<tail::TailArgs>),
    Import(Box<import::ImportArgs>),
    Token(token::TokenArgs),
    User(user::UserArgs),
    Audit(audit::AuditArgs),
    Retention(retention::RetentionArgs),
    Delete(delete::DeleteArgs),
    Cluster(cluster::ClusterArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Demo(demo::DemoArgs),
    Bench(bench::BenchArgs),
    Score(score::ScoreArgs),
    Health(health::HealthArgs),
    Config(configuration::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Man(manual::ManArgs),
}

/// Runs a client command to its end, on a runtime of its own: call it outside of any other runtime.
pub fn run(command: ClientCommand) -> ExitCode {
    // One thread is enough for a client, and leaves the machine to the node when both share it.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&CliError::Runtime(error)),
    };
    match runtime.block_on(dispatch(command)) {
        Ok(()) => ExitCode::SUCCESS,
        // `insighthub query ... | head` is no failure.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

async fn dispatch(command: ClientCommand) -> Result<(), CliError> {
    match command {
        ClientCommand::Query(args) => query::run(args).await,
        ClientCommand::Explore(args) => explore::run(args).await,
        ClientCommand::Anomalies(args) => anomalies::run(args).await,
        ClientCommand::Alerts(args) => alerts::run(args).await,
        ClientCommand::Tail(args) => tail::run(*args).await,
        ClientCommand::Import(args) => import::run(*args).await,
        ClientCommand::Token(args) => token::run(args).await,
        ClientCommand::User(args) => user::run(args).await,
        ClientCommand::Audit(args) => audit::run(args).await,
        ClientCommand::Retention(args) => retention::run(args).await,
        ClientCommand::Delete(args) => delete::run(args).await,
        ClientCommand::Cluster(args) => cluster::run(args).await,
        ClientCommand::Backup(args) => backup::run(args).await,
        ClientCommand::Restore(args) => backup::restore(args).await,
        ClientCommand::Demo(args) => demo::run(args).await,
        ClientCommand::Bench(args) => bench::run(args).await,
        ClientCommand::Score(args) => score::run(&args),
        ClientCommand::Health(args) => health::run(args).await,
        ClientCommand::Config(args) => configuration::run(&args),
        ClientCommand::Completions(args) => completions::run(&args),
        ClientCommand::Man(args) => manual::run(&args),
    }
}

fn complain(error: &CliError) -> ExitCode {
    // With stderr closed there is nobody left to tell; the exit code still says it.
    drop(writeln!(std::io::stderr(), "insighthub: {}", terminal::neutralise(&error.to_string())));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_relative_time_needs_no_quoting() {
        let cli =
            Cli::try_parse_from(["insighthub", "query", "timeout", "--from", "-1h", "--to", "-5m"]).unwrap();
        assert!(matches!(cli.command, Command::Client(ClientCommand::Query(_))));
    }

    #[test]
    fn every_command_shows_an_example_in_its_help() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{} has no examples", command.get_name());
        }
    }
}
