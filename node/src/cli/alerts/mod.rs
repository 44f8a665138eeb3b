//! `insighthub alerts`: rules, channels, silences and incidents. One file each.

mod channels;
mod incidents;
mod rules;
mod silences;

use clap::{Args, Subcommand};

use super::error::CliError;

/// Be told when something is wrong: rules, channels, silences, incidents.
///
/// Answers are tables on a terminal, one JSON object a line on a pipe. Changes need an admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub alerts incidents list --firing
  insighthub alerts incidents acknowledge 17 --note 'rolling back'
  insighthub alerts rules list
  insighthub alerts rules show error-spike > rule.json
  insighthub alerts rules preview rule.json --from -1d
  insighthub alerts rules set error-spike rule.json
  insighthub alerts channels set ops channel.json
  insighthub alerts channels test ops
  insighthub alerts silences add deploy --for 30m --service payment --reason 'release 4.2'")]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// What is wrong, for how long, and who hears of it.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Where messages go.
    #[command(subcommand)]
    Channels(channels::ChannelsCommand),
    /// When nobody is told.
    #[command(subcommand)]
    Silences(silences::SilencesCommand),
    /// What has fired.
    #[command(subcommand)]
    Incidents(incidents::IncidentsCommand),
}

pub(crate) async fn run(args: AlertsArgs) -> Result<(), CliError> {
    match args.command {
        AlertsCommand::Rules(command) => rules::run(command).await,
        AlertsCommand::Channels(command) => channels::run(command).await,
        AlertsCommand::Silences(command) => silences::run(command).await,
        AlertsCommand::Incidents(command) => incidents::run(command).await,
    }
}

/// JSON of a file, or of standard input where it is `-`. Secrets need not stand on the command line.
fn json_of(file: &str) -> Result<serde_json::Value, CliError> {
    let text = match file {
        "-" => std::io::read_to_string(std::io::stdin()),
        file => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| CliError::Argument(format!("cannot read {file}: {error}")))?;
    serde_json::from_str(&text).map_err(|error| CliError::Argument(format!("{file} is no JSON: {error}")))
}
