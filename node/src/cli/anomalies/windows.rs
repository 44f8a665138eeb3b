//! `insighthub anomalies windows`: how ordinary each minute of a service was.

use clap::Args;
use insighthub_model::api::anomalies::Windows;
use insighthub_model::clock::Clock;
use insighthub_model::detection::ServiceWindow;

use super::say_coverage;
use crate::cli::asking::{AnswerArgs, RangeArgs};
use crate::cli::client::Client;
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::explore::{print_objects, print_table};
use crate::cli::terminal::Terminal;
use crate::system_clock::SystemClock;

const NOUN: Noun = Noun { one: "minute", many: "minutes" };

/// Show how ordinary each minute of a service was, oldest first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies windows checkout --from -1h
  insighthub anomalies windows checkout --from 2025-12-02T10:00:00Z --to 2025-12-02T11:00:00Z --output ndjson
SCORE: 1 is the threshold. USUAL is the band of records a minute at this time of day.")]
pub(super) struct WindowsArgs {
    #[arg(value_name = "SERVICE")]
    service: String,

    #[command(flatten)]
    range: RangeArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: WindowsArgs) -> Result<(), CliError> {
    let client = Client::new(&args.answer.connection)?;
    let mut terminal = Terminal::stdout();
    let mut fixed: Vec<(&str, String)> = args.range.parameters(SystemClock.now()).collect();
    fixed.push(("service", args.service.clone()));
    let (mut windows, mut cursor) = (Vec::new(), None::<String>);
    let coverage = loop {
        let mut parameters = fixed.clone();
        parameters.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: Windows = client.get("/api/anomalies/windows", &parameters).await?;
        windows.extend(page.windows);
        cursor = page.next_cursor;
        if cursor.is_none() || !page.coverage.complete {
            break page.coverage;
        }
    };
    if terminal.shows_text(args.answer.output) {
        let head = ["ENDS", "SCORE", "LOGS", "USUAL", "MS", "USUAL", "LOUDEST"];
        print_table(&mut terminal, &head, windows.iter().map(row).collect())?;
    } else {
        print_objects(&mut terminal, &windows)?;
    }
    say_coverage(windows.len(), NOUN, coverage, false);
    Ok(())
}

fn row(of: &ServiceWindow) -> Vec<String> {
    let score = if of.is_warming_up { "learning".to_owned() } else { format!("{:.2}", of.score) };
    let loudest = of.channels.first().map_or_else(String::new, |(channel, evidence)| {
        format!("{} {:.1}", channel.name(), evidence.surprise)
    });
    vec![
        of.end.to_string(),
        score,
        of.records.to_string(),
        format!("{:.0}..{:.0}", of.rate_band.0.max(0.0), of.rate_band.1),
        of.latency_ms.map_or_else(String::new, |ms| format!("{ms:.1}")),
        format!("{:.1}", of.latency_due_ms),
        loudest,
    ]
}
