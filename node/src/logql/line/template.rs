//! Templates of `line_format` and `label_format`: text with `{{.label}}` in it, and functions of such values.

use super::Line;
use super::template_function::{Function, call};

/// Bytes that a template may come to. Stages that double a line would otherwise fill the memory within a few dozens of them.
const FILLED_BYTES_MAX: usize = 1 << 20;

const EXPECTED: &str = "expected {{.label}} or {{__line__}}, with functions such as ToUpper, default \"-\" or trunc 80 behind a |";

/// A template that can be filled.
#[derive(Debug)]
pub(in crate::logql) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Term, Vec<Function>),
}

/// What stands for a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Label(String),
    Line,
    Text(String),
}

/// A part of what stands between `{{` and `}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Term(Term),
    Number(i64),
    Name(String),
}

impl Template {
    /// Fails with the byte and the reason.
    pub(in crate::logql) fn new(text: &str) -> Result<Template, (usize, String)> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let position = text.len() - after.len();
            let Some((action, behind)) = after.split_once("}}") else {
                return Err((position, "this {{ is never closed: expected }}".to_owned()));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(value(action).map_err(|reason| (position, reason))?);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    /// Fails where it comes to more bytes than are kept.
    pub(super) fn fill(&self, line: &Line) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(term, functions) => {
                    let mut value = term.text(line).to_owned();
                    for function in functions {
                        value = function.apply(&value, line);
                        check_length(&value)?;
                    }
                    filled.push_str(&value);
                }
            }
            check_length(&filled)?;
        }
        Ok(filled)
    }
}

fn check_length(filled: &str) -> Result<(), String> {
    if filled.len() <= FILLED_BYTES_MAX {
        return Ok(());
    }
    Err(format!("the template comes to more than {FILLED_BYTES_MAX} bytes"))
}

impl Term {
    pub(super) fn text<'a>(&'a self, line: &'a Line) -> &'a str {
        match self {
            Term::Label(name) => line.get(name).unwrap_or(""),
            Term::Line => &line.text,
            Term::Text(text) => text,
        }
    }
}

/// `.label | trunc 80`, or the same as `trunc 80 .label`.
fn value(action: &str) -> Result<Part, String> {
    let action = action.trim().trim_start_matches('-').trim_end_matches('-');
    let mut groups = groups(action).ok_or(EXPECTED)?.into_iter();
    let (first, mut functions) = match groups.next().as_deref() {
        Some([Word::Term(term)]) => (term.clone(), Vec::new()),
        Some([Word::Name(name), arguments @ ..]) => {
            let (term, function) =
                call(name, arguments, None).map_err(|reason| format!("{reason}: {EXPECTED}"))?;
            (term, vec![function])
        }
        _ => return Err(EXPECTED.to_owned()),
    };
    for group in groups {
        let Some((Word::Name(name), arguments)) = group.split_first() else {
            return Err(EXPECTED.to_owned());
        };
        let called = call(name, arguments, Some(first.clone()));
        functions.push(called.map_err(|reason| format!("{reason}: {EXPECTED}"))?.1);
    }
    Ok(Part::Value(first, functions))
}

/// Words between `|`; `None` where something is no word.
fn groups(action: &str) -> Option<Vec<Vec<Word>>> {
    let mut groups = vec![Vec::new()];
    let mut rest = action.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '|' {
            groups.push(Vec::new());
            rest = rest.strip_prefix('|')?.trim_start();
            continue;
        }
        let (word, after) = if matches!(first, '"' | '`') { quoted(rest, first)? } else { bare(rest)? };
        groups.last_mut()?.push(word);
        rest = after.trim_start();
    }
    Some(groups)
}

/// In double quotes a backslash takes the next sign as it is.
fn quoted(text: &str, quote: char) -> Option<(Word, &str)> {
    let mut found = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            char if char == quote => return Some((Word::Term(Term::Text(found)), text.get(at + 1..)?)),
            '\\' if quote == '"' => found.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                // Regular expressions have escapes of their own.
                letter if letter.is_ascii_alphanumeric() => return None,
                other => other,
            }),
            other => found.push(other),
        }
    }
    None
}

fn bare(text: &str) -> Option<(Word, &str)> {
    let length = text.find(|char: char| char.is_whitespace() || char == '|').unwrap_or(text.len());
    let (word, after) = text.split_at_checked(length)?;
    let found = if word == "__line__" {
        Word::Term(Term::Line)
    } else if let Some(label) = word.strip_prefix('.') {
        Word::Term(Term::Label(Some(label).filter(|label| is_name(label))?.to_owned()))
    } else if let Ok(number) = word.parse() {
        Word::Number(number)
    } else {
        Word::Name(Some(word).filter(|word| is_name(word))?.to_owned())
    };
    Some((found, after))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}
