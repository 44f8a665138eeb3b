//! Reads the JSON of one record into a draft: fixed fields to their slots, everything else typed,
//! nested objects flattened to dotted names.
//!
//! Knows the shape of a record; what the fixed fields may hold is decided in `fixed`.

use insighthub_model::limits::IngestLimits;

use super::fixed::{self, CLIENT};
use super::known_keys::Meaning;
use super::number::{Number, classify};
use super::record::{Draft, Value};
use super::rejection::{Read, RecordError};
use super::scan::{ScanError, Scanner};
use super::scan_text::{Text, push_compact};
use super::slots::Slot;

/// Whose words the names of the members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// A field with a meaning holds what it must, or the record is refused.
    Ours,
    /// Nobody has promised that `message` is a text.
    Foreign,
}

/// Reads a record of our own, and nothing but a record, from its bytes.
pub(super) fn read_bytes<'a>(draft: &mut Draft<'a>, raw: &'a [u8], limits: &IngestLimits) -> Read<()> {
    read(draft, text_of(raw)?, limits, Names::Ours)
}

/// Reads an object of a protocol without fixed fields, and nothing but an object: what cannot be in a fixed field is a field of
/// the client's own, and the members of an object are.
pub(super) fn read_foreign<'a>(draft: &mut Draft<'a>, text: &'a str, limits: &IngestLimits) -> Read<()> {
    read(draft, text, limits, Names::Foreign)?;
    fixed::let_go_of_misfits(draft);
    Ok(())
}

pub(super) fn text_of(raw: &[u8]) -> Read<&str> {
    std::str::from_utf8(raw).map_err(|error| {
        RecordError::whole(format!("the record is not UTF-8 at byte {}", error.valid_up_to() + 1))
    })
}

fn read<'a>(draft: &mut Draft<'a>, text: &'a str, limits: &IngestLimits, names: Names) -> Read<()> {
    draft.clear();
    let mut scanner = Scanner::new(text);
    if !scanner.take(b'{') {
        return Err(not_an_object(&mut scanner));
    }
    Reader { draft, scanner: &mut scanner, limits, names }.top_members()?;
    match scanner.peek() {
        None => Ok(()),
        Some(_) => Err(RecordError::whole(format!(
            "there is text after the end of the object, at byte {} of the record: put each record on a line of its own",
            scanner.at() + 1
        ))),
    }
}

fn not_an_object(scanner: &mut Scanner<'_>) -> Box<RecordError> {
    let found = match scanner.peek() {
        Some(b'[') => "an array",
        Some(b'"') => "text",
        Some(b'-' | b'0'..=b'9') => "a number",
        None => "nothing",
        Some(_) => "something that is no JSON",
    };
    RecordError::whole(format!("a record must be a JSON object, got {found}"))
}

/// The service a refused record names, where that can still be read.
pub(super) fn service_of_refused(text: &str, limits: &IngestLimits) -> Option<String> {
    let mut scanner = Scanner::new(text);
    let mut arena = String::new();
    if !scanner.take(b'{') {
        return None;
    }
    loop {
        arena.clear();
        let key = scanner.key(&mut arena).ok()?;
        if key.of(&arena) == Slot::Service.name() {
            let service = (scanner.peek() == Some(b'"')).then(|| scanner.string(&mut arena))?.ok()?;
            return Some(service.of(&arena).to_owned());
        }
        scanner.skip_value(limits.depth_max, &mut arena).ok()?;
        if !scanner.another_member().ok()? {
            return None;
        }
    }
}

/// Reads the members of an object as fields that a protocol brings beside a record, into a draft that holds it already.
pub(super) fn read_attributes<'a>(draft: &mut Draft<'a>, text: &'a str, limits: &IngestLimits) -> Read<()> {
    let mut scanner = Scanner::new(text);
    if !scanner.take(b'{') {
        return Err(not_an_object(&mut scanner));
    }
    if scanner.take(b'}') {
        return Ok(());
    }
    let mut reader = Reader { draft, scanner: &mut scanner, limits, names: Names::Foreign };
    loop {
        let key = reader.scanner.key(&mut reader.draft.arena).map_err(unnamed)?;
        if reader.scanner.peek() == Some(b'{') && !reader.scanner.is_at_empty_object() {
            reader.member(key, 1)?;
        } else {
            let value = reader.value(key, 1)?;
            reader.draft.attribute(key, value, limits)?;
        }
        if !reader.scanner.another_member().map_err(unnamed)? {
            return Ok(());
        }
    }
}

struct Reader<'d, 's, 'a> {
    draft: &'d mut Draft<'a>,
    scanner: &'s mut Scanner<'a>,
    limits: &'d IngestLimits,
    names: Names,
}

impl<'a> Reader<'_, '_, 'a> {
    /// The members of a record whose `{` was taken.
    fn top_members(&mut self) -> Read<()> {
        if self.scanner.take(b'}') {
            return Ok(());
        }
        self.draft.keys.start_record();
        loop {
            self.scanner.peek();
            let (key, meaning) = match self.draft.keys.take(self.scanner) {
                Some((name, meaning)) => (Text::Sent(name), meaning),
                None => self.top_key()?,
            };
            match meaning {
                Meaning::Slot(slot) => self.slot(slot)?,
                Meaning::Own => self.member(key, 1)?,
                Meaning::System => {
                    let name = self.draft.joined(CLIENT, key);
                    self.member(name, 1)?;
                }
            }
            if !self.scanner.another_member().map_err(unnamed)? {
                return Ok(());
            }
        }
    }

    /// The name of a member that is not the expected one.
    fn top_key(&mut self) -> Read<(Text<'a>, Meaning)> {
        let start = self.scanner.at();
        let key = self.scanner.key(&mut self.draft.arena).map_err(unnamed)?;
        let meaning = Meaning::of(self.draft.text(key));
        if let Text::Sent(name) = key {
            let quoted = self.scanner.slice(start, self.scanner.at());
            self.draft.keys.learn(quoted, name, meaning);
        }
        Ok((key, meaning))
    }

    /// The members of an object whose `{` was taken. `outer` is its flattened name; `depth` counts
    /// the objects open, this one included.
    fn members(&mut self, outer: Text<'a>, depth: usize) -> Read<()> {
        if self.scanner.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.scanner.key(&mut self.draft.arena).map_err(unnamed)?;
            let name = self.draft.joined(outer, key);
            match Slot::of_inner(self.draft.text(name)) {
                Some(slot) if self.draft.slots.get(slot).is_none() => self.slot(slot)?,
                _ => self.member(name, depth)?,
            }
            if !self.scanner.another_member().map_err(unnamed)? {
                return Ok(());
            }
        }
    }

    /// The value of a field with a meaning of its own.
    #[inline]
    fn slot(&mut self, slot: Slot) -> Read<()> {
        let name = Text::Sent(slot.name());
        // An object cannot stand for a time or a level: it is a field of the client's own. One called service may hold its name.
        if self.scanner.peek() == Some(b'{') && self.is_object_of_its_own(slot) {
            return self.member(name, 1);
        }
        if self.draft.slots.get(slot).is_some() {
            return Err(RecordError::field(slot.name(), "the field appears twice in one record"));
        }
        let value = self.value(name, 1)?;
        self.draft.slots.put(slot, value);
        Ok(())
    }

    /// Whether the members of an object that is next are fields: an empty one would be a field of the slot's own name.
    #[cold]
    fn is_object_of_its_own(&self, slot: Slot) -> bool {
        let may_have_members = slot == Slot::Service || self.names == Names::Foreign;
        slot.is_alias() || (may_have_members && !self.scanner.is_at_empty_object())
    }

    /// A field of the client's own, or all the fields of an object.
    #[inline]
    fn member(&mut self, name: Text<'a>, depth: usize) -> Read<()> {
        let length = self.draft.text(name).len();
        if length == 0 || length > self.limits.field_name_bytes_max {
            return Err(self.bad_name(name));
        }
        if self.scanner.peek() == Some(b'{') {
            return self.object(name, depth);
        }
        let value = self.value(name, depth)?;
        self.push(name, value)
    }

    fn object(&mut self, name: Text<'a>, depth: usize) -> Read<()> {
        if depth >= self.limits.depth_max {
            let reason = format!("the record is nested deeper than {} levels", self.limits.depth_max);
            return Err(RecordError::field(self.draft.text(name), reason));
        }
        self.scanner.take(b'{');
        match self.scanner.peek() {
            Some(b'}') => {
                self.scanner.take(b'}');
                self.push(name, Value::Object)
            }
            _ => self.members(name, depth + 1),
        }
    }

    #[inline]
    fn push(&mut self, name: Text<'a>, value: Value<'a>) -> Read<()> {
        if self.draft.fields.len() >= self.limits.fields_max {
            let reason = format!("the record has more than {} fields", self.limits.fields_max);
            return Err(RecordError::whole(reason));
        }
        self.draft.fields.push((name, value));
        Ok(())
    }

    /// Any value; an object is only checked.
    #[inline]
    fn value(&mut self, name: Text<'a>, depth: usize) -> Read<Value<'a>> {
        let found = match self.scanner.peek() {
            Some(b'"') => self.scanner.string(&mut self.draft.arena).map(Value::Text),
            Some(b'-' | b'0'..=b'9') => return self.number(name),
            Some(b't') => self.scanner.literal("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.scanner.literal("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.scanner.literal("null").map(|()| Value::Null),
            Some(b'[') => return self.array(name, depth),
            _ => {
                let deeper = self.limits.depth_max.saturating_sub(depth);
                self.scanner.skip_value(deeper, &mut self.draft.arena).map(|()| Value::Object)
            }
        };
        found.map_err(|error| self.at_fault(name, error))
    }

    #[inline]
    fn number(&mut self, name: Text<'a>) -> Read<Value<'a>> {
        let text = self.scanner.number().map_err(|error| self.at_fault(name, error))?;
        match classify(text) {
            Number::Int(value) => Ok(Value::Int(value)),
            Number::Float(value) => Ok(Value::Float(value)),
            Number::Text => Ok(Value::LongNumber(text)),
            Number::TooLarge => {
                let name = self.draft.text(name);
                Err(RecordError::field(name, "the number is too large for a 64-bit float"))
            }
        }
    }

    fn array(&mut self, name: Text<'a>, depth: usize) -> Read<Value<'a>> {
        let from = self.scanner.at();
        let deeper = self.limits.depth_max.saturating_sub(depth);
        let checked = self.scanner.skip_value(deeper, &mut self.draft.arena);
        checked.map_err(|error| self.at_fault(name, error))?;
        let json = self.scanner.slice(from, self.scanner.at());
        let spaced = json.bytes().any(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        if !spaced {
            return Ok(Value::Array(Text::Sent(json)));
        }
        let start = self.draft.arena.len();
        push_compact(json, &mut self.draft.arena);
        Ok(Value::Array(Text::Arena { start, end: self.draft.arena.len() }))
    }

    fn bad_name(&self, name: Text<'a>) -> Box<RecordError> {
        let name = self.draft.text(name);
        if name.is_empty() {
            return RecordError::whole("a field has an empty name");
        }
        let reason = format!(
            "the field name is longer than {} bytes (objects joined by dots)",
            self.limits.field_name_bytes_max
        );
        RecordError::field(name, reason)
    }

    fn at_fault(&self, name: Text<'a>, error: ScanError) -> Box<RecordError> {
        RecordError::scan(error, Some(self.draft.text(name)))
    }
}

fn unnamed(error: ScanError) -> Box<RecordError> {
    RecordError::scan(error, None)
}
