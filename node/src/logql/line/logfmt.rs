//! `logfmt`: lines such as `level=info msg="it is done" took=3ms`.

use super::Line;
use crate::logql::ast::Extraction;

pub(super) fn extract(line: &mut Line, extractions: &[Extraction]) {
    let text = std::mem::take(&mut line.text);
    let found = pairs(&text);
    if extractions.is_empty() {
        found.into_iter().for_each(|(name, value)| line.extract(name, value));
    } else {
        for Extraction { label, path } in extractions {
            let value = found.iter().find(|(name, _)| *name == path.as_str()).map(|(_, value)| value.clone());
            line.extract(label, value.unwrap_or_default());
        }
    }
    line.text = text;
}

/// Keys with their values; words without a value are passed over.
pub(super) fn pairs(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = rest.find(|char: char| char == '=' || char.is_whitespace()).unwrap_or(rest.len());
        let Some((key, after)) = rest.split_at_checked(length) else { break };
        let Some(value) = after.strip_prefix('=') else {
            rest = after.trim_start();
            continue;
        };
        let (value, after) = value_of(value);
        if !key.is_empty() && !key.contains('"') {
            found.push((key, value));
        }
        rest = after.trim_start();
    }
    found
}

fn value_of(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let length = text.find(char::is_whitespace).unwrap_or(text.len());
        let (value, after) = text.split_at_checked(length).unwrap_or((text, ""));
        return (value.to_owned(), after);
    };
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, inner.get(at + 1..).unwrap_or("")),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => {}
            },
            other => value.push(other),
        }
    }
    (value, "")
}
