//! One record on its way in, of whatever protocol: a draft of borrowed values first, columns once all of it is known
//! to be good. A draft is reused from record to record, so that no record allocates.
//!
//! Knows nothing of framing, partitions or dead letters.

use insighthub_model::Timestamp;
use insighthub_model::batch::{BatchBuilder, FixedFields, RecordBuilder};

use super::fixed::Fixed;
use super::known_keys::KnownKeys;
use super::rejection::{Read, RecordError};
use super::scan_text::Text;
use super::slots::{Slot, Slots};

/// A value as it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A number whose digits no machine type gives back: kept as text.
    LongNumber(&'a str),
    Text(Text<'a>),
    /// A time that its protocol tells exactly: no number whose unit must be guessed.
    Moment(Timestamp),
    /// An array, compact.
    Array(Text<'a>),
    /// `{}` among the fields; any object in a slot.
    Object,
}

impl Value<'_> {
    /// What it is, for a reason: "latency_ms must be a number, got text".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) | Value::LongNumber(_) => "a number",
            Value::Text(_) => "text",
            Value::Moment(_) => "a time",
            Value::Array(_) => "an array",
            Value::Object => "an object",
        }
    }
}

/// The record being read.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    /// Fields with a meaning of their own.
    pub slots: Slots<'a>,
    /// All others, flattened.
    pub fields: Vec<(Text<'a>, Value<'a>)>,
    /// Unescaped texts, flattened names and compacted arrays of this record.
    pub arena: String,
    /// Names that the records before had.
    pub keys: KnownKeys<'a>,
    /// What its protocol has for a record that names no service, or has no message.
    pub service_otherwise: Option<Text<'a>>,
    pub message_otherwise: Option<Text<'a>>,
}

impl<'a> Draft<'a> {
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.fields.clear();
        self.arena.clear();
        self.service_otherwise = None;
        self.message_otherwise = None;
    }

    pub(super) fn text(&self, text: Text<'a>) -> &str {
        text.of(&self.arena)
    }

    /// The flattened name of a member: names of the objects around it and its own, joined by dots. An empty part would make
    /// two names of one: the name is empty then, and refused as such.
    pub(super) fn joined(&mut self, outer: Text<'a>, key: Text<'a>) -> Text<'a> {
        let start = self.arena.len();
        self.append(outer);
        self.arena.push('.');
        let before_key = self.arena.len();
        self.append(key);
        if self.arena.len() == before_key {
            return Text::Sent("");
        }
        Text::Arena { start, end: self.arena.len() }
    }

    fn append(&mut self, text: Text<'_>) {
        match text {
            Text::Sent(text) => self.arena.push_str(text),
            Text::Arena { start, end } => self.arena.extend_from_within(start..end),
        }
    }

    /// Keeps the value of a slot as a field: it does not mean what its name suggests.
    #[inline]
    pub(super) fn keep_as_field(&mut self, slot: Slot) {
        if let Some(value) = self.slots.take(slot) {
            self.fields.push((Text::Sent(slot.name()), value));
        }
    }

    /// Makes the record a row of a batch; `key` is what it is known by, 0 where by nothing.
    pub(super) fn write(
        &self,
        builder: &mut BatchBuilder,
        fixed: &Fixed<'a>,
        raw_bytes: usize,
        key: u128,
    ) -> Read<()> {
        let mut record = builder.record();
        record.key(key);
        for (name, value) in &self.fields {
            self.write_field(&mut record, self.text(*name), *value)?;
        }
        record.finish(FixedFields {
            service: self.text(fixed.service),
            timestamp: fixed.timestamp,
            level: fixed.level,
            message: self.text(fixed.message),
            latency_ms: fixed.latency_ms,
            raw_bytes,
        });
        Ok(())
    }

    #[inline]
    fn write_field(&self, record: &mut RecordBuilder<'_>, name: &str, value: Value<'a>) -> Read<()> {
        let written = match value {
            Value::Bool(value) => record.bool(name, value),
            Value::Int(value) => record.int(name, value),
            Value::Float(value) => record.float(name, value),
            Value::Text(value) => record.text(name, self.text(value)),
            Value::Moment(value) => record.text(name, &value.to_string()),
            Value::LongNumber(value) => record.json(name, value),
            Value::Array(value) => record.json(name, self.text(value)),
            Value::Null => record.json(name, "null"),
            Value::Object => record.json(name, "{}"),
        };
        written.map_err(|error| RecordError::field(name, error.to_string()))
    }
}
