//! Lines of a stream with where they lie: bounded, whatever the stream holds.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

/// More than any node takes as one record by default; of a longer line the rest is passed over.
pub(crate) const LINE_BYTES_MAX: usize = 4 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the next line begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes before it, of the stream as it is inflated.
    pub(crate) offset: u64,
    /// Lines before it.
    pub(crate) line: u64,
}

/// A stream, line by line.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    inner: R,
    place: Place,
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole,
    /// Longer than [`LINE_BYTES_MAX`]: only its beginning was kept.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// A stream whose bytes before `place` have been passed over.
    pub(crate) fn at(inner: R, place: Place) -> Lines<R> {
        Lines { inner, place }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Puts the next line, without its end, in the place of what `line` holds; `None` at the end of the stream.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
        line.clear();
        let is_first = self.place.offset == 0;
        let (mut length, mut is_ended) = (0u64, false);
        while !is_ended {
            let part = self.inner.fill_buf()?;
            if part.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', part);
            is_ended = end.is_some();
            let kept = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
            let room = LINE_BYTES_MAX.saturating_sub(line.len()).min(kept.len());
            line.extend_from_slice(kept.get(..room).unwrap_or_default());
            let taken = kept.len() + usize::from(is_ended);
            length += taken as u64;
            self.inner.consume(taken);
        }
        if length == 0 {
            return Ok(None);
        }
        self.place = Place { offset: self.place.offset + length, line: self.place.line + 1 };
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if is_first && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Some(if length > LINE_BYTES_MAX as u64 + 2 { Line::TooLong } else { Line::Whole }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn all(text: &[u8], capacity: usize) -> Vec<(String, u64, u64)> {
        let mut lines = Lines::at(BufReader::with_capacity(capacity, text), Place::default());
        let (mut line, mut found) = (Vec::new(), Vec::new());
        while lines.next(&mut line).unwrap().is_some() {
            let text = String::from_utf8(line.clone()).unwrap();
            found.push((text, lines.place().line, lines.place().offset));
        }
        found
    }

    #[test]
    fn lines_end_where_they_end_however_they_arrive() {
        let text = b"\xef\xbb\xbfone\r\n\ntwo\nlast";
        let expected = [("one", 1, 8), ("", 2, 9), ("two", 3, 13), ("last", 4, 17)];
        let expected = expected.map(|(text, line, offset)| (text.to_owned(), line, offset));
        for capacity in [1, 2, 3, 7, 64] {
            assert_eq!(all(text, capacity), expected, "{capacity}");
        }
    }

    #[test]
    fn of_a_line_without_an_end_only_the_beginning_is_kept() {
        let text = [vec![b'x'; LINE_BYTES_MAX + 100], b"\nshort\n".to_vec()].concat();
        let mut lines = Lines::at(text.as_slice(), Place::default());
        let mut line = Vec::new();
        assert_eq!(lines.next(&mut line).unwrap(), Some(Line::TooLong));
        assert_eq!(line.len(), LINE_BYTES_MAX);
        assert_eq!(lines.next(&mut line).unwrap(), Some(Line::Whole));
        assert_eq!(line, b"short");
    }
}
