//! `insighthub anomalies list`: incidents, newest first.

use clap::{Args, ValueEnum};
use insighthub_model::api::anomalies::{Anomalies, Anomaly};
use insighthub_model::clock::Clock;

use super::say_coverage;
use crate::cli::asking::{AnswerArgs, RangeArgs};
use crate::cli::client::Client;
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::explore::{one_line, print_objects, print_table};
use crate::cli::terminal::Terminal;
use crate::system_clock::SystemClock;

const NOUN: Noun = Noun { one: "incident", many: "incidents" };

/// List the incidents of services, newest first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies list --from -1d
  insighthub anomalies list --service checkout --open
  insighthub anomalies list --verdict none --output ndjson | jq .summary
SCORE is that of the loudest minute: 1 is the threshold. CAUSE is the kind of message that grew most.")]
pub(super) struct ListArgs {
    /// Only this service.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,

    #[command(flatten)]
    range: RangeArgs,

    /// Only what is going on.
    #[arg(long)]
    open: bool,

    /// Only what was judged so.
    #[arg(long, value_enum, value_name = "VERDICT")]
    verdict: Option<WantedVerdict>,

    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WantedVerdict {
    Real,
    FalseAlarm,
    /// Nobody has said anything.
    None,
}

impl WantedVerdict {
    /// As the parameter of a request.
    fn name(self) -> &'static str {
        match self {
            WantedVerdict::Real => "real",
            WantedVerdict::FalseAlarm => "false_alarm",
            WantedVerdict::None => "none",
        }
    }
}

pub(super) async fn run(args: ListArgs) -> Result<(), CliError> {
    let mut parameters: Vec<(&str, String)> = args.range.parameters(SystemClock.now()).collect();
    parameters.extend(args.service.clone().map(|service| ("service", service)));
    parameters.extend(args.open.then(|| ("open", "true".to_owned())));
    parameters.extend(args.verdict.map(|verdict| ("verdict", verdict.name().to_owned())));
    parameters.push(("limit", args.limit.to_string()));
    let client = Client::new(&args.answer.connection)?;
    let answer: Anomalies = client.get("/api/anomalies", &parameters).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.answer.output) {
        let head = ["ID", "SERVICE", "BEGAN", "ENDED", "SCORE", "WHAT", "CAUSE", "VERDICT"];
        print_table(&mut terminal, &head, answer.anomalies.iter().map(row).collect())?;
    } else {
        print_objects(&mut terminal, &answer.anomalies)?;
    }
    say_coverage(answer.anomalies.len(), NOUN, answer.coverage, answer.next_cursor.is_some());
    Ok(())
}

fn row(of: &Anomaly) -> Vec<String> {
    /// Of a template; more of it makes the table unreadable.
    const CAUSE_CHARACTERS: usize = 60;
    let cause = of.episode.explanation.templates.first().map_or("", |template| template.text.as_str());
    vec![
        of.id.to_string(),
        one_line(&of.service),
        of.episode.opened_at.to_string(),
        of.episode.ended_at.map_or_else(|| "open".to_owned(), |ended| ended.to_string()),
        format!("{:.1}", of.episode.peak_score),
        one_line(&of.summary),
        one_line(cause).chars().take(CAUSE_CHARACTERS).collect(),
        of.verdict.as_ref().map_or("", |said| said.verdict.name()).to_owned(),
    ]
}
