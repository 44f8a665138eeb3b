//! `logproto.PushRequest`: streams of labels, entries and their structured metadata.

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;

use super::entries::{Entries, Entry, Unread};
use super::labels;
use crate::ingest::protocols::protobuf::{Message, WireError};
use crate::ingest::rejection::{Read, RecordError, RequestError};
use crate::ingest::scan_text::Text;

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// Why reading ends.
enum Stop {
    /// The rest is kept and refused.
    Here(Box<RecordError>),
    Request(RequestError),
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Stop {
        Stop::Here(RecordError::whole(format!("the protobuf is broken: {error}")))
    }
}

impl From<Box<RecordError>> for Stop {
    fn from(error: Box<RecordError>) -> Stop {
        Stop::Here(error)
    }
}

impl From<RequestError> for Stop {
    fn from(error: RequestError) -> Stop {
        Stop::Request(error)
    }
}

pub(super) fn read<'a>(body: &'a [u8], limits: &IngestLimits) -> Result<Entries<'a>, RequestError> {
    let mut entries = Entries::default();
    let mut request = Message::new(body);
    loop {
        let raw = request.rest();
        let offset = body.len() - raw.len();
        match next_stream(&mut request, offset, &mut entries, limits) {
            Ok(true) => {}
            Ok(false) => return Ok(entries),
            Err(Stop::Request(error)) => return Err(error),
            Err(Stop::Here(error)) => {
                entries.unread = Some(Unread { offset, raw, error: *error });
                return Ok(entries);
            }
        }
    }
}

/// Reads the next stream; false at the end.
fn next_stream<'a>(
    request: &mut Message<'a>,
    offset: usize,
    entries: &mut Entries<'a>,
    limits: &IngestLimits,
) -> Result<bool, Stop> {
    let Some(field) = request.next()? else { return Ok(false) };
    if field.number != 1 {
        return Ok(true);
    }
    let stream = entries.begin_stream();
    let mut message = Message::new(field.bytes()?);
    while let Some(field) = message.next()? {
        match field.number {
            1 => {
                let labels = labels::read(field.text()?, &mut entries.arena)?;
                entries.set_labels(stream, labels);
            }
            2 => {
                let entry = entry(field.bytes()?, stream, offset, entries)?;
                entries.push(entry, limits)?;
            }
            _ => {}
        }
    }
    Ok(true)
}

fn entry<'a>(
    bytes: &'a [u8],
    stream: usize,
    offset: usize,
    entries: &mut Entries<'a>,
) -> Result<Entry<'a>, Stop> {
    let (mut moment, mut line) = (moment(&[])?, "");
    let start = entries.keep([]).start;
    let mut message = Message::new(bytes);
    while let Some(field) = message.next()? {
        match field.number {
            1 => moment = self::moment(field.bytes()?)?,
            2 => line = field.text()?,
            3 => {
                let pair = pair(field.bytes()?)?;
                entries.keep([pair]);
            }
            _ => {}
        }
    }
    let metadata = start..entries.keep([]).end;
    Ok(Entry { offset, stream, moment, line: Text::Sent(line), metadata })
}

/// `google.protobuf.Timestamp`. One out of range refuses its entry alone.
fn moment(bytes: &[u8]) -> Result<Read<Timestamp>, WireError> {
    let (mut secs, mut nanos) = (0, 0);
    let mut message = Message::new(bytes);
    while let Some(field) = message.next()? {
        match field.number {
            1 => secs = field.number()? as i64,
            2 => nanos = field.number()? as i64,
            _ => {}
        }
    }
    let total = secs.checked_mul(NANOS_PER_SEC).and_then(|total| total.checked_add(nanos));
    Ok(total.map(Timestamp).ok_or_else(|| {
        RecordError::field("timestamp", format!("the time of an entry, {secs} s since 1970, is out of range"))
    }))
}

fn pair(bytes: &[u8]) -> Result<(Text<'_>, Text<'_>), WireError> {
    let (mut name, mut value) = ("", "");
    let mut message = Message::new(bytes);
    while let Some(field) = message.next()? {
        match field.number {
            1 => name = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
    }
    Ok((Text::Sent(name), Text::Sent(value)))
}
