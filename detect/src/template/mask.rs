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

/// What a byte is; a run of letters and digits has the classes of its bytes.
const WORD: u8 = 1;
const DIGIT: u8 = 2;
/// Of a word, and no digit of a hex number.
const NO_HEX: u8 = 4;
const SPACE: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        classes[at] = match byte {
            b'0'..=b'9' => WORD | DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => WORD,
            b'g'..=b'z' | b'G'..=b'Z' | b'_' | 0x80.. => WORD | NO_HEX,
            _ if byte.is_ascii_whitespace() => SPACE,
            _ => 0,
        };
        at += 1;
    }
    classes
};

/// Writes the masked message to `out`, which is emptied first. White space becomes one space.
pub fn masked(message: &str, out: &mut String) {
    out.clear();
    let bytes = message.as_bytes();
    let bytes = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    // Literal text is copied in one piece once what follows it is known: from here on it waits.
    let (mut at, mut waiting) = (0, 0);
    // Where the last variable part ended in `out`; what follows it may be glue.
    let mut variable_end = usize::MAX;
    while let Some(byte) = bytes.get(at) {
        let class = class(*byte);
        if class & WORD != 0 {
            let (end, seen) = word(bytes, at);
            let is_cut = !message.is_char_boundary(end);
            if is_variable(end - at, seen) {
                push(message, waiting, at, out);
                join(out, variable_end);
                (variable_end, waiting) = (out.len(), end);
            } else if is_cut {
                push(message, waiting, at, out);
                out.push_str(MASK);
                waiting = end;
            }
            at = end;
            continue;
        }
        let is_first = at == waiting || bytes.get(at - 1) == Some(&b' ');
        if class == SPACE && (*byte != b' ' || is_first) {
            push(message, waiting, at, out);
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            waiting = at + 1;
        }
        at += 1;
    }
    push(message, waiting, bytes.len(), out);
    out.truncate(out.trim_end().len());
}

fn push(message: &str, from: usize, to: usize, out: &mut String) {
    out.push_str(message.get(from..to).unwrap_or_default());
}

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// The end of the word that begins at `start`, and the classes in it.
fn word(bytes: &[u8], start: usize) -> (usize, u8) {
    let (mut end, mut seen) = (start, 0);
    while let Some(class) = bytes.get(end).map(|byte| class(*byte)).filter(|class| class & WORD != 0) {
        seen |= class;
        end += 1;
    }
    (end, seen)
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

fn is_variable(length: usize, seen: u8) -> bool {
    seen & DIGIT != 0 || (length >= HEX_LETTERS_MIN && seen & NO_HEX == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// The rule, byte by byte.
    fn plainly(message: &str) -> String {
        let mut out = String::new();
        let bytes = message.as_bytes();
        let bytes = bytes.get(..BYTES_MAX).unwrap_or(bytes);
        let (mut at, mut variable_end) = (0, usize::MAX);
        while at < bytes.len() {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
            let word = bytes[at..].iter().take_while(|byte| is_word(byte)).count();
            let run = &bytes[at..at + word];
            let is_hex = word >= HEX_LETTERS_MIN && run.iter().all(u8::is_ascii_hexdigit);
            if is_hex || run.iter().any(u8::is_ascii_digit) {
                join(&mut out, variable_end);
                variable_end = out.len();
            } else if word > 0 {
                out.push_str(message.get(at..at + word).unwrap_or(MASK));
            } else if !bytes[at].is_ascii_whitespace() {
                out.push(char::from(bytes[at]));
            } else if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            at += word.max(1);
        }
        out.truncate(out.trim_end().len());
        out
    }

    proptest! {
        #[test]
        fn pieces_give_what_bytes_give(
            message in "([a-h0-9]{1,9}|[ \\t\\n]{1,2}|[-.:/@+~_=,;]|[A-Z]{2}|é|\\PC){0,40}", length in 0usize..1_100,
        ) {
            let mut out = String::new();
            for message in [message.clone(), "é".repeat(length) + &message, "x 1".repeat(length / 3) + &message] {
                masked(&message, &mut out);
                prop_assert_eq!(&out, &plainly(&message), "{}", message);
            }
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
