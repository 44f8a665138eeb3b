//! `insighthub explore`: what logs look like at a glance. One file per question.

mod different;
mod fields;
mod histogram;
mod patterns;

use clap::{Args, Subcommand};
use insighthub_model::Timestamp;
use insighthub_model::api::answer::{Coverage, LevelCounts, Stats};
use insighthub_model::clock::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::asking::{AnswerArgs, FilterArgs, RangeArgs};
use super::client::Client;
use super::coverage;
use super::error::CliError;
use super::terminal::{Colour, Terminal, neutralise, neutralise_json, note, table};
use crate::system_clock::SystemClock;

/// See at a glance what logs look like: how many, which fields, which messages, what is different.
///
/// Every question takes a query, as `insighthub query` does, and a range of time. Answers are tables on a terminal,
/// one JSON object a line on a pipe; what they rest on goes to stderr.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub explore histogram level:error --from -1h          errors over the last hour
  insighthub explore fields --service checkout --from -1h      its fields with their frequent values
  insighthub explore fields timeout --field region             which regions have timeouts
  insighthub explore patterns --from -1d                       what is logged most
  insighthub explore patterns --from -1h --against before      what is new against the hour before
  insighthub explore patterns --from -1h --against -25h..-24h  against the same hour of yesterday
  insighthub explore different --service checkout --from -1h --where level:error
                                                               what do the errors have in common?
  insighthub explore different --from -1h --slower-than 2000   what makes requests slow?")]
pub struct ExploreArgs {
    #[command(subcommand)]
    command: ExploreCommand,
}

#[derive(Debug, Subcommand)]
enum ExploreCommand {
    Histogram(histogram::HistogramArgs),
    Fields(fields::FieldsArgs),
    Patterns(patterns::PatternsArgs),
    Different(different::DifferentArgs),
}

pub(crate) async fn run(args: ExploreArgs) -> Result<(), CliError> {
    match args.command {
        ExploreCommand::Histogram(args) => histogram::run(args).await,
        ExploreCommand::Fields(args) => fields::run(args).await,
        ExploreCommand::Patterns(args) => patterns::run(args).await,
        ExploreCommand::Different(args) => different::run(args).await,
    }
}

/// Which records are meant, who is asked, how the answer is printed.
#[derive(Debug, Args)]
struct Question {
    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    range: RangeArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

impl Question {
    /// The parameters of the request, all of them at one moment.
    fn parameters(&self, now: Timestamp) -> Map<String, Value> {
        let all = self.filter.parameters("query").chain(self.range.parameters(now));
        all.map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: Map<String, Value>,
    ) -> Result<T, CliError> {
        Client::new(&self.answer.connection)?.post(path, &Value::Object(parameters)).await
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// One JSON object a line.
pub(super) fn print_objects<T: Serialize>(terminal: &mut Terminal, rows: &[T]) -> Result<(), CliError> {
    for row in rows {
        let json = serde_json::to_string(row).unwrap_or_default();
        terminal.line(&neutralise_json(&json))?;
    }
    terminal.flush()
}

/// Rows of cells under a heading.
pub(super) fn print_table(
    terminal: &mut Terminal,
    head: &[&str],
    rows: Vec<Vec<String>>,
) -> Result<(), CliError> {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    for (number, line) in table(&rows).iter().enumerate() {
        let line = if number == 0 { terminal.paint(line, Colour::Bold) } else { line.into() };
        terminal.line(&line)?;
    }
    terminal.flush()
}

/// What the answer rests on.
fn say_coverage(shown: usize, what: coverage::Noun, coverage: Coverage, stats: Stats) {
    let coverage = coverage::Coverage {
        partitions: coverage.partitions as u64,
        partitions_answered: coverage.partitions_answered as u64,
        complete: coverage.complete,
        stale: coverage.stale,
        scanned_records: stats.scanned_records,
        elapsed_ms: stats.elapsed_ms,
    };
    note(&coverage.sentence_of(shown as u64, what, ""));
}

/// One line of what a service logged.
fn cell(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    one_line(&text)
}

pub(super) fn one_line(text: &str) -> String {
    neutralise(text).replace(['\n', '\r', '\t'], " ")
}

fn per_cent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        little if little < 0.1 => "<0.1 %".to_owned(),
        share if share < 10.0 => format!("{share:.1} %"),
        share => format!("{share:.0} %"),
    }
}

/// The most severe level first: what there is to worry about.
fn levels(levels: &LevelCounts) -> String {
    let shown = levels.iter().rev().map(|(level, count)| format!("{level} {count}"));
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        question: Question,
    }

    #[test]
    fn arguments_become_the_parameters_of_the_request() {
        let line = ["explore", "stripe", "timeout", "--level", "error", "--from", "-1h"];
        let now = Timestamp::parse("2025-12-02T10:00:00Z").unwrap();
        let parameters = Line::parse_from(line).question.parameters(now);
        assert_eq!(
            Value::Object(parameters),
            serde_json::json!({"query": "stripe timeout", "level": "ERROR", "from": "2025-12-02T09:00:00.000Z"})
        );
    }

    #[test]
    fn shares_are_short() {
        assert_eq!([0.0, 0.0004, 0.054, 0.5, 1.0].map(per_cent), ["0 %", "<0.1 %", "5.4 %", "50 %", "100 %"]);
    }

    #[test]
    fn a_value_is_one_line_and_commands_nothing() {
        assert_eq!(cell(&serde_json::json!("a\nb\u{1b}[2J")), "a b\\u{1b}[2J");
        assert_eq!(cell(&serde_json::json!(7)), "7");
    }
}
