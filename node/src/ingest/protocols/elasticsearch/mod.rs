//! Elasticsearch's bulk requests (elastic.co/guide/en/elasticsearch/reference/current/docs-bulk.html): an action a line, and the
//! document it is about in the next. Documents are appended: `index` and `create` do, `update` and `delete` are refused.

mod action;

use std::sync::Arc;

use insighthub_model::limits::IngestLimits;
use memchr::memchr;

use self::action::Action;
pub use self::action::Operation;
use crate::ingest::key::{Key, KeyMaker};
use crate::ingest::reader;
use crate::ingest::record::{Draft, Value};
use crate::ingest::records::{Piece, Records};
use crate::ingest::rejection::{Read, RecordError, RequestError};
use crate::ingest::scan_text::Text;
use crate::ingest::slots::Slot;
use crate::ingest::split::{ParsedRequest, RequestContext, parse_records};

/// The service of a document that names none, where its index does not either.
const SERVICE_UNKNOWN: &str = "unknown_service";

/// One action of a request, as the answer repeats it; at the place of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub operation: Operation,
    pub index: Arc<str>,
    pub id: Option<Box<str>>,
}

/// A bulk request, read to its end.
pub(super) fn parse<'a>(
    body: &'a [u8],
    index: Option<&'a str>,
    context: &'a RequestContext<'a>,
) -> Result<ParsedRequest, RequestError> {
    let last_index = index.unwrap_or_default().into();
    let sender = KeyMaker::new("elasticsearch", context.token_service);
    let mut bulk = Bulk { body, at: 0, index, limits: context.limits, sender, items: Vec::new(), last_index };
    let mut parsed = parse_records(body, &mut bulk, context)?;
    parsed.items = bulk.items;
    Ok(parsed)
}

struct Bulk<'a> {
    body: &'a [u8],
    at: usize,
    /// The index of the path, for actions that name none.
    index: Option<&'a str>,
    limits: &'a IngestLimits,
    /// The beginning of all keys.
    sender: KeyMaker,
    items: Vec<Item>,
    /// Of the action before: nearly always that of the next.
    last_index: Arc<str>,
}

impl<'a> Records<'a> for Bulk<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let (offset, line) = self.line()?;
        let action = match Action::read(line, self.limits) {
            Ok(action) => action,
            Err(error) => return Some(self.give_up(offset, error)),
        };
        let source = if action.operation.has_source() { self.line() } else { None };
        let (offset, raw) = source.unwrap_or((offset, line));
        let read = match source {
            _ if !action.operation.appends() => Err(RecordError::whole(format!(
                "{} is not supported: logs are appended, with index or create",
                action.operation.name()
            ))),
            None => Err(RecordError::whole("the document is missing: the request ends after its action")),
            Some(_) => self.document(raw, &action, draft),
        };
        let key = action.id.map_or(Key::None, |id| self.key(&action, id));
        self.remember(&action);
        Some(Piece { offset, raw, shared_bytes: 0, key, read })
    }
}

impl<'a> Bulk<'a> {
    /// The next line that is not empty, and where it begins.
    fn line(&mut self) -> Option<(usize, &'a [u8])> {
        loop {
            let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let start = self.at;
            self.at += length + 1;
            let line = rest.get(..length).unwrap_or_default().trim_ascii();
            if !line.is_empty() {
                return Some((start, line));
            }
        }
    }

    /// Where an action cannot be read nobody knows which lines are documents: what follows is refused as one.
    fn give_up(&mut self, offset: usize, error: Box<RecordError>) -> Piece<'a> {
        self.at = self.body.len();
        let index = self.last_index.clone();
        self.items.push(Item { operation: Operation::Index, index, id: None });
        let raw = self.body.get(offset..).unwrap_or_default();
        Piece { offset, raw, shared_bytes: 0, key: Key::None, read: Err(error) }
    }

    fn document(&self, raw: &'a [u8], action: &Action<'a>, draft: &mut Draft<'a>) -> Read<()> {
        let text = reader::text_of(raw)?;
        reader::read_foreign(draft, text, self.limits)?;
        draft.message_otherwise = Some(otherwise_message(draft).unwrap_or(Text::Sent(text)));
        let index = action.index.or(self.index).filter(|index| !index.is_empty());
        draft.service_otherwise = Some(Text::Sent(index.unwrap_or(SERVICE_UNKNOWN)));
        for (name, value) in [("_index", index), ("_id", action.id)] {
            if let Some(value) = value {
                draft.attribute(Text::Sent(name), Value::Text(Text::Sent(value)), self.limits)?;
            }
        }
        Ok(())
    }

    /// An id is one document's within its index.
    fn key(&self, action: &Action<'a>, id: &str) -> Key {
        let mut maker = self.sender.clone();
        maker.take(action.index.or(self.index).unwrap_or_default().as_bytes());
        maker.take(id.as_bytes());
        Key::Id(maker.finish())
    }

    fn remember(&mut self, action: &Action<'a>) {
        let index = action.index.or(self.index).unwrap_or_default();
        if *self.last_index != *index {
            self.last_index = index.into();
        }
        let index = Arc::clone(&self.last_index);
        self.items.push(Item { operation: action.operation, index, id: action.id.map(Box::from) });
    }
}

/// What shippers call the message: `log` Fluent Bit, `event.original` the Elastic Common Schema.
fn otherwise_message<'a>(draft: &Draft<'a>) -> Option<Text<'a>> {
    if draft.slots.get(Slot::Message).is_some() {
        return None;
    }
    ["log", "event.original", "body"].into_iter().find_map(|name| draft.text_field(name))
}

#[cfg(test)]
mod tests;
