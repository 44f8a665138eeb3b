//! Syslog: RFC 5424, RFC 3164 and what devices make of them. `docs/syslog.md` says what becomes which field.
//!
//! `framing` cuts a stream into messages, `messages` is the body that a node makes of them, `message` reads one: `header` tells
//! the format, `modern` and `legacy` read it, `stamp` knows the ways to write a time, `structured_data` the fields
//! that a message brings. Sockets are not its business.

mod framing;
mod header;
mod legacy;
mod message;
mod messages;
mod modern;
mod priority;
mod stamp;
mod structured_data;
#[cfg(test)]
mod tests;

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;
use jiff::tz::TimeZone;

use super::super::key::Key;
use super::super::record::Draft;
use super::super::records::{Piece, Records};
use super::super::rejection::RecordError;

pub use framing::{End, Framer};
pub use messages::Messages;
use messages::{Condition, Unread};
pub(super) use priority::Priority;

/// What a message does not say itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogClock {
    /// The zone of times without one.
    pub zone: TimeZone,
    /// When the messages arrived: the time of those that have none, and what tells the year of those that name none.
    pub received: Timestamp,
}

/// The messages of a body that [`Messages`] made.
#[derive(Debug)]
pub(super) struct SyslogRecords<'a> {
    unread: Unread<'a>,
    clock: &'a SyslogClock,
    limits: &'a IngestLimits,
}

impl<'a> SyslogRecords<'a> {
    pub(super) fn new(body: &'a [u8], clock: &'a SyslogClock, limits: &'a IngestLimits) -> SyslogRecords<'a> {
        SyslogRecords { unread: Unread::new(body), clock, limits }
    }
}

impl<'a> Records<'a> for SyslogRecords<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let found = self.unread.next()?;
        let read = match (found.condition, std::str::from_utf8(found.raw)) {
            (Condition::Whole, Ok(text)) => message::read(draft, text, found.sender, self.clock, self.limits),
            (Condition::Whole, Err(_)) => Err(RecordError::whole("the message is not UTF-8")),
            (Condition::TooLong, _) => Err(RecordError::whole(format!(
                "the message is longer than {} bytes; its beginning is kept",
                self.limits.record_bytes_max
            ))),
            (Condition::CutOff, _) => {
                Err(RecordError::whole("the connection ended inside the message; what came of it is kept"))
            }
        };
        Some(Piece { offset: found.offset, raw: found.raw, shared_bytes: 0, key: Key::None, read })
    }
}
