//! `insighthub explore histogram`: logs over time, as bars.

use clap::Args;
use insighthub_model::api::histogram::{Histogram, HistogramBucket};
use insighthub_model::query::TimeSpan;
use serde_json::json;

use super::{Question, now, print_objects, print_table, say_coverage};
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::terminal::{Colour, Terminal};

const BARS_DEFAULT: usize = 40;
/// Characters of the longest bar.
const WIDTH: u64 = 50;

/// Count logs over time.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub explore histogram --from -1h
  insighthub explore histogram 'stripe timeout' --from -1d --bucket 1h
  insighthub explore histogram level:error --service checkout --from 2025-12-02 --to 2025-12-03")]
pub(super) struct HistogramArgs {
    #[command(flatten)]
    question: Question,

    /// Length of a bar: 30s, 5m, 1h. Left out, one that makes about 40 bars of the range.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    bucket: Option<String>,
}

fn length(text: &str) -> Result<String, String> {
    let known = TimeSpan::parse(text).map(|_| text.to_owned());
    known.ok_or_else(|| format!("{text:?} is no length of time: use 30s, 5m or 1h"))
}

pub(super) async fn run(args: HistogramArgs) -> Result<(), CliError> {
    let mut parameters = args.question.parameters(now());
    match args.bucket {
        Some(bucket) => parameters.insert("bucket".to_owned(), json!(bucket)),
        None => parameters.insert("bars".to_owned(), json!(BARS_DEFAULT)),
    };
    let answer: Histogram = args.question.ask("/api/query/histogram", parameters).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.question.answer.output) {
        let most = answer.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
        let rows = answer.buckets.iter().map(|bucket| row(&terminal, bucket, most)).collect();
        print_table(&mut terminal, &["TIME", "LOGS", "ERRORS", ""], rows)?;
    } else {
        print_objects(&mut terminal, &answer.buckets)?;
    }
    let noun = Noun { one: "bar", many: "bars" };
    say_coverage(answer.buckets.len(), noun, answer.coverage, answer.stats);
    Ok(())
}

/// The bar's errors stand first, in red.
fn row(terminal: &Terminal, bucket: &HistogramBucket, most: u64) -> Vec<String> {
    let errors: u64 =
        bucket.levels.iter().filter(|(level, _)| level.is_error()).map(|(_, count)| count).sum();
    let length =
        |count: u64| (u128::from(count) * u128::from(WIDTH)).div_ceil(u128::from(most.max(1))) as usize;
    let (all, of_errors) = (length(bucket.count), length(errors));
    let bar = format!(
        "{}{}",
        terminal.paint(&"█".repeat(of_errors), Colour::Red),
        "█".repeat(all.saturating_sub(of_errors))
    );
    vec![bucket.start.to_string(), bucket.count.to_string(), errors.to_string(), bar]
}
