//! `insighthub explore fields`: the fields of logs and their frequent values.

use clap::Args;
use insighthub_model::api::fields::{Field, Fields, ValueCount};
use serde_json::json;

use super::{Question, cell, now, one_line, per_cent, print_objects, print_table, say_coverage};
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::terminal::Terminal;

/// Values beside a field in the list of all.
const VALUES_BESIDE: usize = 3;
/// Characters of a value there.
const VALUE_WIDTH: usize = 24;
/// Values of a field that was asked for.
const VALUES_DEFAULT: usize = 20;

/// List the fields of logs, with how many have them and their frequent values.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub explore fields --from -1h                           all fields
  insighthub explore fields level:error --service checkout       of its errors
  insighthub explore fields timeout --field region --field host  the values of two of them
A number with ~ before it is estimated.")]
pub(super) struct FieldsArgs {
    #[command(flatten)]
    question: Question,

    /// Show the values of this field; may be given several times.
    #[arg(long = "field", value_name = "NAME")]
    fields: Vec<String>,

    /// So many values of each.
    #[arg(long, value_name = "N")]
    values: Option<usize>,
}

pub(super) async fn run(args: FieldsArgs) -> Result<(), CliError> {
    let mut parameters = args.question.parameters(now());
    let is_list = args.fields.is_empty();
    let values = args.values.unwrap_or(if is_list { VALUES_BESIDE } else { VALUES_DEFAULT });
    parameters.insert("values".to_owned(), json!(values));
    parameters.insert("fields".to_owned(), json!(args.fields));
    let answer: Fields = args.question.ask("/api/query/fields", parameters).await?;
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(args.question.answer.output) {
        print_objects(&mut terminal, &answer.fields)?;
    } else if is_list {
        let rows = answer.fields.iter().map(field_row).collect();
        print_table(&mut terminal, &["FIELD", "TYPE", "LOGS", "VALUES", "FREQUENT"], rows)?;
    } else {
        let rows =
            |field: &Field| field.values.iter().map(|value| value_row(field, value)).collect::<Vec<_>>();
        let rows = answer.fields.iter().flat_map(rows).collect();
        print_table(&mut terminal, &["FIELD", "LOGS", "SHARE", "VALUE"], rows)?;
    }
    let noun = Noun { one: "field", many: "fields" };
    say_coverage(answer.fields.len(), noun, answer.coverage, answer.stats);
    Ok(())
}

fn field_row(field: &Field) -> Vec<String> {
    let types = field.types.iter().map(|kind| format!("{kind:?}").to_lowercase());
    let frequent = field.values.iter().map(|value| {
        let text: String = cell(&value.value).chars().take(VALUE_WIDTH).collect();
        format!("{text} {}", per_cent(value.share))
    });
    vec![
        one_line(&field.name),
        types.collect::<Vec<_>>().join("|"),
        per_cent(field.share),
        number(field.distinct, field.distinct_is_estimate),
        frequent.collect::<Vec<_>>().join(", "),
    ]
}

fn value_row(field: &Field, value: &ValueCount) -> Vec<String> {
    vec![
        one_line(&field.name),
        number(value.records, field.values_are_estimates),
        per_cent(value.share),
        cell(&value.value),
    ]
}

fn number(number: u64, is_estimate: bool) -> String {
    if is_estimate { format!("~{number}") } else { number.to_string() }
}
