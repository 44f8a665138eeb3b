//! `insighthub anomalies`: the incidents of services, their minutes, and what people say of them. One file per question.

mod detectors;
mod list;
mod settings;
mod verdict;
mod windows;

use clap::{Args, Subcommand};
use insighthub_model::api::answer::Coverage;

use super::coverage::{self, Noun};
use super::error::CliError;
use super::terminal::note;

/// See what was unusual: incidents with their causes, and how ordinary each minute of a service was.
///
/// Answers are tables on a terminal, one JSON object a line on a pipe; what they rest on goes to stderr.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies list --from -1d                       the incidents of the last day, newest first
  insighthub anomalies list --service checkout --open        what is wrong with checkout right now
  insighthub anomalies list --verdict none                   what nobody has judged yet
  insighthub anomalies windows checkout --from -1h           its minutes, with the loudest channel of each
  insighthub anomalies verdict 18a3f00c2b400000-0003-checkout real
  insighthub anomalies verdict 18a3f00c2b400000-0003-checkout false-alarm
  insighthub anomalies detectors                             what they cost, alerts against the budget
  insighthub anomalies settings --alerts-per-day 0.5         expect more, hear of more")]
pub struct AnomaliesArgs {
    #[command(subcommand)]
    command: AnomaliesCommand,
}

#[derive(Debug, Subcommand)]
enum AnomaliesCommand {
    List(list::ListArgs),
    Windows(windows::WindowsArgs),
    Verdict(verdict::VerdictArgs),
    Detectors(detectors::DetectorsArgs),
    Settings(settings::SettingsArgs),
}

pub(crate) async fn run(args: AnomaliesArgs) -> Result<(), CliError> {
    match args.command {
        AnomaliesCommand::List(args) => list::run(args).await,
        AnomaliesCommand::Windows(args) => windows::run(args).await,
        AnomaliesCommand::Verdict(args) => verdict::run(args).await,
        AnomaliesCommand::Detectors(args) => detectors::run(args).await,
        AnomaliesCommand::Settings(args) => settings::run(args).await,
    }
}

/// What the answer rests on.
fn say_coverage(shown: usize, what: Noun, coverage: Coverage, has_more: bool) {
    let Coverage { partitions, partitions_answered, .. } = coverage;
    let noun = if shown == 1 { what.one } else { what.many };
    let complete = coverage::completeness(coverage.complete, coverage.stale);
    let more = if has_more { "; there are more: use a larger --limit" } else { "" };
    note(&format!("{shown} {noun}; {partitions_answered} of {partitions} partitions, {complete}{more}"));
}
