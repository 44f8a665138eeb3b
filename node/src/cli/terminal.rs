//! What may reach a terminal: colours where they are wanted, and no control character of a log.
//!
//! A log is written by strangers. Printed as it is, an escape sequence in it could move the cursor,
//! forge lines, change the window's title or make a terminal answer with input.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use clap::ValueEnum;

use super::error::CliError;

/// How records are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// `text` on a terminal, `ndjson` on a pipe or into a file.
    #[default]
    Auto,
    /// Aligned lines for people.
    Text,
    /// One JSON object a line for programs, as the node sent it.
    Ndjson,
}

/// ANSI colours of this output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Yellow,
    Green,
    Cyan,
    Dim,
    Bold,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Colour::Red => "31",
            Colour::Yellow => "33",
            Colour::Green => "32",
            Colour::Cyan => "36",
            Colour::Dim => "2",
            Colour::Bold => "1",
        }
    }
}

/// Stdout: what it is and how to write to it.
#[derive(Debug)]
pub(crate) struct Terminal {
    out: std::io::BufWriter<std::io::Stdout>,
    pub(crate) is_terminal: bool,
    pub(crate) colours: bool,
}

impl Terminal {
    pub(crate) fn stdout() -> Terminal {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        // https://no-color.org: any value but the empty one turns colours off.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Terminal {
            out: std::io::BufWriter::new(stdout),
            is_terminal,
            colours: is_terminal && !refused && !dumb,
        }
    }

    /// Whether this format means lines for people here.
    pub(crate) fn shows_text(&self, format: OutputFormat) -> bool {
        match format {
            OutputFormat::Auto => self.is_terminal,
            OutputFormat::Text => true,
            OutputFormat::Ndjson => false,
        }
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(self.out, "{text}").map_err(CliError::Output)
    }

    /// What is ours to the last byte, and no word of a log: it reaches the terminal as it is.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.out.write_all(bytes).map_err(CliError::Output)
    }

    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.out.flush().map_err(CliError::Output)
    }

    pub(crate) fn paint<'a>(&self, text: &'a str, colour: Colour) -> Cow<'a, str> {
        paint(self.colours, text, colour)
    }
}

pub(crate) fn paint(colours: bool, text: &str, colour: Colour) -> Cow<'_, str> {
    if colours { Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", colour.code())) } else { Cow::Borrowed(text) }
}

/// One line to stderr, for people. A closed stderr is nobody's loss.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", neutralise(text)));
}

/// The text with every character a terminal would obey made visible; line breaks stay.
pub(crate) fn neutralise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(commands_a_terminal) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if commands_a_terminal(character) {
            safe.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// JSON text with the same characters written as JSON escapes: still the same value.
pub(crate) fn neutralise_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(commands_a_terminal) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if commands_a_terminal(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn commands_a_terminal(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // C0, DEL and C1, where ESC and the one-byte CSI live.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Direction overrides and isolates: they show text in another order than it has.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Line separators some terminals obey, and the invisible byte order mark.
        '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        _ => false,
    }
}

/// Rows of cells as aligned columns, two spaces apart; the first row is the heading.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_log_commands_the_terminal() {
        let attack = "\x1b]0;owned\x07 \x1b[2J \r forged \u{9b}31m \u{202e}txt.exe\0\u{8}";
        let shown = neutralise(attack);
        assert!(!shown.chars().any(commands_a_terminal), "{shown:?}");
        assert!(shown.starts_with("\\u{1b}]0;owned\\u{7}"), "{shown:?}");
        assert_eq!(neutralise("plain ünïcode\n\tat line 2"), "plain ünïcode\n\tat line 2");
    }

    #[test]
    fn neutral_json_is_the_same_value() {
        let json = "{\"m\":\"a\u{9b}b\u{7f}\u{202e}\"}";
        let safe = neutralise_json(json);
        assert!(safe.is_ascii(), "{safe}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&safe), value(json));
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["id".to_owned(), "service".to_owned()], vec!["0123".to_owned(), "auth".to_owned()]];
        assert_eq!(table(&rows), ["id    service", "0123  auth"]);
    }
}
