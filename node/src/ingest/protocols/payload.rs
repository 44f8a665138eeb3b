//! A line that holds text, or a JSON object whose members are fields (with or without the mark `@cee:` in front).

use insighthub_model::limits::IngestLimits;

use super::super::reader;
use super::super::record::{Draft, Value};
use super::super::scan_text::Text;
use super::super::slots::Slot;

const MARK: &str = "@cee:";

/// Reads it into an empty draft. A broken object is a text.
pub(super) fn read<'a>(draft: &mut Draft<'a>, line: &'a str, limits: &IngestLimits) {
    let json = line.strip_prefix(MARK).unwrap_or(line).trim_ascii();
    if json.starts_with('{') && reader::read_foreign(draft, json, limits).is_ok() {
        draft.message_otherwise = Some(Text::Sent(json));
        return;
    }
    draft.clear();
    draft.slots.put(Slot::Message, Value::Text(Text::Sent(line)));
}
