//! Where the variables of a message are: numbers, decimal fractions, ids, UUIDs.

/// What a byte is to the search for variables; a run has the classes of its bytes.
const OTHER: u8 = 0;
const LETTER: u8 = 1;
const HEX_LETTER: u8 = 2;
const DIGIT: u8 = 4;

/// A run of `a` to `f` alone is taken for an id from this length on: few words are spelt so.
const HEX_WORD_BYTES_MIN: usize = 6;
const UUID_BYTES: usize = 36;
const UUID_GROUP_BYTES: usize = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => HEX_LETTER,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

fn class(text: &[u8], at: usize) -> u8 {
    text.get(at).and_then(|byte| CLASSES.get(usize::from(*byte))).copied().unwrap_or(OTHER)
}

/// The end of the run of letters and digits at `start`, and the classes in it.
fn run(text: &[u8], start: usize) -> (usize, u8) {
    let (mut end, mut seen) = (start, 0);
    loop {
        let class = class(text, end);
        if class == OTHER {
            return (end, seen);
        }
        seen |= class;
        end += 1;
    }
}

/// Visits start and end of each variable, in order and without overlap. All stand on ASCII bytes.
pub(crate) fn for_each_variable(text: &str, mut visit: impl FnMut(usize, usize)) {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        if class(text, at) == OTHER {
            at += 1;
            continue;
        }
        let (end, seen) = run(text, at);
        let variable_end = variable_end(text, at, end, seen);
        if let Some(end) = variable_end {
            visit(at, end);
        }
        at = variable_end.unwrap_or(end);
    }
}

fn variable_end(text: &[u8], start: usize, end: usize, seen: u8) -> Option<usize> {
    let length = end - start;
    if length == UUID_GROUP_BYTES
        && seen & LETTER == 0
        && text.get(end) == Some(&b'-')
        && is_uuid(text, start)
    {
        return Some(start + UUID_BYTES);
    }
    if seen & DIGIT == 0 {
        return (seen == HEX_LETTER && length >= HEX_WORD_BYTES_MIN).then_some(end);
    }
    if seen == DIGIT && text.get(end) == Some(&b'.') && class(text, end + 1) == DIGIT {
        // One point makes a fraction, with a unit behind it or not; more of them an address or a version.
        let (fraction_end, _) = run(text, end + 1);
        let goes_on = text.get(fraction_end) == Some(&b'.') && class(text, fraction_end + 1) == DIGIT;
        let is_inside = start.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'.');
        if !goes_on && !is_inside {
            return Some(fraction_end);
        }
    }
    Some(end)
}

fn is_uuid(text: &[u8], start: usize) -> bool {
    let Some(candidate) = text.get(start..start + UUID_BYTES) else { return false };
    let is_alone = class(text, start + UUID_BYTES) == OTHER;
    is_alone
        && candidate.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> String {
        let (mut out, mut before) = (String::new(), 0);
        for_each_variable(text, |start, end| {
            out += &text[before..start];
            out += "*";
            before = end;
        });
        out + &text[before..]
    }

    #[test]
    fn variables_are_what_differs_from_row_to_row() {
        for (text, expected) in [
            ("GET /api/items/42 200 in 12.5ms", "GET /api/items/* * in *"),
            ("from 10.0.0.17:8080 at v1.2.3", "from *.*.*.*:* at *.*.*"),
            ("charge ch_0f3a12 deadbeef facade", "charge ch_* * *"),
            ("dead beef added", "dead beef added"),
            ("id 7e57d004-2b97-0e7a-beef-5387367791cd.", "id *."),
            ("7e57d004-2b97-0e7a-beef-5387367791cdx", "*-*-*-beef-*"),
            ("größe42 é1 x=1. 2..3 .5 1.x", "größ* é* x=*. *..* .* *.x"),
            ("", ""),
            ("no variables here", "no variables here"),
        ] {
            assert_eq!(pattern(text), expected, "{text}");
        }
    }
}
