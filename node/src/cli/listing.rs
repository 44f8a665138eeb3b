//! Lists of things as the API names them: a table for people, one object a line for programs.

use serde_json::Value;

use super::error::CliError;
use super::terminal::{Colour, OutputFormat, Terminal, neutralise, table};

/// Prints the values under `name` of an answer; a table has these of their fields.
pub(crate) fn print(
    answer: &Value,
    name: &str,
    columns: &[&str],
    output: OutputFormat,
) -> Result<(), CliError> {
    let values = answer.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(output) {
        for value in values {
            terminal.line(&value.to_string())?;
        }
        return terminal.flush();
    }
    let mut rows = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()];
    rows.extend(values.iter().map(|value| columns.iter().map(|column| cell(value.get(column))).collect()));
    for (number, line) in table(&rows).iter().enumerate() {
        let line = if number == 0 { terminal.paint(line, Colour::Bold) } else { line.into() };
        terminal.line(&line)?;
    }
    terminal.flush()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => neutralise(text).replace('\n', " "),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
