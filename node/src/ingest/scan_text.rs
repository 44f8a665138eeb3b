//! Strings of JSON text: read in place where they hold no escape, unescaped into an arena otherwise.
//!
//! Half of a record's time goes here, hence the eight bytes at a time.

use super::scan::{Scanned, Scanner};

/// A text of the record: as it was sent, or unescaped into the arena of the record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    Sent(&'a str),
    Arena { start: usize, end: usize },
}

impl<'a> Text<'a> {
    pub(super) fn of<'b>(self, arena: &'b str) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Text::Sent(text) => text,
            Text::Arena { start, end } => arena.get(start..end).unwrap_or_default(),
        }
    }
}

impl<'a> Scanner<'a> {
    /// A string; the next byte is its opening quote.
    #[inline]
    pub(super) fn string(&mut self, arena: &mut String) -> Scanned<Text<'a>> {
        let start = self.at + 1;
        self.at = start;
        self.skip_plain();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Text::Sent(self.slice(start, self.at - 1)));
        }
        self.unescape(start, arena)
    }

    /// The rest of a string that holds an escape or is broken, from `start` on, into the arena.
    fn unescape(&mut self, start: usize, arena: &mut String) -> Scanned<Text<'a>> {
        let from = arena.len();
        let mut plain_from = start;
        loop {
            arena.push_str(self.slice(plain_from, self.at));
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::Arena { start: from, end: arena.len() });
                }
                Some(b'\\') => {
                    let character = self.escape()?;
                    arena.push(character);
                }
                Some(_) => return self.broken("a control character in a string must be escaped"),
                None => return self.broken("the text ends inside a string"),
            }
            plain_from = self.at;
            self.skip_plain();
        }
    }

    /// One escape; the next byte is its backslash.
    fn escape(&mut self) -> Scanned<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let character = match letter {
            Some(b'u') => return self.unicode_escape(),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return self.broken("unknown escape after '\\'"),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Scanned<char> {
        const HALF: &str = "half a surrogate pair: the \\u escape names no character";
        let first = self.four_hex_digits(self.at)?;
        let (code, length) = match first {
            0xD800..=0xDBFF if self.slice_bytes(self.at + 6, 2) == b"\\u" => {
                let second = self.four_hex_digits(self.at + 6)?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return self.broken(HALF);
                }
                (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            other => (other, 6),
        };
        let Some(character) = char::from_u32(code) else {
            return self.broken(HALF);
        };
        self.at += length;
        Ok(character)
    }

    /// The number of a `\u` escape, that of its four hex digits, at an offset.
    fn four_hex_digits(&self, at: usize) -> Scanned<u32> {
        let digits = self.slice_bytes(at + 2, 4);
        let mut number = 0;
        for byte in digits {
            match char::from(*byte).to_digit(16) {
                Some(digit) => number = number * 16 + digit,
                None => return self.broken("expected four hex digits after '\\u'"),
            }
        }
        if digits.len() < 4 {
            return self.broken("expected four hex digits after '\\u'");
        }
        Ok(number)
    }

    pub(super) fn slice_bytes(&self, from: usize, length: usize) -> &'a [u8] {
        self.text.as_bytes().get(from..).map_or(&[], |rest| rest.get(..length).unwrap_or(rest))
    }

    /// Moves to the next quote, backslash or control character, or to the end.
    #[inline]
    fn skip_plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += plain_length(rest);
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes before the first quote, backslash or control character, eight at a time.
///
/// Exchanging 0x20 with 0x22 and so on (`^ 2`) puts the quote right above the control characters, so that
/// one comparison finds both. A borrow can only mark bytes above a true hit, and the lowest hit is used.
#[inline(always)]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
        let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
        let hits = (quote_or_control | backslash) & !word & HIGHS;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = after;
    }
    let stops = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

/// JSON text without the white space between its tokens, appended to the arena.
pub(super) fn push_compact(json: &str, arena: &mut String) {
    let mut inside_string = false;
    let mut escaped = false;
    for character in json.chars() {
        let space = matches!(character, ' ' | '\n' | '\r' | '\t');
        if inside_string || !space {
            arena.push(character);
        }
        match character {
            '"' if !escaped => inside_string = !inside_string,
            '\\' if inside_string && !escaped => {
                escaped = true;
                continue;
            }
            _ => {}
        }
        escaped = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Scanned<String> {
        let mut arena = String::new();
        let found = Scanner::new(text).string(&mut arena)?;
        Ok(found.of(&arena).to_owned())
    }

    #[test]
    fn every_escape_is_read() {
        let text = read(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z""#).unwrap();
        assert_eq!(text, "a\"\\/\u{8}\u{c}\n\r\té😀z");
    }

    #[test]
    fn broken_strings_are_refused() {
        for text in [
            "\"abc",
            "\"a\nb\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\"#,
        ] {
            assert!(read(text).is_err(), "{text} was taken");
        }
    }

    proptest! {
        #[test]
        fn plain_length_stops_at_the_first_special_byte(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let expected = bytes
                .iter()
                .position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')
                .unwrap_or(bytes.len());
            prop_assert_eq!(plain_length(&bytes), expected);
        }

        #[test]
        fn any_string_reads_back_what_was_written(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(read(&json), Ok(text));
        }
    }
}
