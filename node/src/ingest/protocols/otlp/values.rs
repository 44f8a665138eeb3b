//! Values of OpenTelemetry, which nest: taken apart to fields with dotted names, or written as plain JSON.
//!
//! Knows no encoding: each tells how its values are opened.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insighthub_model::limits::IngestLimits;

use crate::ingest::record::{Draft, Value};
use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan_text::Text;

/// An `AnyValue` that is not opened yet.
pub(super) trait Node<'a>: Copy {
    type Nodes: Nodes<'a, Node = Self>;

    /// What it holds. Texts that must be decoded go to the arena.
    fn open(self, arena: &mut String) -> Read<Any<'a, Self::Nodes>>;
}

/// The values of an array, or the members of a map.
pub(super) trait Nodes<'a> {
    type Node: Node<'a, Nodes = Self>;

    fn item(&mut self) -> Read<Option<Self::Node>>;

    /// The next member: its name, and its value where it has one.
    fn member(&mut self, arena: &mut String) -> Read<Option<(Text<'a>, Option<Self::Node>)>>;
}

/// A value, one level deep.
#[derive(Debug)]
pub(super) enum Any<'a, N> {
    /// Set to nothing.
    Empty,
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(&'a [u8]),
    Array(N),
    Map(N),
}

/// Where fields go that were taken apart.
pub(super) trait Taker<'a> {
    fn take(&mut self, draft: &mut Draft<'a>, name: Text<'a>, value: Value<'a>) -> Read<()>;
}

/// Takes maps apart. Kept from record to record for its memory.
#[derive(Debug, Default)]
pub(super) struct Flattener {
    json: String,
}

impl Flattener {
    /// Every member, those of maps within under names with dots between; answers how many there are. What is `outer` is the name
    /// of the map and how many are open.
    pub(super) fn members<'a, N: Nodes<'a>>(
        &mut self,
        mut nodes: N,
        outer: Option<(Text<'a>, usize)>,
        (draft, limits): (&mut Draft<'a>, &IngestLimits),
        taker: &mut impl Taker<'a>,
    ) -> Read<usize> {
        let depth = outer.map_or(1, |(_, depth)| depth);
        let mut count = 0;
        while let Some((key, node)) = nodes.member(&mut draft.arena)? {
            count += 1;
            let name = match outer {
                Some((outer, _)) => draft.joined(outer, key),
                None => key,
            };
            let any = node.map_or(Ok(Any::Empty), |node| node.open(&mut draft.arena))?;
            if let Any::Map(members) = any {
                if depth >= limits.depth_max {
                    return Err(too_deep(draft.text(name), limits));
                }
                if self.members(members, Some((name, depth + 1)), (draft, limits), taker)? == 0 {
                    taker.take(draft, name, Value::Object)?;
                }
                continue;
            }
            let value = self.value(any, (draft, limits), depth)?;
            taker.take(draft, name, value)?;
        }
        Ok(count)
    }

    /// A value as one field holds it; a map as JSON.
    pub(super) fn value<'a, N: Nodes<'a>>(
        &mut self,
        any: Any<'a, N>,
        (draft, limits): (&mut Draft<'a>, &IngestLimits),
        depth: usize,
    ) -> Read<Value<'a>> {
        Ok(match any {
            Any::Empty => Value::Null,
            Any::Text(text) => Value::Text(text),
            Any::Bool(value) => Value::Bool(value),
            Any::Int(value) => Value::Int(value),
            Any::Float(value) if value.is_finite() => Value::Float(value),
            Any::Float(value) => Value::Text(Text::Sent(name_of(value))),
            Any::Bytes(bytes) => Value::Text(base64_text(draft, bytes)),
            composed @ (Any::Array(_) | Any::Map(_)) => {
                self.json.clear();
                let depth_left = limits.depth_max.saturating_sub(depth);
                write_json(&mut self.json, composed, &mut draft.arena, depth_left)
                    .map_err(|error| error.unwrap_or_else(|| too_deep("", limits)))?;
                Value::Array(draft.own_text(&self.json))
            }
        })
    }
}

fn too_deep(name: &str, limits: &IngestLimits) -> Box<RecordError> {
    let reason = format!("the record is nested deeper than {} levels", limits.depth_max);
    if name.is_empty() { RecordError::whole(reason) } else { RecordError::field(name, reason) }
}

/// As Protocol Buffers write what JSON has no number for.
fn name_of(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn base64_text<'a>(draft: &mut Draft<'a>, bytes: &[u8]) -> Text<'a> {
    let start = draft.arena.len();
    STANDARD.encode_string(bytes, &mut draft.arena);
    Text::Arena { start, end: draft.arena.len() }
}

/// Plain JSON. The arena is left as it was; an error of `None` is one level too many.
fn write_json<'a, N: Nodes<'a>>(
    json: &mut String,
    any: Any<'a, N>,
    arena: &mut String,
    depth_left: usize,
) -> Result<(), Option<Box<RecordError>>> {
    match any {
        Any::Empty => json.push_str("null"),
        Any::Text(text) => push_quoted(json, text.of(arena)),
        Any::Bool(value) => json.push_str(if value { "true" } else { "false" }),
        // Into a string nothing fails.
        Any::Int(value) => drop(write!(json, "{value}")),
        Any::Float(value) if value.is_finite() => drop(write!(json, "{value:?}")),
        Any::Float(value) => push_quoted(json, name_of(value)),
        Any::Bytes(bytes) => {
            json.push('"');
            STANDARD.encode_string(bytes, json);
            json.push('"');
        }
        Any::Array(_) | Any::Map(_) if depth_left == 0 => return Err(None),
        Any::Array(mut items) => {
            json.push('[');
            let mut separator = "";
            while let Some(item) = items.item()? {
                json.push_str(std::mem::replace(&mut separator, ","));
                write_node(json, Some(item), arena, depth_left - 1)?;
            }
            json.push(']');
        }
        Any::Map(mut members) => {
            json.push('{');
            let mut separator = "";
            let kept = arena.len();
            while let Some((name, node)) = members.member(arena)? {
                json.push_str(std::mem::replace(&mut separator, ","));
                push_quoted(json, name.of(arena));
                arena.truncate(kept);
                json.push(':');
                write_node(json, node, arena, depth_left - 1)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

fn write_node<'a, N: Node<'a>>(
    json: &mut String,
    node: Option<N>,
    arena: &mut String,
    depth_left: usize,
) -> Result<(), Option<Box<RecordError>>> {
    let kept = arena.len();
    let any = node.map_or(Ok(Any::Empty), |node| node.open(arena))?;
    write_json(json, any, arena, depth_left)?;
    arena.truncate(kept);
    Ok(())
}

/// A JSON string.
fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        json.push_str(text.get(plain_from..at).unwrap_or_default());
        json.push_str(escape);
        if escape.is_empty() {
            json.push_str("\\u00");
            json.extend(
                [byte >> 4, byte & 0xf].into_iter().filter_map(|half| char::from_digit(half.into(), 16)),
            );
        }
        plain_from = at + 1;
    }
    json.push_str(text.get(plain_from..).unwrap_or_default());
    json.push('"');
}
