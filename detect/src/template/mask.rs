//! Variable parts of a message become `<*>`: numbers, sizes, times, hex, UUIDs, addresses, host:port.
//!
//! One rule covers them all: a run of letters and digits is variable if it holds a digit, or is eight or more hex
//! letters. Variable runs joined by single marks (`10.0.0.1:80`, `12:30:05`, UUIDs) are one variable.

/// What stands for a variable part.
pub const MASK: &str = "<*>";
/// Hex words without a digit: shorter ones are words (`deadbeef` is not, `facade` is).
const HEX_LETTERS_MIN: usize = 8;
/// Messages are masked up to here: templates differ early, and a stack trace is not a template.
const BYTES_MAX: usize = 1_024;

/// Writes the masked message to `out`, which is emptied first. White space becomes one space.
pub fn masked(message: &str, out: &mut String) {
    out.clear();
    let bytes = message.as_bytes();
    let bytes = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let mut at = 0;
    // Where the last variable part ended in `out`; what follows it may be glue.
    let mut variable_end = usize::MAX;
    while let Some(byte) = bytes.get(at) {
        if is_word(*byte) {
            let end = at + bytes.iter().skip(at).take_while(|byte| is_word(**byte)).count();
            let word = bytes.get(at..end).unwrap_or_default();
            if is_variable(word) {
                join(out, variable_end);
                variable_end = out.len();
            } else {
                out.push_str(message.get(at..end).unwrap_or(MASK));
            }
            at = end;
        } else if byte.is_ascii_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            at += 1;
        } else {
            out.push(char::from(*byte));
            at += 1;
        }
    }
    out.truncate(out.trim_end().len());
}

/// As much of a message as templates look at, to the next whole letter.
pub(super) fn cut(message: &str) -> &str {
    let end = (BYTES_MAX..message.len()).find(|end| message.is_char_boundary(*end));
    end.and_then(|end| message.get(..end)).unwrap_or(message)
}

/// Appends a mask, or lets the one before grow over the mark between them.
fn join(out: &mut String, variable_end: usize) {
    let between = out.len().checked_sub(variable_end).unwrap_or(usize::MAX);
    let is_glued = between == 1 && out.ends_with(['.', ':', '-', '/', '@', '+', '~', '_']);
    if is_glued {
        out.truncate(variable_end);
        return;
    }
    // A sign belongs to its number.
    if out.ends_with('-') && (out.len() == 1 || out.ends_with(" -") || out.ends_with("=-")) {
        out.pop();
    }
    out.push_str(MASK);
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_variable(word: &[u8]) -> bool {
    let has_digit = word.iter().any(u8::is_ascii_digit);
    has_digit || (word.len() >= HEX_LETTERS_MIN && word.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_are_masked_whole() {
        for (message, expected) in [
            ("user 4711 from 10.0.0.1:8080", "user <*> from <*>"),
            ("took 12.5ms, 3 KB at 12:30:05", "took <*>, <*> KB at <*>"),
            ("id 550e8400-e29b-41d4-a716-446655440000 done", "id <*> done"),
            ("key deadbeef is a facade", "key <*> is a facade"),
            ("x=-5  y=0x1f", "x=<*> y=<*>"),
            ("GET /api/auth/sync/11498 completed", "GET /api/auth/sync/<*> completed"),
            ("", ""),
        ] {
            let mut out = String::new();
            masked(message, &mut out);
            assert_eq!(out, expected, "{message}");
        }
    }

    #[test]
    fn long_and_foreign_text_is_taken() {
        let mut out = String::new();
        masked(&"ü".repeat(2_000), &mut out);
        masked("größe 5", &mut out);
        assert_eq!(out, "größe <*>");
    }
}
