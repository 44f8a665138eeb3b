//! Templates of `line_format` and `label_format`: text with `{{.label}}` in it, and a few functions.

use super::Line;

/// A template that can be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::logql) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Source, Vec<Function>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Label(String),
    Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Upper,
    Lower,
    Trim,
}

const EXPECTED: &str = "expected {{.label}} or {{__line__}}, with ToUpper, ToLower or Trim behind a |";

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
            parts.push(value(action).ok_or_else(|| (position, EXPECTED.to_owned()))?);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    pub(super) fn fill(&self, line: &Line) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(source, functions) => {
                    let value = match source {
                        Source::Label(name) => line.get(name).unwrap_or(""),
                        Source::Line => &line.text,
                    };
                    let value =
                        functions.iter().fold(value.to_owned(), |value, function| function.apply(&value));
                    filled.push_str(&value);
                }
            }
        }
        filled
    }
}

fn value(action: &str) -> Option<Part> {
    let action = action.trim().trim_start_matches('-').trim_end_matches('-').trim();
    let mut parts = action.split('|').map(str::trim);
    let mut words = parts.next()?.split_whitespace();
    let mut functions = Vec::new();
    let mut first = words.next()?;
    // `{{ToUpper .label}}` is the same as `{{.label | ToUpper}}`.
    if let Some(function) = function(first) {
        functions.push(function);
        first = words.next()?;
    }
    if words.next().is_some() {
        return None;
    }
    let source = match first {
        "__line__" => Source::Line,
        name => Source::Label(name.strip_prefix('.').filter(|name| is_name(name))?.to_owned()),
    };
    for part in parts {
        functions.push(function(part)?);
    }
    Some(Part::Value(source, functions))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "ToUpper" | "upper" => Function::Upper,
        "ToLower" | "lower" => Function::Lower,
        "Trim" | "trim" | "TrimSpace" => Function::Trim,
        _ => return None,
    })
}

impl Function {
    fn apply(self, value: &str) -> String {
        match self {
            Function::Upper => value.to_uppercase(),
            Function::Lower => value.to_lowercase(),
            Function::Trim => value.trim().to_owned(),
        }
    }
}
