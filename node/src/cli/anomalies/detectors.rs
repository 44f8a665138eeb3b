//! `insighthub anomalies detectors`: what detectors cost, and whether they keep to their budget of alerts.

use clap::Args;
use insighthub_model::api::anomalies::Detectors;
use insighthub_model::detection::Detector;

use super::say_coverage;
use crate::cli::asking::AnswerArgs;
use crate::cli::client::Client;
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::explore::{print_objects, print_table};
use crate::cli::terminal::Terminal;

const NOUN: Noun = Noun { one: "detector", many: "detectors" };

/// Show the detectors of services, those that raised most alerts first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies detectors
  insighthub anomalies detectors --service checkout
ALERTS: raised in seven days, and how many the budget allows. THRESHOLD: 1, and more while there are too many.")]
pub(super) struct DetectorsArgs {
    /// Only this service's.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// How many to show.
    #[arg(long, default_value_t = 100)]
    limit: usize,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: DetectorsArgs) -> Result<(), CliError> {
    let client = Client::new(&args.answer.connection)?;
    let mut terminal = Terminal::stdout();
    let mut parameters = vec![("limit", args.limit.to_string())];
    parameters.extend(args.service.map(|service| ("service", service)));
    let answer: Detectors = client.get("/api/anomalies/detectors", &parameters).await?;
    if terminal.shows_text(args.answer.output) {
        let head = ["SERVICE", "PARTITION", "STATE", "TEMPLATES", "KB", "ALERTS", "THRESHOLD"];
        print_table(&mut terminal, &head, answer.detectors.iter().map(row).collect())?;
    } else {
        print_objects(&mut terminal, &answer.detectors)?;
    }
    say_coverage(answer.detectors.len(), NOUN, answer.coverage, answer.more);
    Ok(())
}

fn row(of: &Detector) -> Vec<String> {
    let state = match (of.is_warming_up, of.has_incident) {
        (true, _) => "learning",
        (false, true) => "incident",
        (false, false) => "watching",
    };
    vec![
        of.service.clone(),
        of.partition.to_string(),
        state.to_owned(),
        of.templates.to_string(),
        of.memory_bytes.div_ceil(1_000).to_string(),
        format!("{} of {:.1}", of.alerts_raised, of.alerts_expected),
        format!("{:.2}", of.threshold),
    ]
}
