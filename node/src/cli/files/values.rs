//! Values that are written without their types, as in CSV: a number is one, and what only looks like one stays text.

/// Appends the value as JSON. `007`, `1e5`, `+1` and numbers that no machine type gives back are texts.
pub(crate) fn append_typed(text: &str, json: &mut Vec<u8>) {
    if is_number(text) || matches!(text, "true" | "false") {
        json.extend_from_slice(text.as_bytes());
    } else {
        append_text(text, json);
    }
}

/// Appends the value as a JSON text.
pub(crate) fn append_text(text: &str, json: &mut Vec<u8>) {
    // A text always has a JSON form, and a vector takes whatever is written.
    let written = serde_json::to_writer(json, text);
    debug_assert!(written.is_ok(), "a text is JSON");
}

/// A value as a JSON text of its own.
pub(crate) fn typed(text: &str) -> String {
    let mut json = Vec::new();
    append_typed(text, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}

/// A text as a JSON text of its own.
pub(crate) fn text(text: &str) -> String {
    let mut json = Vec::new();
    append_text(text, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_canonical = are_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    match fraction {
        None => is_canonical && text != "-0" && text.parse::<i64>().is_ok(),
        // More digits than a double holds are not meant to be calculated with.
        Some(fraction) => is_canonical && are_digits(fraction) && whole.len() + fraction.len() <= 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_number_beyond_doubt_becomes_one() {
        for number in ["0", "-1", "500", "12.50", "-0.5", "9223372036854775807", "true", "false"] {
            assert_eq!(typed(number), number);
        }
        for text in
            ["", "007", "-0", "1e5", "+1", "1.", ".5", "9223372036854775808", "NaN", "1 000", "True", "null"]
        {
            assert_eq!(typed(text), format!("{text:?}"));
        }
        assert_eq!(typed("a \"b\"\n"), r#""a \"b\"\n""#);
    }
}
