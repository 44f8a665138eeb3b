//! The elements of a JSON array, however it is laid out: found by their brackets, not read.

use std::io::{self, BufRead};

use super::lines::{LINE_BYTES_MAX, Place};
use super::records::{Found, Is, too_long};
use super::shaping::Shaper;

/// An array that is read element by element.
#[derive(Debug)]
pub(crate) struct Elements<R> {
    inner: R,
    place: Place,
    /// Whether the bracket that opens the whole array is behind.
    is_opened: bool,
    element: Vec<u8>,
}

/// Where in an element a byte is.
#[derive(Debug, Default)]
struct Nesting {
    depth: u32,
    is_in_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Whether the byte belongs to the element, or ends it.
    fn holds(&mut self, byte: u8) -> bool {
        if self.is_in_text {
            let is_end = byte == b'"' && !self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            self.is_in_text = !is_end;
            return true;
        }
        match byte {
            b'"' => self.is_in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b',' | b']' | b'}' if self.depth == 0 => return false,
            _ => {}
        }
        true
    }
}

impl<R: BufRead> Elements<R> {
    /// A stream whose bytes before `place` have been passed over.
    pub(crate) fn at(inner: R, place: Place) -> Elements<R> {
        Elements { inner, place, is_opened: place.offset > 0, element: Vec::new() }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn next(&mut self, shaper: &Shaper, body: &mut Vec<u8>) -> io::Result<Option<Found>> {
        loop {
            let Some(line) = self.take_element()? else { return Ok(None) };
            let element = self.element.trim_ascii();
            let is = if element.len() > LINE_BYTES_MAX {
                Is::Refused(too_long())
            } else if element.is_empty() {
                continue;
            } else {
                shaper.json(element, body);
                Is::Record
            };
            return Ok(Some(Found { line, end: self.place, is }));
        }
    }

    /// Puts the next element in its place; answers the line it begins at.
    fn take_element(&mut self) -> io::Result<Option<u64>> {
        self.element.clear();
        let mut nesting = Nesting::default();
        let mut line = None;
        loop {
            let part = self.inner.fill_buf()?;
            if part.is_empty() {
                return Ok(line);
            }
            let (mut taken, mut is_over) = (0, false);
            for byte in part {
                taken += 1;
                self.place.offset += 1;
                self.place.line += u64::from(*byte == b'\n');
                if !self.is_opened {
                    self.is_opened = *byte == b'[';
                    continue;
                }
                let is_between = byte.is_ascii_whitespace() || matches!(byte, b',' | b']');
                if line.is_none() && is_between {
                    continue;
                }
                line.get_or_insert(self.place.line + 1);
                is_over = !nesting.holds(*byte);
                if is_over {
                    break;
                }
                if self.element.len() <= LINE_BYTES_MAX {
                    self.element.push(*byte);
                }
            }
            self.inner.consume(taken);
            if is_over {
                return Ok(line);
            }
        }
    }
}
