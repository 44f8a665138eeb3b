//! Loki's push API: streams of lines with labels, as JSON or protobuf (grafana.com/docs/loki/latest/reference/loki-http-api).
//!
//! Both encodings are laid out as entries first (`entries`): labels may stand behind the lines they belong to. A line that is a JSON
//! object is read as one, so that what a client put into it can be searched; another line is the message.

mod entries;
mod json;
mod labels;
mod protobuf;

use insighthub_model::Level;
use insighthub_model::limits::IngestLimits;

use self::entries::{Entries, Entry};
use super::level_in_text;
use crate::ingest::fixed::{self, CLIENT};
use crate::ingest::key::{Key, KeyMaker};
use crate::ingest::reader;
use crate::ingest::record::{Draft, Value};
use crate::ingest::records::{Piece, Records};
use crate::ingest::rejection::{Read, RequestError};
use crate::ingest::scan_text::Text;
use crate::ingest::slots::Slot;
use crate::ingest::split::{ParsedRequest, RequestContext, parse_records};

/// How a push is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    /// Before it was compressed.
    Protobuf,
}

/// Labels that name the service, the most explicit first: those by which Loki finds its `service_name`.
const SERVICE_LABELS: [&str; 14] = [
    "service_name",
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
];
/// Of a stream that none of them names.
const SERVICE_UNKNOWN: &str = "unknown_service";
const LEVEL_LABELS: [&str; 6] = ["level", "detected_level", "severity", "severity_text", "lvl", "loglevel"];

pub(super) fn parse<'a>(
    encoding: Encoding,
    body: &'a [u8],
    context: &'a RequestContext<'a>,
) -> Result<ParsedRequest, RequestError> {
    let entries = match encoding {
        Encoding::Json => json::read(body, context.limits)?,
        Encoding::Protobuf => protobuf::read(body, context.limits)?,
    };
    let sender = KeyMaker::new("loki", context.token_service);
    let mut lines = Lines { entries: &entries, next: 0, limits: context.limits, sender, last_stream: None };
    parse_records(body, &mut lines, context)
}

/// The entries of a push as records.
struct Lines<'a> {
    entries: &'a Entries<'a>,
    next: usize,
    limits: &'a IngestLimits,
    /// The beginning of all keys.
    sender: KeyMaker,
    /// The stream of the entry before, and the beginning of its keys.
    last_stream: Option<(usize, KeyMaker)>,
}

impl<'a> Records<'a> for Lines<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let entries = self.entries;
        let Some(entry) = entries.list.get(self.next) else {
            // What could not be read, once.
            let unread = entries.unread.as_ref().filter(|_| self.next == entries.list.len())?;
            self.next += 1;
            let read = Err(Box::new(unread.error.clone()));
            return Some(Piece {
                offset: unread.offset,
                raw: unread.raw,
                shared_bytes: 0,
                key: Key::None,
                read,
            });
        };
        self.next += 1;
        let line = entries.text(entry.line);
        let read = self.read(entry, line, draft);
        let shared_bytes = entries.label_bytes(entry.stream);
        let key = self.key(entry, line);
        Some(Piece { offset: entry.offset, raw: line.as_bytes(), shared_bytes, key, read })
    }
}

impl<'a> Lines<'a> {
    fn read(&self, entry: &Entry<'a>, line: &'a str, draft: &mut Draft<'a>) -> Read<()> {
        if !self.read_object(line, draft) {
            draft.clear();
        }
        draft.message_otherwise = Some(Text::Sent(line));
        self.take_timestamp(entry, draft)?;
        let labels = self.entries.labels(entry.stream);
        for (name, value) in labels.chain(self.entries.metadata(entry)) {
            self.label(name, value, draft)?;
        }
        let service = SERVICE_LABELS.iter().find_map(|name| {
            let mut labels = self.entries.labels(entry.stream);
            labels.find_map(|(label, value)| (label == *name && !value.is_empty()).then_some(value))
        });
        draft.service_otherwise = Some(Text::Sent(service.unwrap_or(SERVICE_UNKNOWN)));
        if !fixed::says_level(draft)
            && let Some(level) = level_in_text::find(line)
        {
            draft.slots.put(Slot::Level, Value::Text(Text::Sent(level.name())));
        }
        Ok(())
    }

    /// By the rules of Loki two entries of a stream that say the same at the same moment are one that came twice: agents begin again
    /// where they last wrote down to have been, and cut their pushes anew.
    fn key(&mut self, entry: &Entry<'a>, line: &str) -> Key {
        let Ok(moment) = entry.moment else { return Key::None };
        let entries = self.entries;
        let of_stream = self.last_stream.take().filter(|(stream, _)| *stream == entry.stream);
        let (_, of_stream) = self.last_stream.insert(of_stream.unwrap_or_else(|| {
            let mut of_stream = self.sender.clone();
            take_pairs(&mut of_stream, entries.labels(entry.stream));
            (entry.stream, of_stream)
        }));
        let mut maker = of_stream.clone();
        maker.take(&moment.0.to_le_bytes());
        maker.take(line.as_bytes());
        take_pairs(&mut maker, entries.metadata(entry));
        Key::Content(maker.finish())
    }

    /// Reads a line that is a JSON object; false where it is none after all.
    fn read_object(&self, line: &'a str, draft: &mut Draft<'a>) -> bool {
        let is_object = line.trim_start().starts_with('{') && line.trim_end().ends_with('}');
        is_object && reader::read_foreign(draft, line, self.limits).is_ok()
    }

    /// The time of the entry is the record's; one that stands in its line stays a field.
    fn take_timestamp(&self, entry: &Entry<'a>, draft: &mut Draft<'a>) -> Read<()> {
        let moment = entry.moment.clone()?;
        if let Some(value) = draft.slots.take(Slot::Timestamp) {
            let name = draft.joined(CLIENT, Text::Sent(Slot::Timestamp.name()));
            draft.fields.push((name, value));
        }
        draft.slots.put(Slot::Timestamp, Value::Moment(moment));
        Ok(())
    }

    fn label(&self, name: &'a str, value: &'a str, draft: &mut Draft<'a>) -> Read<()> {
        if LEVEL_LABELS.contains(&name) && value.trim_ascii().parse::<Level>().is_ok() {
            if draft.slots.get(Slot::Level).is_none() {
                draft.slots.put(Slot::Level, Value::Text(Text::Sent(value)));
            }
            return Ok(());
        }
        let slot = match name {
            "service_name" => Slot::of("service"),
            other => Slot::of(other),
        };
        let is_said = |known: Value<'a>| matches!(known, Value::Text(text) if draft.text(text) == value);
        // The line says the same.
        if slot.and_then(|slot| draft.slots.get(slot)).is_some_and(is_said) {
            return Ok(());
        }
        match slot {
            // An empty label is none, by Loki's rules.
            Some(_) if value.is_empty() => Ok(()),
            Some(Slot::Service) if draft.slots.get(Slot::Service).is_none() => {
                draft.slots.put(Slot::Service, Value::Text(Text::Sent(value)));
                Ok(())
            }
            _ => draft.attribute(Text::Sent(name), Value::Text(Text::Sent(value)), self.limits),
        }
    }
}

/// In the order in which they were sent: a client keeps to its own.
fn take_pairs<'p>(maker: &mut KeyMaker, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
    for (name, value) in pairs {
        maker.take(name.as_bytes());
        maker.take(value.as_bytes());
    }
}

#[cfg(test)]
mod tests;
