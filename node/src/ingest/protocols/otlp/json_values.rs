//! Values of OpenTelemetry in JSON: `{"stringValue": "..."}`, lists of values, and `{"key": ..., "value": ...}`.
//!
//! What is read here was checked to be JSON before.

use super::values::{Any, Node, Nodes};
use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan::{ScanError, Scanned, Scanner};
use crate::ingest::scan_text::Text;

/// How deep JSON may be nested: a map takes four levels, and Protocol Buffers are read a hundred deep by most.
pub(super) const JSON_DEPTH_MAX: usize = 400;

/// An `AnyValue`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'a>(pub(super) &'a str);

/// The values of a JSON array.
#[derive(Debug)]
pub(super) struct JsonList<'a> {
    scanner: Scanner<'a>,
    is_first: bool,
}

impl<'a> JsonList<'a> {
    /// Of the text of an array.
    pub(super) fn new(text: &'a str) -> JsonList<'a> {
        let mut scanner = Scanner::new(text);
        scanner.take(b'[');
        JsonList { scanner, is_first: true }
    }

    fn has_next(&mut self) -> bool {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.scanner.peek() {
            Some(b',') => self.scanner.take(b','),
            Some(b']') | None => false,
            Some(_) => is_first,
        }
    }
}

impl<'a> Nodes<'a> for JsonList<'a> {
    type Node = Json<'a>;

    fn item(&mut self) -> Read<Option<Json<'a>>> {
        if !self.has_next() {
            return Ok(None);
        }
        let item = slice_value(&mut self.scanner, &mut String::new()).map_err(broken)?;
        Ok(Some(Json(item)))
    }

    fn member(&mut self, arena: &mut String) -> Read<Option<(Text<'a>, Option<Json<'a>>)>> {
        if !self.has_next() {
            return Ok(None);
        }
        let (mut key, mut value) = (Text::Sent(""), None);
        let mut members = Members::enter(&mut self.scanner, "a pair of key and value")?;
        while let Some(name) = members.next(arena)? {
            let scanner = &mut *members.scanner;
            match name {
                Name::Known("key") if scanner.peek() == Some(b'"') => {
                    key = scanner.string(arena).map_err(broken)?;
                }
                Name::Known("value") if scanner.peek() == Some(b'{') => {
                    value = Some(Json(slice_value(scanner, arena).map_err(broken)?));
                }
                Name::Known("key") => return Err(wrong_type("key", "text")),
                Name::Known("value") if scanner.peek() != Some(b'n') => {
                    return Err(wrong_type("value", "an object as {\"stringValue\": \"...\"}"));
                }
                _ => scanner.skip_value(JSON_DEPTH_MAX, arena).map_err(broken)?,
            }
        }
        Ok(Some((key, value)))
    }
}

impl<'a> Node<'a> for Json<'a> {
    type Nodes = JsonList<'a>;

    fn open(self, arena: &mut String) -> Read<Any<'a, JsonList<'a>>> {
        let mut scanner = Scanner::new(self.0);
        let mut found = Any::Empty;
        let mut members = Members::enter(&mut scanner, "a value, an object as {\"stringValue\": \"...\"},")?;
        while let Some(name) = members.next(arena)? {
            let scanner = &mut *members.scanner;
            if scanner.peek() == Some(b'n') {
                // As good as absent.
                scanner.skip_value(JSON_DEPTH_MAX, arena).map_err(broken)?;
                continue;
            }
            found = match name {
                Name::Known("stringValue") => Any::Text(text(scanner, arena, "stringValue")?),
                Name::Known("bytesValue") => Any::Text(text(scanner, arena, "bytesValue")?),
                Name::Known("boolValue") => Any::Bool(boolean(scanner, arena)?),
                Name::Known("intValue") => Any::Int(integer(scanner, arena, "intValue")?),
                Name::Known("doubleValue") => Any::Float(float(scanner, arena)?),
                Name::Known("arrayValue") => Any::Array(values(scanner, arena)?),
                Name::Known("kvlistValue") => Any::Map(values(scanner, arena)?),
                _ => {
                    scanner.skip_value(JSON_DEPTH_MAX, arena).map_err(broken)?;
                    found
                }
            };
        }
        Ok(found)
    }
}

/// The name of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    Known(&'a str),
    /// Written with escapes: none of ours are.
    Other,
}

/// The members of an object, one after the other.
pub(super) struct Members<'s, 'a> {
    pub(super) scanner: &'s mut Scanner<'a>,
    is_first: bool,
}

impl<'s, 'a> Members<'s, 'a> {
    pub(super) fn enter(scanner: &'s mut Scanner<'a>, what: &str) -> Read<Members<'s, 'a>> {
        if scanner.take(b'{') {
            return Ok(Members { scanner, is_first: true });
        }
        Err(RecordError::whole(format!("{what} must be a JSON object")))
    }

    /// The name of the next member; its value is to be read then.
    pub(super) fn next(&mut self, arena: &mut String) -> Read<Option<Name<'a>>> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let another = if is_first {
            !self.scanner.take(b'}')
        } else {
            self.scanner.another_member().map_err(broken)?
        };
        if !another {
            return Ok(None);
        }
        let kept = arena.len();
        let name = match self.scanner.key(arena).map_err(broken)? {
            Text::Sent(name) => Name::Known(name),
            Text::Arena { .. } => Name::Other,
        };
        arena.truncate(kept);
        Ok(Some(name))
    }
}

/// The text of the next value.
pub(super) fn slice_value<'a>(scanner: &mut Scanner<'a>, arena: &mut String) -> Scanned<&'a str> {
    scanner.peek();
    let from = scanner.at();
    scanner.skip_value(JSON_DEPTH_MAX, arena)?;
    Ok(scanner.slice(from, scanner.at()))
}

pub(super) fn broken(error: ScanError) -> Box<RecordError> {
    RecordError::scan(error, None)
}

pub(super) fn wrong_type(name: &str, expected: &str) -> Box<RecordError> {
    RecordError::field(name, format!("{name} must be {expected}"))
}

pub(super) fn text<'a>(scanner: &mut Scanner<'a>, arena: &mut String, name: &str) -> Read<Text<'a>> {
    match scanner.peek() {
        Some(b'"') => scanner.string(arena).map_err(broken),
        _ => Err(wrong_type(name, "text")),
    }
}

fn boolean(scanner: &mut Scanner<'_>, arena: &mut String) -> Read<bool> {
    match slice_value(scanner, arena).map_err(broken)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong_type("boolValue", "true or false")),
    }
}

/// The list that is next; `None` where there is `null` instead.
pub(super) fn list<'a>(
    scanner: &mut Scanner<'a>,
    scratch: &mut String,
    name: &str,
) -> Read<Option<JsonList<'a>>> {
    match scanner.peek() {
        Some(b'[') => Ok(Some(JsonList::new(slice_value(scanner, scratch).map_err(broken)?))),
        Some(b'n') => skip(scanner, scratch).map(|()| None),
        _ => Err(wrong_type(name, "an array")),
    }
}

pub(super) fn skip(scanner: &mut Scanner<'_>, scratch: &mut String) -> Read<()> {
    scanner.skip_value(JSON_DEPTH_MAX, scratch).map_err(broken)
}

/// A number, or one in quotes.
pub(super) fn digits<'a>(scanner: &mut Scanner<'a>, arena: &mut String) -> Read<&'a str> {
    Ok(slice_value(scanner, arena).map_err(broken)?.trim_matches('"'))
}

fn integer(scanner: &mut Scanner<'_>, arena: &mut String, name: &str) -> Read<i64> {
    let digits = digits(scanner, arena)?;
    let written = digits.parse().ok().or_else(|| whole(digits));
    written.ok_or_else(|| wrong_type(name, "a whole number of 64 bits, or one in quotes"))
}

/// A whole number written as `1e3` or `5.0`.
fn whole(digits: &str) -> Option<i64> {
    // 2^53: up to here every integer is a float.
    let number = digits.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

fn float(scanner: &mut Scanner<'_>, arena: &mut String) -> Read<f64> {
    match digits(scanner, arena)? {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        digits => {
            let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| wrong_type("doubleValue", "a number"))
        }
    }
}

/// The list in `{"values": [...]}`.
fn values<'a>(scanner: &mut Scanner<'a>, arena: &mut String) -> Read<JsonList<'a>> {
    let mut found = JsonList::new("");
    let mut members = Members::enter(scanner, "an array or a map, as {\"values\": [...]},")?;
    while let Some(name) = members.next(arena)? {
        let scanner = &mut *members.scanner;
        match (name, scanner.peek()) {
            (Name::Known("values"), Some(b'[')) => {
                found = JsonList::new(slice_value(scanner, arena).map_err(broken)?);
            }
            (Name::Known("values"), next) if next != Some(b'n') => {
                return Err(wrong_type("values", "an array"));
            }
            _ => scanner.skip_value(JSON_DEPTH_MAX, arena).map_err(broken)?,
        }
    }
    Ok(found)
}
