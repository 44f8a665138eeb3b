//! Where one message of a stream ends and the next begins, told anew for each (RFC 6587): a count of bytes in front of it, or a line
//! feed or NUL behind it.

use insighthub_model::limits::{DEAD_LETTER_RAW_BYTES_MAX, IngestLimits};

use super::messages::{Condition, Messages};

/// Digits of a count: more count more than anybody sends.
const COUNT_DIGITS_MAX: usize = 9;

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its sender closed it: the last line needs no end.
    Closed,
    /// In the middle, for all that is known.
    Broken,
}

/// What is left of a message that is too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    Nothing,
    Bytes(usize),
    Line,
}

/// Cuts what came over one connection into messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes of the buffer in which no line ends.
    searched: usize,
    skipping: Skipping,
    message_bytes_max: usize,
}

/// What the buffer begins with.
enum Begin {
    /// Where the message lies, and where what follows begins.
    Message { start: usize, end: usize, next: usize },
    /// A count that is too large, and where its message begins.
    TooLong { start: usize, length: usize },
    /// A line that has become too long, as far as it is there.
    LongLine { length: usize },
    /// Not enough is there to tell.
    Incomplete,
}

impl Framer {
    pub fn new(limits: &IngestLimits) -> Framer {
        Framer {
            buffer: Vec::new(),
            searched: 0,
            skipping: Skipping::Nothing,
            message_bytes_max: limits.record_bytes_max,
        }
    }

    /// Where to write what comes.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Bytes that wait for the rest of their message.
    pub fn waiting_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Moves whole messages over, until there is none or no room.
    pub fn take(&mut self, messages: &mut Messages, sender: &str) {
        let mut at = 0;
        while !messages.is_full() {
            at += self.skip(at);
            let rest = self.buffer.get(at..).unwrap_or_default();
            match begin(rest, self.searched, self.message_bytes_max) {
                Begin::Message { start, end, next } => {
                    messages.push_line(rest.get(start..end).unwrap_or_default(), sender, Condition::Whole);
                    (at, self.searched) = (at + next, 0);
                }
                Begin::TooLong { start, length } => {
                    let kept = length.min(DEAD_LETTER_RAW_BYTES_MAX);
                    let Some(beginning) = rest.get(start..start + kept) else { break };
                    messages.push_line(beginning, sender, Condition::TooLong);
                    (at, self.searched) = (at + start + kept, 0);
                    self.skipping = Skipping::Bytes(length - kept);
                }
                Begin::LongLine { length } => {
                    let kept = length.min(DEAD_LETTER_RAW_BYTES_MAX);
                    messages.push_line(rest.get(..kept).unwrap_or_default(), sender, Condition::TooLong);
                    (at, self.searched) = (at + kept, 0);
                    self.skipping = Skipping::Line;
                }
                Begin::Incomplete => {
                    self.searched = rest.len();
                    break;
                }
            }
        }
        self.buffer.drain(..at);
        // What one long message needed is not kept for ever.
        if self.buffer.is_empty() && self.buffer.capacity() > DEAD_LETTER_RAW_BYTES_MAX {
            self.buffer = Vec::new();
        }
    }

    /// Takes what has no end yet, once nothing more will come.
    pub fn finish(&mut self, end: End, messages: &mut Messages, sender: &str) {
        let at = self.skip(0);
        let rest = self.buffer.get(at..).unwrap_or_default();
        let is_line = count(rest) == Count::None;
        let condition = if end == End::Closed && is_line { Condition::Whole } else { Condition::CutOff };
        let kept = if condition == Condition::Whole { rest.len() } else { DEAD_LETTER_RAW_BYTES_MAX };
        messages.push_line(rest.get(..kept).unwrap_or(rest), sender, condition);
    }

    /// How much from here on belongs to a message that is given up, or to no message.
    fn skip(&mut self, at: usize) -> usize {
        let rest = self.buffer.get(at..).unwrap_or_default();
        let skipped = match self.skipping {
            Skipping::Nothing => 0,
            Skipping::Bytes(left) => left.min(rest.len()),
            Skipping::Line => memchr::memchr2(b'\n', 0, rest).unwrap_or(rest.len()),
        };
        self.skipping = match self.skipping {
            Skipping::Bytes(left) if left > skipped => Skipping::Bytes(left - skipped),
            Skipping::Line if skipped == rest.len() => Skipping::Line,
            _ => Skipping::Nothing,
        };
        if self.skipping != Skipping::Nothing {
            return skipped;
        }
        // Ends of lines between messages: some senders put one behind a message that they have counted.
        let rest = rest.get(skipped..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | 0)).count();
        if empty > 0 {
            self.searched = 0;
        }
        skipped + empty
    }
}

/// The count in front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    None,
    /// It may become one.
    Incomplete,
    Of {
        start: usize,
        length: usize,
    },
}

/// `123 <`: digits alone may as well begin a line.
fn count(rest: &[u8]) -> Count {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > COUNT_DIGITS_MAX || rest.first() == Some(&b'0') {
        return Count::None;
    }
    match (rest.get(digits), rest.get(digits + 1)) {
        (None, _) | (Some(b' '), None) => Count::Incomplete,
        (Some(b' '), Some(b'<')) => {
            let digits_sum = |sum: usize, byte: &u8| sum * 10 + usize::from(byte - b'0');
            let length = rest.iter().take(digits).fold(0, digits_sum);
            Count::Of { start: digits + 1, length }
        }
        _ => Count::None,
    }
}

fn begin(rest: &[u8], searched: usize, message_bytes_max: usize) -> Begin {
    match count(rest) {
        Count::Incomplete => Begin::Incomplete,
        Count::Of { start, length } if length > message_bytes_max => Begin::TooLong { start, length },
        Count::Of { start, length } if rest.len() >= start + length => {
            Begin::Message { start, end: start + length, next: start + length }
        }
        Count::Of { .. } => Begin::Incomplete,
        Count::None => {
            let unsearched = rest.get(searched..).unwrap_or_default();
            match memchr::memchr2(b'\n', 0, unsearched).map(|at| searched + at) {
                Some(end) if end <= message_bytes_max => Begin::Message { start: 0, end, next: end + 1 },
                None if rest.len() <= message_bytes_max => Begin::Incomplete,
                end => Begin::LongLine { length: end.unwrap_or(rest.len()) },
            }
        }
    }
}
