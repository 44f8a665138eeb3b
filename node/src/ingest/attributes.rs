//! Fields that a protocol brings beside what it has names of its own for: attributes, labels, structured data.
//!
//! Knows which names mean something here, and no protocol.

use insighthub_model::limits::IngestLimits;

use super::fixed::{self, CLIENT};
use super::known_keys::Meaning;
use super::record::{Draft, Value};
use super::rejection::{Read, RecordError};
use super::scan_text::Text;
use super::slots::Slot;

impl<'a> Draft<'a> {
    /// Keeps a field of the client's own. One named like a fixed field fills it where it is still empty; one whose name is taken
    /// keeps it behind `client.`.
    pub(super) fn attribute(&mut self, name: Text<'a>, value: Value<'a>, limits: &IngestLimits) -> Read<()> {
        let name = match Meaning::of(self.text(name)) {
            Meaning::Own => name,
            Meaning::Slot(slot) if slot.is_alias() => name,
            Meaning::Slot(slot) if self.slots.get(slot).is_none() && fixed::fits(self, slot, value) => {
                self.slots.put(slot, value);
                return Ok(());
            }
            Meaning::Slot(_) | Meaning::System => self.joined(CLIENT, name),
        };
        let length = self.text(name).len();
        if length == 0 {
            return Err(RecordError::whole("a field has an empty name"));
        }
        if length > limits.field_name_bytes_max {
            let reason = format!(
                "the field name is longer than {} bytes (objects joined by dots)",
                limits.field_name_bytes_max
            );
            return Err(RecordError::field(self.text(name), reason));
        }
        if self.fields.len() >= limits.fields_max {
            let reason = format!("the record has more than {} fields", limits.fields_max);
            return Err(RecordError::whole(reason));
        }
        self.fields.push((name, value));
        Ok(())
    }

    /// A text of the record's own, which no body holds: put together, decoded.
    pub(super) fn own_text(&mut self, text: &str) -> Text<'a> {
        let start = self.arena.len();
        self.arena.push_str(text);
        Text::Arena { start, end: self.arena.len() }
    }

    /// The first field of a name, if it holds text.
    pub(super) fn text_field(&self, wanted: &str) -> Option<Text<'a>> {
        let (_, value) = self.fields.iter().find(|(name, _)| self.text(*name) == wanted)?;
        if let Value::Text(text) = *value { Some(text) } else { None }
    }

    /// The service, where the record names one.
    pub(super) fn service(&self) -> Option<&str> {
        let named = self.slots.get(Slot::Service).or_else(|| self.slots.get(Slot::ServiceName));
        match named {
            Some(Value::Text(text)) => Some(self.text(text)),
            _ => self.service_otherwise.map(|text| self.text(text)),
        }
    }

    /// Whether the record says itself when it happened.
    pub(super) fn says_when(&self) -> bool {
        let moment = |slot| self.slots.get(slot).and_then(|value| fixed::moment_of(self, value));
        let mut aliases = fixed::TIMESTAMP_ALIASES.into_iter().filter_map(moment);
        moment(Slot::Timestamp).is_some() || aliases.any(|moment| moment >= fixed::EARLIEST_ALIAS)
    }

    /// The record in our own JSON: how one of another protocol is kept that was refused.
    #[cold]
    pub(super) fn to_json(&self) -> String {
        let mut object = serde_json::Map::new();
        for slot in Slot::ALL {
            if let Some(value) = self.slots.get(slot) {
                object.insert(slot.name().to_owned(), self.json_of(value));
            }
        }
        for (name, value) in &self.fields {
            object.insert(self.text(*name).to_owned(), self.json_of(*value));
        }
        serde_json::Value::Object(object).to_string()
    }

    pub(super) fn json_of(&self, value: Value<'_>) -> serde_json::Value {
        let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => value.into(),
            Value::Int(value) => value.into(),
            Value::Float(value) => value.into(),
            Value::LongNumber(text) => parsed(text),
            Value::Text(text) => self.text(text).into(),
            Value::Moment(moment) => moment.to_string().into(),
            Value::Array(text) => parsed(self.text(text)),
            Value::Object => serde_json::json!({}),
        }
    }
}
