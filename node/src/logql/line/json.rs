//! `json` and `unpack`: lines that are a JSON object.

use serde_json::Value;

use super::Line;
use crate::logql::ast::Extraction;

const FAILED: &str = "JSONParserErr";

/// Takes out every scalar, names of inner objects joined by `_`, or what the paths say.
pub(super) fn extract(line: &mut Line, extractions: &[Extraction]) {
    let object: Value = match serde_json::from_str(&line.text) {
        Ok(object @ Value::Object(_)) => object,
        Ok(_) => return line.fail(FAILED, "the line is no JSON object".to_owned()),
        Err(error) => return line.fail(FAILED, error.to_string()),
    };
    if extractions.is_empty() {
        let mut found = Vec::new();
        flatten("", &object, &mut found);
        found.into_iter().for_each(|(name, value)| line.extract(&name, value));
        return;
    }
    for Extraction { label, path } in extractions {
        let value = at_path(&object, path).and_then(text).unwrap_or_default();
        line.extract(label, value);
    }
}

/// Labels that were packed into a line, and the line itself as `_entry`.
pub(super) fn unpack(line: &mut Line) {
    let Ok(Value::Object(packed)) = serde_json::from_str::<Value>(&line.text) else {
        return line.fail(FAILED, "the line is no JSON object".to_owned());
    };
    for (name, value) in packed {
        let Value::String(value) = value else { continue };
        match name.as_str() {
            "_entry" => line.text = value,
            _ => line.extract(&name, value),
        }
    }
}

/// The scalars of a value with their names. Arrays are left out: they have no names.
fn flatten(prefix: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}_{name}") };
                flatten(&name, value, found);
            }
        }
        scalar => found.extend(text_of_scalar(scalar).map(|text| (prefix.to_owned(), text))),
    }
}

/// `None` for what has no name of its own or no value.
pub(super) fn text_of_scalar(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) | Value::Array(_) => None,
        scalar => text(scalar),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// `request.headers["x-id"][0]`
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = value;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = inner.split_once(']')?;
            value = match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
                Some(name) => value.get(name)?,
                None => value.get(key.trim().parse::<usize>().ok()?)?,
            };
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let length = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(length)?;
        value = value.get(name)?;
        rest = after;
    }
    Some(value)
}
