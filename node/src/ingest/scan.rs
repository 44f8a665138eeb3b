//! Reads JSON text token by token, in place, without building a tree and without `unsafe`.
//!
//! Knows JSON (RFC 8259) and nothing of records. Strict: control characters, half surrogate pairs,
//! leading zeros and `NaN` are errors, because what is taken here is given back as JSON later.

use super::scan_text::Text;

/// Why a text is no JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScanError {
    /// Byte offset in the scanned text.
    pub at: usize,
    pub problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// What was expected or what is wrong, as the end of a sentence.
    Broken(&'static str),
    /// Nested past the limit.
    TooDeep,
    /// A number that no double can approach (`1e400`).
    NumberTooLarge,
}

pub(super) type Scanned<T> = Result<T, ScanError>;

/// A cursor over one JSON text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text between two offsets that this scanner gave.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn broken<T>(&self, problem: &'static str) -> Scanned<T> {
        Err(ScanError { at: self.at, problem: Problem::Broken(problem) })
    }

    #[inline]
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; does not take it.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    /// Takes the next byte that is no white space if it is this one.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Whether `{}` is next.
    pub(super) fn is_at_empty_object(&self) -> bool {
        let mut ahead = Scanner { text: self.text, at: self.at };
        ahead.take(b'{') && ahead.take(b'}')
    }

    /// Takes these bytes if they are next. White space in front of others is not passed over.
    #[inline]
    pub(super) fn take_exact(&mut self, text: &str) -> bool {
        let found = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// A member's name and its colon.
    #[inline]
    pub(super) fn key(&mut self, arena: &mut String) -> Scanned<Text<'a>> {
        if self.peek() != Some(b'"') {
            return self.broken("expected a field name in double quotes");
        }
        let key = self.string(arena)?;
        match self.take(b':') {
            true => Ok(key),
            false => self.broken("expected ':' after the field name"),
        }
    }

    /// After a member: true when another follows, false when the object has ended.
    #[inline]
    pub(super) fn another_member(&mut self) -> Scanned<bool> {
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(b'}') => {
                self.at += 1;
                return Ok(false);
            }
            None => return self.broken("the text ends inside an object"),
            Some(_) => return self.broken("expected ',' or '}'"),
        }
        Ok(true)
    }

    /// A number's text; the next byte is `-` or a digit.
    #[inline]
    pub(super) fn number(&mut self) -> Scanned<&'a str> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => return self.broken("expected a digit"),
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        match self.byte() {
            None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') => Ok(self.slice(start, self.at)),
            Some(_) => self.broken("this is no number"),
        }
    }

    #[inline]
    fn skip_digits(&mut self) {
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Scanned<()> {
        let start = self.at;
        self.skip_digits();
        if self.at == start { self.broken("expected a digit") } else { Ok(()) }
    }

    /// `true`, `false` or `null`.
    #[inline]
    pub(super) fn literal(&mut self, word: &'static str) -> Scanned<()> {
        let found = self.slice_bytes(self.at, word.len()) == word.as_bytes();
        let after = self.text.as_bytes().get(self.at + word.len()).copied();
        if !found || after.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return self.broken("expected a value: text, number, true, false, null, [ or {");
        }
        self.at += word.len();
        Ok(())
    }

    /// Checks any value, nested at most `depth_left` deep, and moves past it.
    pub(super) fn skip_value(&mut self, depth_left: usize, arena: &mut String) -> Scanned<()> {
        match self.peek() {
            Some(b'"') => {
                let keep = arena.len();
                self.string(arena)?;
                arena.truncate(keep);
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let at = self.at;
                match super::number::is_finite(self.number()?) {
                    true => Ok(()),
                    false => Err(ScanError { at, problem: Problem::NumberTooLarge }),
                }
            }
            Some(b'{' | b'[') if depth_left == 0 => Err(ScanError { at: self.at, problem: Problem::TooDeep }),
            Some(b'{') => self.skip_object(depth_left - 1, arena),
            Some(b'[') => self.skip_array(depth_left - 1, arena),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            None => self.broken("the text ends where a value is expected"),
            Some(_) => self.broken("expected a value: text, number, true, false, null, [ or {"),
        }
    }

    fn skip_object(&mut self, depth_left: usize, arena: &mut String) -> Scanned<()> {
        self.at += 1;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let keep = arena.len();
            self.key(arena)?;
            arena.truncate(keep);
            self.skip_value(depth_left, arena)?;
            if !self.another_member()? {
                return Ok(());
            }
        }
    }

    fn skip_array(&mut self, depth_left: usize, arena: &mut String) -> Scanned<()> {
        self.at += 1;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.skip_value(depth_left, arena)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                None => return self.broken("the text ends inside an array"),
                Some(_) => return self.broken("expected ',' or ']'"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_taken_exactly_when_another_reader_takes_it(text in r#"[\[\]{}",:0-9a-e.+\\truefalsn -]{0,12}"#) {
            let mut scanner = Scanner::new(&text);
            let taken = scanner.skip_value(64, &mut String::new()).is_ok() && scanner.peek().is_none();
            let other = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(taken, other, "{}", text);
        }
    }
}
