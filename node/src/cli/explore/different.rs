//! `insighthub explore different`: what some logs have in common that the others do not.

use clap::Args;
use insighthub_model::api::different::{Different, Finding, What};
use serde_json::{Value, json};

use super::{Question, cell, now, one_line, per_cent, print_objects, print_table, say_coverage};
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::moment::{Moment, parse_moment};
use crate::cli::terminal::{Terminal, note};

/// Find what some logs have in common that the others of the same query and range do not.
///
/// Say which logs are odd: a filter, a stretch of time, slow ones, or several of these. Values of fields and message
/// patterns that more of them have are listed, most surprising first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub explore different --service checkout --from -1h --where level:error
  insighthub explore different --from -1d --slower-than 2000 --when-from -10m
  insighthub explore different 'status:>=500' --from -1h --where region:eu-west
Surprise 15.1 is met once in ten thousand by chance.")]
pub(super) struct DifferentArgs {
    #[command(flatten)]
    question: Question,

    /// The odd ones are those that meet this filter.
    #[arg(long = "where", value_name = "FILTER", allow_hyphen_values = true)]
    selection: Option<String>,

    /// The odd ones are those from this time on.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    when_from: Option<Moment>,

    /// The odd ones are those up to this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    when_to: Option<Moment>,

    /// The odd ones took this long or longer, milliseconds.
    #[arg(long, value_name = "MS")]
    slower_than: Option<f64>,

    /// The odd ones took less, milliseconds.
    #[arg(long, value_name = "MS")]
    faster_than: Option<f64>,

    /// At most so many findings.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(super) async fn run(args: DifferentArgs) -> Result<(), CliError> {
    let now = now();
    let mut parameters = args.question.parameters(now);
    let moment = |moment: Option<Moment>| moment.map(|moment| json!(moment.resolve(now).to_string()));
    let selection: [(&str, Option<Value>); 5] = [
        ("selection", args.selection.map(Value::String)),
        ("selection_from", moment(args.when_from)),
        ("selection_to", moment(args.when_to)),
        ("latency_from_ms", args.slower_than.map(|ms| json!(ms))),
        ("latency_to_ms", args.faster_than.map(|ms| json!(ms))),
    ];
    if selection.iter().all(|(_, value)| value.is_none()) {
        let message = "say which logs are odd: --where FILTER, --when-from TIME, --slower-than MS";
        return Err(CliError::Argument(message.to_owned()));
    }
    let given = selection.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    parameters.extend(given);
    parameters.insert("limit".to_owned(), json!(args.limit));
    let answer: Different = args.question.ask("/api/query/different", parameters).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.question.answer.output) {
        let rows = answer.findings.iter().map(row).collect();
        print_table(&mut terminal, &["SURPRISE", "ODD", "OTHERS", "TIMES", "WHAT"], rows)?;
    } else {
        print_objects(&mut terminal, &answer.findings)?;
    }
    note(&sides(&answer));
    let noun = Noun { one: "finding", many: "findings" };
    say_coverage(answer.findings.len(), noun, answer.coverage, answer.stats);
    Ok(())
}

fn row(of: &Finding) -> Vec<String> {
    let what = match &of.what {
        What::Field { field, value } => format!("{}: {}", one_line(field), cell(value)),
        What::Pattern { pattern } => format!("message: {}", one_line(pattern)),
    };
    let times = of.times.map_or_else(String::new, |times| format!("x {times:.1}"));
    vec![format!("{:.1}", of.surprise), per_cent(of.selection.share), per_cent(of.rest.share), times, what]
}

/// How many were compared, and of how many.
fn sides(answer: &Different) -> String {
    let side = |side: insighthub_model::api::different::Side| match side.one_in {
        0 | 1 => format!("{}", side.records),
        one_in => format!("{} (one in {one_in} looked at)", side.records),
    };
    format!("{} odd logs against {} others", side(answer.selection), side(answer.rest))
}
