//! Queries with stages on the command line: the answer as an aligned table, or one object a line.

use insighthub_model::query::{Expression, Query};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::coverage::Coverage;
use super::error::CliError;
use super::explain;
use super::record_line::print_record;
use super::terminal::{Colour, Terminal, neutralise, neutralise_json, note, table};

/// What a node answers: records, or columns and rows.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    records: Vec<Box<RawValue>>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    rows: Vec<Vec<Value>>,
    #[serde(default)]
    coverage: Coverage,
    #[serde(default)]
    stats: Stats,
    explain: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    scanned_records: u64,
    elapsed_ms: f64,
}

/// What is asked.
pub(super) struct Question {
    pub(super) query: Query,
    /// Conditions given beside the text.
    pub(super) conditions: Vec<Expression>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// Records, where the query does not say how many.
    pub(super) limit: Option<usize>,
    /// Show how it was answered instead of what was found.
    pub(super) explain: bool,
}

pub(super) async fn run(
    client: &Client,
    terminal: &mut Terminal,
    question: Question,
    as_text: bool,
) -> Result<(), CliError> {
    let Question { mut query, mut conditions, from, to, limit, explain } = question;
    conditions.push(query.filter);
    query.filter = Expression::all_of(conditions);
    let text = query.to_string();
    let body = json!({ "query": text, "from": from, "to": to, "limit": limit, "explain": explain });
    let answer: Answer = client.post("/api/query", &body).await?;
    let shown = (answer.records.len() + answer.rows.len()) as u64;
    if let Some(explained) = &answer.explain {
        explain::print(terminal, explained, as_text)?;
    } else {
        print_answer(terminal, &answer, as_text)?;
    }
    terminal.flush()?;
    let Stats { scanned_records, elapsed_ms } = answer.stats;
    note(&Coverage { scanned_records, elapsed_ms, ..answer.coverage }.sentence(shown, false));
    Ok(())
}

fn print_answer(terminal: &mut Terminal, answer: &Answer, as_text: bool) -> Result<(), CliError> {
    for record in &answer.records {
        print_record(terminal, record.get(), as_text)?;
    }
    if !answer.columns.is_empty() {
        print_rows(terminal, answer, as_text)?;
    }
    Ok(())
}

fn print_rows(terminal: &mut Terminal, answer: &Answer, as_text: bool) -> Result<(), CliError> {
    if !as_text {
        for row in &answer.rows {
            let object: Map<String, Value> =
                answer.columns.iter().cloned().zip(row.iter().cloned()).collect();
            terminal.line(&neutralise_json(&Value::Object(object).to_string()))?;
        }
        return Ok(());
    }
    let head = answer.columns.iter().map(|name| neutralise(name).replace('\n', " ")).collect();
    let cells = |row: &Vec<Value>| row.iter().map(cell).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(answer.rows.iter().map(cells)).collect();
    for (number, line) in table(&rows).iter().enumerate() {
        let line = if number == 0 { terminal.paint(line, Colour::Bold) } else { line.into() };
        terminal.line(&line)?;
    }
    Ok(())
}

/// One line of a value: what a service logged must not move the cursor.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        // Twelve digits say more than enough of a mean.
        Value::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or_default();
            let rounded = format!("{value:.3}");
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        other => other.to_string(),
    };
    neutralise(&text).replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_short_line() {
        let cells = [json!(null), json!(3), json!(0.125), json!(709.372_840_2), json!("a\nb"), json!([1, 2])];
        let shown: Vec<String> = cells.iter().map(cell).collect();
        assert_eq!(shown, ["–", "3", "0.125", "709.373", "a b", "[1,2]"]);
    }
}
