//! The parts of JSON, one after the other: RFC 8259. Must not know the types that are made of them.

use std::borrow::Cow;

use insighthub_model::decimal;
use serde::de::Error;

use super::error::JsonError;

/// As deep as lists and objects may lie in each other: each level takes its share of the stack.
const DEPTH_MAX: u32 = 128;

pub(super) type Read<T> = Result<T, JsonError>;

/// A text and how far it has been read.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

#[derive(Clone, Copy)]
pub(super) enum Number {
    Natural(u64),
    Negative(i64),
    Float(f64),
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0, depth: 0 }
    }

    /// Line and column, from 1.
    pub(super) fn place(&self) -> (usize, usize) {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    pub(super) fn fail<T>(&self, reason: &str) -> Read<T> {
        Err(JsonError::custom(reason).at(self))
    }

    /// Nothing may follow the value.
    pub(super) fn end(&mut self, is_due: bool) -> Read<()> {
        if is_due && self.peek().is_some() { self.fail("expected the end") } else { Ok(()) }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn skip_if(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// `[` or `{`.
    pub(super) fn open(&mut self, bracket: u8) -> Read<()> {
        if !self.skip_if(bracket) {
            return self.fail(if bracket == b'[' { "expected a list" } else { "expected an object" });
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX { self.fail("this lies too deep") } else { Ok(()) }
    }

    /// `]` or `}`.
    pub(super) fn close(&mut self, bracket: u8) -> Read<()> {
        if !self.skip_if(bracket) {
            return self.fail(if bracket == b']' { "expected the end of the list" } else { "expected `}`" });
        }
        self.depth -= 1;
        Ok(())
    }

    /// Whether another item of a list follows; goes past the comma before it.
    pub(super) fn has_item(&mut self, is_first: &mut bool) -> Read<bool> {
        self.has_next(is_first, b']', "expected `,` or `]`")
    }

    /// Whether another field of an object follows; goes past the comma before it.
    pub(super) fn has_field(&mut self, is_first: &mut bool) -> Read<bool> {
        if !self.has_next(is_first, b'}', "expected `,` or `}`")? {
            return Ok(false);
        }
        if self.peek() == Some(b'"') { Ok(true) } else { self.fail("expected the name of a field in quotes") }
    }

    fn has_next(&mut self, is_first: &mut bool, bracket: u8, reason: &str) -> Read<bool> {
        if self.peek() == Some(bracket) {
            return Ok(false);
        }
        if !std::mem::take(is_first) && !self.skip_if(b',') {
            return self.fail(reason);
        }
        if self.peek() == Some(bracket) && bracket == b']' { self.fail("expected a value") } else { Ok(true) }
    }

    /// Between the name of a field and its value.
    pub(super) fn colon(&mut self) -> Read<()> {
        if self.skip_if(b':') { Ok(()) } else { self.fail("expected `:`") }
    }

    pub(super) fn null(&mut self) -> Read<()> {
        self.word("null")
    }

    pub(super) fn boolean(&mut self) -> Read<bool> {
        match self.peek() {
            Some(b't') => self.word("true").map(|()| true),
            Some(b'f') => self.word("false").map(|()| false),
            _ => self.fail("expected true or false"),
        }
    }

    fn word(&mut self, word: &str) -> Read<()> {
        self.peek();
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            self.fail("expected a value")
        }
    }

    pub(super) fn number(&mut self) -> Read<Number> {
        self.peek();
        let (start, is_whole) = (self.at, self.pass_number()?);
        let text = self.text.get(start..self.at).unwrap_or_default();
        if is_whole && text != "-0" {
            if let Ok(number) = text.parse() {
                return Ok(Number::Natural(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Number::Negative(number));
            }
        }
        match decimal::nearest(text) {
            Some(number) => Ok(Number::Float(number)),
            None => self.fail("the number is too large"),
        }
    }

    /// Goes past a number; whether it has neither a fraction nor an exponent.
    fn pass_number(&mut self) -> Read<bool> {
        self.at += usize::from(self.byte() == Some(b'-'));
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        let whole = self.at;
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.pass_digits()?;
        }
        Ok(self.at == whole)
    }

    fn pass_digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a number") } else { Ok(()) }
    }

    /// A text in quotes; a part of what is read, unless something is escaped in it.
    pub(super) fn string(&mut self) -> Read<Cow<'a, str>> {
        if !self.skip_if(b'"') {
            return self.fail("expected a text in quotes");
        }
        let mut whole = String::new();
        loop {
            let start = self.at;
            while self.byte().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            let part = self.text.get(start..self.at).unwrap_or_default();
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(if whole.is_empty() {
                        Cow::Borrowed(part)
                    } else {
                        whole.push_str(part);
                        Cow::Owned(whole)
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    whole.push_str(part);
                    whole.push(self.escaped()?);
                }
                Some(_) => return self.fail("a text cannot hold a control character"),
                None => return self.fail("expected the end of the text"),
            }
        }
    }

    /// What a backslash and what follows it stand for.
    fn escaped(&mut self) -> Read<char> {
        let Some(byte) = self.byte() else { return self.fail("expected the end of the text") };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return self.fail("nothing is escaped so"),
        })
    }

    /// Four digits, or twice four for what lies beyond them (UTF-16).
    fn unicode(&mut self) -> Read<char> {
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code)
            && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
        {
            self.at += 2;
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        match char::from_u32(code) {
            Some(found) => Ok(found),
            None => self.fail("half of a character"),
        }
    }

    fn four_digits(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| !digits.starts_with('+'));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.fail("expected four digits"),
        }
    }

    /// Goes past a value of any kind: its text.
    pub(super) fn skip(&mut self) -> Read<&'a str> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => drop(self.string()?),
            Some(b'-' | b'0'..=b'9') => drop(self.pass_number()?),
            Some(b't' | b'f') => drop(self.boolean()?),
            Some(b'[') => {
                self.open(b'[')?;
                let mut is_first = true;
                while self.has_item(&mut is_first)? {
                    self.skip()?;
                }
                self.close(b']')?;
            }
            Some(b'{') => {
                self.open(b'{')?;
                let mut is_first = true;
                while self.has_field(&mut is_first)? {
                    self.string()?;
                    self.colon()?;
                    self.skip()?;
                }
                self.close(b'}')?;
            }
            _ => self.null()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }
}
