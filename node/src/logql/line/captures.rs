//! `regexp` and `pattern`: parts of a line that get names.

use regex::Regex;

use super::Line;

/// What is taken out of a line.
#[derive(Debug)]
pub(in crate::logql) enum Captures {
    Regexp(Regex),
    /// Literal text and places with and without names, in turns.
    Pattern(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::logql) enum Part {
    Literal(String),
    /// `None`: what stands here has no name.
    Place(Option<String>),
}

impl Captures {
    pub(in crate::logql) fn of_regexp(pattern: &str) -> Result<Captures, String> {
        let regex = Regex::new(pattern).map_err(|_| "the regular expression is too large".to_owned())?;
        if regex.capture_names().flatten().next().is_none() {
            return Err("expected a named group, as (?P<status>\\d+)".to_owned());
        }
        Ok(Captures::Regexp(regex))
    }

    pub(in crate::logql) fn of_pattern(pattern: &str) -> Result<Captures, String> {
        let parts = parts(pattern);
        if !parts.iter().any(|part| matches!(part, Part::Place(Some(_)))) {
            return Err("expected a place with a name, as <status>".to_owned());
        }
        let adjacent = parts
            .iter()
            .zip(parts.iter().skip(1))
            .any(|pair| matches!(pair, (Part::Place(_), Part::Place(_))));
        if adjacent {
            return Err("two places need text between them: nothing says where the first ends".to_owned());
        }
        Ok(Captures::Pattern(parts))
    }

    pub(super) fn extract(&self, line: &mut Line) {
        let text = std::mem::take(&mut line.text);
        match self {
            Captures::Regexp(regex) => {
                if let Some(found) = regex.captures(&text) {
                    for name in regex.capture_names().flatten() {
                        if let Some(part) = found.name(name) {
                            line.extract(name, part.as_str().to_owned());
                        }
                    }
                }
            }
            Captures::Pattern(parts) => {
                for (name, value) in found_places(parts, &text) {
                    line.extract(name, value.to_owned());
                }
            }
        }
        line.text = text;
    }
}

/// What stands at the places, as far as the literals between them are found.
fn found_places<'a>(parts: &'a [Part], text: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut open: Option<&Option<String>> = None;
    for part in parts {
        match part {
            Part::Place(name) => open = Some(name),
            Part::Literal(literal) => {
                let Some((before, after)) = rest.split_once(literal.as_str()) else { break };
                if let Some(Some(name)) = open.take() {
                    found.push((name.as_str(), before));
                }
                rest = after;
            }
        }
    }
    // The last place takes the rest, once everything before it was found.
    if let (Some(Some(name)), Some(Part::Place(_))) = (open, parts.last()) {
        found.push((name.as_str(), rest));
    }
    found
}

/// `<name>` and `<_>` are places; any other text stands for itself.
fn parts(pattern: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let place = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        let name = place.filter(|(name, _)| is_name(name));
        if let Some((name, after)) = name {
            parts.push(Part::Place((name != "_").then(|| name.to_owned())));
            rest = after;
            continue;
        }
        match parts.last_mut() {
            Some(Part::Literal(literal)) => literal.push(first),
            _ => parts.push(Part::Literal(first.to_string())),
        }
        rest = rest.get(first.len_utf8()..).unwrap_or("");
    }
    parts
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// The pattern of `|>` as a regular expression of the whole line.
pub(in crate::logql) fn pattern_filter(pattern: &str) -> String {
    let mut regex = "(?s)^".to_owned();
    for part in parts(pattern) {
        match part {
            Part::Literal(literal) => regex.push_str(&regex::escape(&literal)),
            Part::Place(_) => regex.push_str(".+"),
        }
    }
    regex.push('$');
    regex
}
