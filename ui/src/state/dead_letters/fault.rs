//! Where in a record the field at fault stands, and whether a mended text may be sent.

use std::ops::Range;

use crate::json;

/// Name and value of the field in the text of the record, if it is there to be marked.
pub fn place(raw: &str, field: &str) -> Option<Range<usize>> {
    let name = field.rsplit('.').next().filter(|name| !name.is_empty())?;
    let quoted = format!("\"{name}\"");
    raw.match_indices(&quoted).find_map(|(start, _)| {
        let after = raw.get(start + quoted.len()..)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let value_start = raw.len() - value.len();
        Some(start..value_start + value_length(value))
    })
}

/// How far a JSON value reaches that may be broken.
fn value_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => {
                is_quoted = !is_quoted;
                if !is_quoted && depth == 0 {
                    return at + 1;
                }
            }
            _ if is_quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 0 => return text.get(..at).unwrap_or_default().trim_end().len(),
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ',' | '\n' if depth == 0 => return text.get(..at).unwrap_or_default().trim_end().len(),
            _ => {}
        }
    }
    text.len()
}

/// Why the text cannot be sent; `None` if it can be.
pub fn problem(text: &str) -> Option<String> {
    let read = json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
    read.err().map(|error| format!("Not yet a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked<'a>(raw: &'a str, field: &str) -> &'a str {
        place(raw, field).and_then(|range| raw.get(range)).unwrap_or_default()
    }

    #[test]
    fn name_and_value_of_the_field_are_marked() {
        let raw = r#"{"service":"a \"level\" b","level" : "lo,ud","n":{"x":[1,{"y":2}],"z":3}, "ok": tru }"#;
        assert_eq!(marked(raw, "level"), r#""level" : "lo,ud""#);
        assert_eq!(marked(raw, "n.x"), r#""x":[1,{"y":2}]"#);
        assert_eq!(marked(raw, "z"), r#""z":3"#);
        assert_eq!(marked(raw, "ok"), r#""ok": tru"#);
        assert_eq!(marked(raw, "missing"), "");
        assert_eq!(marked(raw, ""), "");
    }

    #[test]
    fn a_record_that_was_cut_is_marked_to_its_end() {
        assert_eq!(marked("{\"level\":\"größ", "level"), "\"level\":\"größ");
        assert_eq!(marked("no JSON", "level"), "");
    }

    #[test]
    fn only_objects_can_be_sent() {
        assert_eq!(problem("{\"a\":1}"), None);
        assert!(["", "[1]", "{", "7"].iter().all(|text| problem(text).is_some()));
    }
}
