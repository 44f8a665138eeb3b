//! One record as a line (or, for a stack trace, a few) that a person reads.

use serde_json::Value;

use super::error::CliError;
use super::terminal::{Colour, Terminal, neutralise, neutralise_json};

/// Columns of the line's head, and what only the system cares about.
const NOT_REPEATED: [&str; 8] =
    ["log_id", "timestamp", "service", "level", "message", "created_at", "anomaly_score", "is_anomaly"];
/// Wide enough for most services; a longer name pushes its own line only.
const SERVICE_WIDTH: usize = 16;
/// A second line of a message starts with this, so that no log can forge the head of another record.
const CONTINUATION: &str = "    | ";

/// Prints one record, given as the JSON the node sent.
pub(crate) fn print_record(terminal: &mut Terminal, json: &str, as_text: bool) -> Result<(), CliError> {
    if !as_text {
        return if terminal.is_terminal {
            terminal.line(&neutralise_json(json))
        } else {
            terminal.line(json)
        };
    }
    let record: Value = serde_json::from_str(json)
        .map_err(|error| CliError::Unreadable { url: "the node".to_owned(), cause: error.to_string() })?;
    let text = record_text(terminal, &record);
    terminal.line(&text)
}

fn record_text(terminal: &Terminal, record: &Value) -> String {
    let text_of = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or("");
    let level = text_of("level");
    let service = neutralise(text_of("service")).replace('\n', " ");
    let anomalous = record.get("is_anomaly").and_then(Value::as_bool).unwrap_or(false);
    let mark = if anomalous { terminal.paint("!", Colour::Bold) } else { " ".into() };
    let mut line = format!(
        "{} {} {mark} {} ",
        terminal.paint(&short_time(text_of("timestamp")), Colour::Dim),
        terminal.paint(&format!("{level:<5}"), level_colour(level)),
        terminal.paint(&format!("{service:<SERVICE_WIDTH$}"), Colour::Cyan),
    );
    let message = neutralise(text_of("message"));
    let mut lines = message.lines();
    line.push_str(lines.next().unwrap_or(""));
    let fields = fields_text(record);
    if !fields.is_empty() {
        line.push_str("  ");
        line.push_str(&terminal.paint(&fields, Colour::Dim));
    }
    for next in lines {
        line.push('\n');
        line.push_str(CONTINUATION);
        line.push_str(next);
    }
    line
}

/// `latency_ms=1320 userId=1932`, without what the line's head already says.
fn fields_text(record: &Value) -> String {
    let Some(fields) = record.as_object() else { return String::new() };
    let shown =
        fields.iter().filter(|(name, value)| !NOT_REPEATED.contains(&name.as_str()) && !value.is_null());
    let words = shown.map(|(name, value)| {
        let text = match value {
            Value::String(text) => word(text),
            other => other.to_string(),
        };
        neutralise(&format!("{}={text}", word(name))).into_owned()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// As JSON where it is more than one plain word: quotes and line breaks are told apart from ours.
fn word(text: &str) -> String {
    if text.is_empty() || text.contains([' ', '\n', '"']) {
        return Value::from(text).to_string();
    }
    text.to_owned()
}

/// `2025-12-02 10:10:02.000`: the zone is always UTC and said in the help.
fn short_time(timestamp: &str) -> String {
    let plain = neutralise(timestamp).replacen('T', " ", 1);
    let cut = plain.trim_end_matches('Z');
    cut.chars().take(23).collect()
}

fn level_colour(level: &str) -> Colour {
    match level {
        "ERROR" | "FATAL" => Colour::Red,
        "WARN" => Colour::Yellow,
        "INFO" => Colour::Green,
        _ => Colour::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(record: &str) -> String {
        let mut terminal = Terminal::stdout();
        terminal.colours = false;
        record_text(&terminal, &serde_json::from_str(record).unwrap())
    }

    #[test]
    fn a_record_reads_as_one_line() {
        let line = shown(
            r#"{"log_id":"0001-000000000002","timestamp":"2025-12-02T10:10:02.000Z","service":"payment-service",
                "level":"ERROR","message":"Stripe timeout","latency_ms":1320,"anomaly_score":null,"is_anomaly":true,
                "created_at":"2025-12-02T10:10:03.000Z","userId":1932,"note":"two words"}"#,
        );
        assert_eq!(
            line,
            "2025-12-02 10:10:02.000 ERROR ! payment-service  Stripe timeout  latency_ms=1320 userId=1932 note=\"two words\""
        );
    }

    #[test]
    fn a_log_cannot_forge_a_line_or_an_escape() {
        let line = shown(
            r#"{"timestamp":"t","service":"a\nb","level":"INFO","message":"x\n2025-12-02 00:00:00 ERROR forged\u001b[2J","f":"b\u001b[1m\nc","g":"\u009b",
                "h\n2025-12-02 00:00:00 ERROR forged":1}"#,
        );
        assert!(!line.contains('\x1b'), "{line:?}");
        assert!(line.lines().skip(1).all(|line| line.starts_with(CONTINUATION)), "{line:?}");
    }
}
