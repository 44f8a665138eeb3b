//! The body that a node makes of the messages that came over a connection or as datagrams: each with its length in front, so that
//! it is read again as it was cut, and in UTF-8.

use insighthub_model::limits::IngestLimits;

/// What one batch may hold: large enough for a commit to pay, small enough for many connections at once.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Condition, length of the sender, length of the message.
const HEAD_BYTES: usize = 6;

/// Whether all of a message is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Whole = 0,
    /// Longer than a record may be: its beginning.
    TooLong = 1,
    /// The connection ended before it did.
    CutOff = 2,
}

/// Messages that are stored together.
#[derive(Debug)]
pub struct Messages {
    bytes: Vec<u8>,
    count: usize,
    count_max: usize,
    bytes_max: usize,
}

impl Messages {
    pub fn new(limits: &IngestLimits) -> Messages {
        let bytes_max = BATCH_BYTES_MAX.min(limits.inflated_bytes_max / 2);
        Messages { bytes: Vec::new(), count: 0, count_max: limits.records_max, bytes_max }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn is_full(&self) -> bool {
        self.count >= self.count_max || self.bytes.len() >= self.bytes_max
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The body of a request.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A datagram: one message, or several lines that each begin like one. Other lines belong to the message before them.
    pub fn push_datagram(&mut self, datagram: &[u8], sender: &str) {
        let mut start = 0;
        for at in memchr::memchr_iter(b'\n', datagram) {
            let next = datagram.get(at + 1..).unwrap_or_default();
            if begins_with_priority(next) {
                self.push_line(datagram.get(start..at).unwrap_or_default(), sender, Condition::Whole);
                start = at + 1;
            }
        }
        self.push_line(datagram.get(start..).unwrap_or_default(), sender, Condition::Whole);
    }

    /// A message without what ends it; one that holds nothing is none.
    pub(super) fn push_line(&mut self, line: &[u8], sender: &str, condition: Condition) {
        let length = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0)).map_or(0, |at| at + 1);
        let line = line.get(..length).unwrap_or_default();
        if !line.iter().all(|byte| *byte == b' ') {
            self.push(line, sender, condition);
        }
    }

    fn push(&mut self, message: &[u8], sender: &str, condition: Condition) {
        let sender = if sender.len() > usize::from(u8::MAX) { "" } else { sender };
        let head = self.bytes.len();
        self.bytes.extend([condition as u8, sender.len() as u8, 0, 0, 0, 0]);
        self.bytes.extend_from_slice(sender.as_bytes());
        let start = self.bytes.len();
        match std::str::from_utf8(message) {
            Ok(_) => self.bytes.extend_from_slice(message),
            // Old devices write Latin-1; whatever it is, no byte of it is lost.
            Err(_) => message.iter().for_each(|byte| {
                self.bytes.extend_from_slice(char::from(*byte).encode_utf8(&mut [0; 4]).as_bytes());
            }),
        }
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(head + 2..head + HEAD_BYTES) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self.count += 1;
    }
}

/// `<134>`
fn begins_with_priority(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"<") else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=3).contains(&digits) && rest.get(digits) == Some(&b'>')
}

/// One message of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub offset: usize,
    pub condition: Condition,
    /// The address it came from; empty for this machine.
    pub sender: &'a str,
    pub raw: &'a [u8],
}

/// The messages of a body that are not read yet.
#[derive(Debug)]
pub(super) struct Unread<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Unread<'a> {
    pub(super) fn new(body: &'a [u8]) -> Unread<'a> {
        Unread { body, at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Found<'a>> {
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let offset = self.at;
        let found = Unread::split(rest, offset);
        // No body of ours is broken; what follows would be anybody's guess.
        let found = found.unwrap_or(Found { offset, condition: Condition::CutOff, sender: "", raw: rest });
        self.at = match found.condition {
            Condition::CutOff if found.raw.len() == rest.len() => self.body.len(),
            _ => offset + HEAD_BYTES + found.sender.len() + found.raw.len(),
        };
        Some(found)
    }

    fn split(rest: &'a [u8], offset: usize) -> Option<Found<'a>> {
        let ([condition, sender, a, b, c, d], rest) = rest.split_first_chunk::<HEAD_BYTES>()?;
        let condition = match condition {
            0 => Condition::Whole,
            1 => Condition::TooLong,
            2 => Condition::CutOff,
            _ => return None,
        };
        let (sender, rest) = rest.split_at_checked(usize::from(*sender))?;
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        let (raw, _) = rest.split_at_checked(length)?;
        Some(Found { offset, condition, sender: std::str::from_utf8(sender).ok()?, raw })
    }
}
