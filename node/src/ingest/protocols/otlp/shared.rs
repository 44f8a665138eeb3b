//! What the records of a resource, or of a scope, have in common: taken apart once, then put beside the fields of each record.

use insighthub_model::limits::IngestLimits;

use super::values::{Flattener, Nodes, Taker};
use crate::ingest::record::{Draft, Value};
use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan_text::Text;

/// Fields of a resource or scope.
#[derive(Debug, Default)]
pub(super) struct Shared<'a> {
    fields: Draft<'a>,
    /// Why no record may have them.
    error: Option<Box<RecordError>>,
    /// Bytes that each record of it is weighed with.
    pub(super) bytes: usize,
}

/// Keeps fields as they are: what they mean depends on the record they come to.
struct AsTheyAre<'l>(&'l IngestLimits);

impl<'a> Taker<'a> for AsTheyAre<'_> {
    fn take(&mut self, draft: &mut Draft<'a>, name: Text<'a>, value: Value<'a>) -> Read<()> {
        if draft.fields.len() >= self.0.fields_max {
            let reason = format!("the record has more than {} fields", self.0.fields_max);
            return Err(RecordError::whole(reason));
        }
        draft.fields.push((name, value));
        Ok(())
    }
}

impl<'a> Shared<'a> {
    pub(super) fn clear(&mut self) {
        self.fields.clear();
        self.error = None;
        self.bytes = 0;
    }

    /// Adds attributes, their names behind `outer` where there is one.
    pub(super) fn add<N: Nodes<'a>>(
        &mut self,
        attributes: N,
        outer: Option<Text<'a>>,
        flattener: &mut Flattener,
        limits: &IngestLimits,
    ) {
        // Names of their own stand at the first level, whatever is put in front of them.
        let outer = outer.map(|outer| (outer, 1));
        let added = flattener.members(attributes, outer, (&mut self.fields, limits), &mut AsTheyAre(limits));
        self.hold(added.map(drop));
    }

    /// Adds one text; an empty one says nothing.
    pub(super) fn add_text(&mut self, name: &'static str, text: Text<'a>) {
        if !self.fields.text(text).is_empty() {
            self.fields.fields.push((Text::Sent(name), Value::Text(text)));
        }
    }

    /// Where texts of it are decoded to.
    pub(super) fn arena(&mut self) -> &mut String {
        &mut self.fields.arena
    }

    /// Notes that something of it could not be read.
    pub(super) fn hold(&mut self, read: Read<()>) {
        if let Err(error) = read {
            self.error.get_or_insert(error);
        }
    }

    /// The text of a field.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.fields.iter();
        fields.find_map(|(field, value)| match value {
            Value::Text(text) if self.fields.text(*field) == name => Some(self.fields.text(*text)),
            _ => None,
        })
    }

    /// Hands its fields to a record.
    pub(super) fn put(&self, draft: &mut Draft<'a>, taker: &mut impl Taker<'a>) -> Read<()> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let base = draft.arena.len();
        draft.arena.push_str(&self.fields.arena);
        for (name, value) in &self.fields.fields {
            let value = match *value {
                Value::Text(text) => Value::Text(moved(text, base)),
                Value::Array(text) => Value::Array(moved(text, base)),
                other => other,
            };
            taker.take(draft, moved(*name, base), value)?;
        }
        Ok(())
    }
}

fn moved(text: Text<'_>, base: usize) -> Text<'_> {
    match text {
        Text::Sent(text) => Text::Sent(text),
        Text::Arena { start, end } => Text::Arena { start: start + base, end: end + base },
    }
}
