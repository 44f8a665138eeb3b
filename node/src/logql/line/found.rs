//! What a parser would find in a line, for those who ask which fields there are.

use serde_json::Value;

use super::{json, logfmt};

/// Paths in a line that are looked at: objects may have names without end.
const FOUND_MAX: usize = 200;

/// A name in a line with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub value: String,
    /// The stage that finds it.
    pub parser: &'static str,
    /// The names on the way to it, in JSON.
    pub path: Option<Vec<String>>,
}

/// Of JSON where the line is an object, else of logfmt where at least two words have a value.
pub fn found_in(text: &str) -> Vec<Found> {
    if text.trim_start().starts_with('{')
        && let Ok(object @ Value::Object(_)) = serde_json::from_str::<Value>(text)
    {
        let mut found = Vec::new();
        walk(&object, &mut Vec::new(), &mut found);
        return found;
    }
    let pairs = logfmt::pairs(text);
    if pairs.len() < 2 {
        return Vec::new();
    }
    let pairs = pairs.into_iter().take(FOUND_MAX);
    pairs.map(|(name, value)| Found { name: name.to_owned(), value, parser: "logfmt", path: None }).collect()
}

fn walk(value: &Value, path: &mut Vec<String>, found: &mut Vec<Found>) {
    if found.len() >= FOUND_MAX {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(name.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        scalar => {
            if let Some(value) = json::text_of_scalar(scalar) {
                found.push(Found { name: path.join("_"), value, parser: "json", path: Some(path.clone()) });
            }
        }
    }
}
