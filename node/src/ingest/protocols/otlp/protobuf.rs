//! The request in Protocol Buffers (opentelemetry-proto, `collector/logs/v1` and `logs/v1`): fields in any order, those that are
//! not known are passed over.

use std::borrow::Cow;

use insighthub_model::limits::IngestLimits;

use super::mapping::{self, LogRecord, Mapper};
use super::shared::Shared;
use super::values::{Any, Flattener, Node, Nodes};
use crate::ingest::key::Key;
use crate::ingest::protocols::protobuf::{Field, Message, Wire, WireError};
use crate::ingest::record::Draft;
use crate::ingest::records::{Piece, Records};
use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan_text::Text;

/// Numbers of fields, by message.
mod number {
    pub(super) const REQUEST_RESOURCE_LOGS: u32 = 1;
    pub(super) const RESOURCE_LOGS_RESOURCE: u32 = 1;
    pub(super) const RESOURCE_LOGS_SCOPE_LOGS: u32 = 2;
    pub(super) const RESOURCE_ATTRIBUTES: u32 = 1;
    pub(super) const SCOPE_LOGS_SCOPE: u32 = 1;
    pub(super) const SCOPE_LOGS_RECORDS: u32 = 2;
    pub(super) const SCOPE_NAME: u32 = 1;
    pub(super) const SCOPE_VERSION: u32 = 2;
    pub(super) const SCOPE_ATTRIBUTES: u32 = 3;
    pub(super) const RECORD_ATTRIBUTES: u32 = 6;
    pub(super) const LIST_VALUES: u32 = 1;
    pub(super) const PAIR_KEY: u32 = 1;
    pub(super) const PAIR_VALUE: u32 = 2;
}

/// The records of a request.
#[derive(Debug)]
pub(super) struct ProtobufRecords<'a> {
    body: &'a [u8],
    /// What is left of the request, of its present resource and of its present scope.
    request: Message<'a>,
    of_resource: Message<'a>,
    of_scope: Message<'a>,
    resource: Shared<'a>,
    scope: Shared<'a>,
    mapper: Mapper<'a>,
    broken: Option<WireError>,
}

impl<'a> ProtobufRecords<'a> {
    pub(super) fn new(body: &'a [u8], limits: &'a IngestLimits) -> ProtobufRecords<'a> {
        ProtobufRecords {
            body,
            request: Message::new(body),
            of_resource: Message::new(&[]),
            of_scope: Message::new(&[]),
            resource: Shared::default(),
            scope: Shared::default(),
            mapper: Mapper { limits, flattener: Flattener::default() },
            broken: None,
        }
    }

    /// Why the request came to no end.
    pub(super) fn broken(&self) -> Option<String> {
        self.broken.map(|error| format!("it is no ExportLogsServiceRequest: {error}"))
    }

    /// The bytes of the next record.
    fn seek(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        loop {
            if let Some(record) = next_of(&mut self.of_scope, number::SCOPE_LOGS_RECORDS)? {
                return Ok(Some(record));
            }
            if let Some(scope) = next_of(&mut self.of_resource, number::RESOURCE_LOGS_SCOPE_LOGS)? {
                self.enter_scope(scope)?;
            } else if let Some(resource) = next_of(&mut self.request, number::REQUEST_RESOURCE_LOGS)? {
                self.enter_resource(resource)?;
            } else {
                return Ok(None);
            }
        }
    }

    /// Looks for the resource, which may stand behind its records and in several parts.
    fn enter_resource(&mut self, resource_logs: &'a [u8]) -> Result<(), WireError> {
        self.of_resource = Message::new(resource_logs);
        self.resource.clear();
        let mut fields = Message::new(resource_logs);
        while let Some(part) = next_of(&mut fields, number::RESOURCE_LOGS_RESOURCE)? {
            self.resource.bytes += part.len();
            let Mapper { limits, flattener } = &mut self.mapper;
            self.resource.add(List::new(part, number::RESOURCE_ATTRIBUTES), None, flattener, limits);
        }
        Ok(())
    }

    fn enter_scope(&mut self, scope_logs: &'a [u8]) -> Result<(), WireError> {
        self.of_scope = Message::new(scope_logs);
        self.scope.clear();
        let mut fields = Message::new(scope_logs);
        while let Some(part) = next_of(&mut fields, number::SCOPE_LOGS_SCOPE)? {
            self.scope.bytes += part.len();
            // What it is called comes before what its attributes are called.
            let mut fields = Message::new(part);
            while let Some(field) = fields.next()? {
                let name = match field.number {
                    number::SCOPE_NAME => mapping::SCOPE_NAME,
                    number::SCOPE_VERSION => mapping::SCOPE_VERSION,
                    _ => continue,
                };
                let text = text(field.bytes()?, self.scope.arena());
                self.scope.add_text(name, text);
            }
            let Mapper { limits, flattener } = &mut self.mapper;
            let attributes = List::new(part, number::SCOPE_ATTRIBUTES);
            self.scope.add(attributes, Some(mapping::SCOPE), flattener, limits);
        }
        Ok(())
    }

    fn read(&mut self, raw: &'a [u8], draft: &mut Draft<'a>) -> Read<()> {
        self.mapper.name_service(draft, &self.resource);
        let record = log_record(raw, &mut draft.arena).map_err(broken)?;
        self.mapper.put(draft, record, (&self.resource, &self.scope))
    }
}

impl<'a> Records<'a> for ProtobufRecords<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let raw = match self.seek() {
            Ok(found) => found?,
            Err(error) => {
                self.broken = Some(error);
                return None;
            }
        };
        let read = self.read(raw, draft);
        let offset = raw.as_ptr() as usize - self.body.as_ptr() as usize;
        let shared_bytes = self.resource.bytes + self.scope.bytes;
        Some(Piece { offset, raw, shared_bytes, key: Key::None, read })
    }
}

/// The next field of a number that holds a message.
fn next_of<'a>(message: &mut Message<'a>, number: u32) -> Result<Option<&'a [u8]>, WireError> {
    while let Some(field) = message.next()? {
        if field.number == number {
            return field.bytes().map(Some);
        }
    }
    Ok(None)
}

fn log_record<'a>(raw: &'a [u8], arena: &mut String) -> Result<LogRecord<'a, Bytes<'a>>, WireError> {
    let mut record =
        LogRecord { attributes: Some(List::new(raw, number::RECORD_ATTRIBUTES)), ..LogRecord::default() };
    let mut fields = Message::new(raw);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => record.time_unix_nano = field.number()?,
            // An enum: negative numbers have all 64 bits.
            2 => record.severity_number = i64::from(field.number()? as i32),
            3 => record.severity_text = Some(text(field.bytes()?, arena)),
            5 => record.body = Some(Bytes(field.bytes()?)),
            8 => record.flags = field.number()? as u32,
            9 => record.trace_id = hex(field.bytes()?, arena),
            10 => record.span_id = hex(field.bytes()?, arena),
            11 => record.observed_time_unix_nano = field.number()?,
            12 => record.event_name = Some(text(field.bytes()?, arena)),
            _ => {}
        }
    }
    Ok(record)
}

/// A text as it was sent. What of it is no UTF-8 becomes U+FFFD: senders that do not check lose a character, not the record.
fn text<'a>(bytes: &'a [u8], arena: &mut String) -> Text<'a> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => Text::Sent(text),
        Cow::Owned(text) => {
            let start = arena.len();
            arena.push_str(&text);
            Text::Arena { start, end: arena.len() }
        }
    }
}

/// An id; `None` where it names nothing.
fn hex<'a>(id: &[u8], arena: &mut String) -> Option<Text<'a>> {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    if id.iter().all(|byte| *byte == 0) {
        return None;
    }
    let start = arena.len();
    let halves = id.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    arena.extend(halves.filter_map(|half| DIGITS.get(usize::from(half))));
    Some(Text::Arena { start, end: arena.len() })
}

fn broken(error: WireError) -> Box<RecordError> {
    RecordError::whole(format!("the record cannot be read: {error}"))
}

/// An `AnyValue`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(&'a [u8]);

/// The fields of one number in a message: values of an array, pairs of a map.
#[derive(Debug)]
pub(super) struct List<'a> {
    message: Message<'a>,
    number: u32,
}

impl<'a> List<'a> {
    fn new(bytes: &'a [u8], number: u32) -> List<'a> {
        List { message: Message::new(bytes), number }
    }
}

impl<'a> Node<'a> for Bytes<'a> {
    type Nodes = List<'a>;

    fn open(self, arena: &mut String) -> Read<Any<'a, List<'a>>> {
        // Of several the last one counts.
        let mut found = Any::Empty;
        let mut fields = Message::new(self.0);
        while let Some(field) = fields.next().map_err(broken)? {
            found = any_of(field, arena).map_err(broken)?.unwrap_or(found);
        }
        Ok(found)
    }
}

fn any_of<'a>(field: Field<'a>, arena: &mut String) -> Result<Option<Any<'a, List<'a>>>, WireError> {
    Ok(Some(match (field.number, field.value) {
        (1, _) => Any::Text(text(field.bytes()?, arena)),
        (2, _) => Any::Bool(field.number()? != 0),
        (3, _) => Any::Int(field.number()? as i64),
        (4, Wire::Fixed64(bits)) => Any::Float(f64::from_bits(bits)),
        (4, _) => return Err(WireError::WrongType(4)),
        (5, _) => Any::Array(List::new(field.bytes()?, number::LIST_VALUES)),
        (6, _) => Any::Map(List::new(field.bytes()?, number::LIST_VALUES)),
        (7, _) => Any::Bytes(field.bytes()?),
        _ => return Ok(None),
    }))
}

impl<'a> Nodes<'a> for List<'a> {
    type Node = Bytes<'a>;

    fn item(&mut self) -> Read<Option<Bytes<'a>>> {
        next_of(&mut self.message, self.number).map(|found| found.map(Bytes)).map_err(broken)
    }

    fn member(&mut self, arena: &mut String) -> Read<Option<(Text<'a>, Option<Bytes<'a>>)>> {
        let Some(Bytes(pair)) = self.item()? else { return Ok(None) };
        let (mut key, mut value) = (&[][..], None);
        let mut fields = Message::new(pair);
        while let Some(field) = fields.next().map_err(broken)? {
            match field.number {
                number::PAIR_KEY => key = field.bytes().map_err(broken)?,
                number::PAIR_VALUE => value = Some(Bytes(field.bytes().map_err(broken)?)),
                _ => {}
            }
        }
        Ok(Some((text(key, arena), value)))
    }
}
