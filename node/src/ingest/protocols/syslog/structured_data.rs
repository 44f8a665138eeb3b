//! The structured data of RFC 5424: `[origin@123 ip="10.0.0.1" ip="::1"][meta sequenceId="7"]`.

use insighthub_model::limits::IngestLimits;

use super::super::super::record::{Draft, Value};
use super::super::super::rejection::Read;
use super::super::super::scan_text::Text;

/// What can be escaped in a value; a backslash in front of anything else is one.
const ESCAPED: [char; 3] = ['"', '\\', ']'];

/// Where the elements at the start of a text end; `None` where there are none, or broken ones.
pub(super) fn end(text: &str) -> Option<usize> {
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        (_, rest) = id(element)?;
        while let Some((_, _, behind)) = parameter(rest) {
            rest = behind;
        }
        rest = rest.trim_start_matches(' ').strip_prefix(']')?;
    }
    // A message that begins with a bracket but not behind a space has none.
    let is_end = rest.is_empty() || rest.starts_with(' ');
    (rest.len() < text.len() && is_end).then_some(text.len() - rest.len())
}

/// Makes fields of elements that are well formed.
pub(super) fn read<'a>(draft: &mut Draft<'a>, text: &'a str, limits: &IngestLimits) -> Read<()> {
    let mut rest = text;
    while let Some((name, behind)) = rest.strip_prefix('[').and_then(id) {
        rest = behind;
        let mut is_bare = true;
        while let Some((key, value, behind)) = parameter(rest) {
            (rest, is_bare) = (behind, false);
            let field = draft.joined(Text::Sent(name), Text::Sent(key));
            let value = unescaped(draft, value);
            draft.attribute(field, Value::Text(value), limits)?;
        }
        if is_bare {
            draft.attribute(Text::Sent(name), Value::Bool(true), limits)?;
        }
        rest = rest.trim_start_matches(' ').strip_prefix(']').unwrap_or_default();
    }
    Ok(())
}

fn id(text: &str) -> Option<(&str, &str)> {
    let length = text.find([' ', ']', '=', '"', '['])?;
    let (id, rest) = text.split_at_checked(length)?;
    (!id.is_empty() && !rest.starts_with(['=', '"', '['])).then_some((id, rest))
}

/// The next ` name="value"`, as it was sent, and what follows.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.strip_prefix(' ')?.trim_start_matches(' ');
    let (name, rest) = text.split_once("=\"")?;
    if name.is_empty() || name.contains([' ', ']', '"', '=']) {
        return None;
    }
    let mut bytes = rest.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((name, rest.get(..at)?, rest.get(at + 1..)?)),
            b'\\' if rest.get(at + 1..)?.starts_with(ESCAPED) => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

fn unescaped<'a>(draft: &mut Draft<'a>, value: &'a str) -> Text<'a> {
    if !value.contains('\\') {
        return Text::Sent(value);
    }
    let start = draft.arena.len();
    let mut rest = value;
    while let Some((plain, behind)) = rest.split_once('\\') {
        draft.arena.push_str(plain);
        if !behind.starts_with(ESCAPED) {
            draft.arena.push('\\');
        }
        let escaped = behind.chars().next().map_or(0, char::len_utf8);
        let (escaped, behind) = behind.split_at_checked(escaped).unwrap_or((behind, ""));
        draft.arena.push_str(escaped);
        rest = behind;
    }
    draft.arena.push_str(rest);
    Text::Arena { start, end: draft.arena.len() }
}
