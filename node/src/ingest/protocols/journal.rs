//! systemd's journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): fields line by line, binary ones with their length, an empty
//! line behind each entry. `docs/journald.md` says what becomes which field.

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;

use super::super::fixed::{self, CLIENT};
use super::super::key::Key;
use super::super::record::{Draft, Value};
use super::super::records::{Piece, Records};
use super::super::rejection::{Read, RecordError};
use super::super::scan_text::Text;
use super::super::slots::Slot;
use super::syslog::Priority;

/// Bytes of the length of a binary field.
const LENGTH_BYTES: usize = 8;
/// The service of an entry that names neither program, unit nor host.
const SERVICE_OTHERWISE: &str = "journal";
const NANOS_PER_MICRO: i64 = 1_000;

/// Finds where entries end in bytes that are not all there yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryEnd {
    /// Where the line begins that is looked at.
    at: usize,
    has_fields: bool,
}

impl EntryEnd {
    /// The end of the entry that begins the bytes, once it is there. The same bytes, with more behind them, until then.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            let end = match line(bytes, self.at)? {
                Line::Empty { next } if self.has_fields => {
                    *self = EntryEnd::default();
                    return Some(next);
                }
                Line::Empty { next } => next,
                Line::Field { next, .. } => {
                    self.has_fields = true;
                    next
                }
            };
            self.at = end;
        }
    }
}

/// One line, or one binary field.
enum Line<'a> {
    Empty { next: usize },
    Field { name: &'a [u8], value: &'a [u8], next: usize },
}

/// `None` where it has no end.
fn line(bytes: &[u8], at: usize) -> Option<Line<'_>> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest)?;
    let text = rest.get(..end)?;
    if text.is_empty() {
        return Some(Line::Empty { next: at + 1 });
    }
    if let Some(equals) = memchr::memchr(b'=', text) {
        let (name, value) = text.split_at_checked(equals)?;
        return Some(Line::Field { name, value: value.get(1..)?, next: at + end + 1 });
    }
    let behind = rest.get(end + 1..)?;
    let (length, behind) = behind.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let value = behind.get(..length)?;
    // The line feed behind it is no part of it.
    behind.get(length)?;
    Some(Line::Field { name: text, value, next: at + end + 1 + LENGTH_BYTES + length + 1 })
}

/// What a journal calls the place of an entry: which journal, and the number in it.
pub fn place(entry: &[u8]) -> Option<(&str, u64)> {
    let mut at = 0;
    while let Some(Line::Field { name, value, next }) = line(entry, at) {
        if name == b"__CURSOR" {
            let cursor = std::str::from_utf8(value).ok()?;
            let part = |key: &str| cursor.split(';').find_map(|part| part.strip_prefix(key));
            return Some((part("s=")?, u64::from_str_radix(part("i=")?, 16).ok()?));
        }
        at = next;
    }
    None
}

/// The entries of a body.
#[derive(Debug)]
pub(super) struct JournalRecords<'a> {
    body: &'a [u8],
    at: usize,
    limits: &'a IngestLimits,
}

impl<'a> JournalRecords<'a> {
    pub(super) fn new(body: &'a [u8], limits: &'a IngestLimits) -> JournalRecords<'a> {
        JournalRecords { body, at: 0, limits }
    }
}

impl<'a> Records<'a> for JournalRecords<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let empty = self.body.get(self.at..)?.iter().take_while(|byte| **byte == b'\n').count();
        let offset = self.at + empty;
        let rest = self.body.get(offset..).filter(|rest| !rest.is_empty())?;
        let found = EntryEnd::default().find(rest);
        let (raw, _) = rest.split_at_checked(found.unwrap_or(rest.len()))?;
        self.at = offset + raw.len();
        // The last entry of a file may lack its empty line.
        let is_whole = found.is_some() || lines_end(raw);
        let read = match is_whole {
            true => read(draft, raw, self.limits),
            false => Err(RecordError::whole("the entry is cut off")),
        };
        Some(Piece { offset, raw, shared_bytes: 0, key: Key::None, read })
    }
}

/// Whether the last line of an entry is whole.
fn lines_end(entry: &[u8]) -> bool {
    let mut at = 0;
    while let Some(Line::Field { next, .. } | Line::Empty { next }) = line(entry, at) {
        at = next;
    }
    at == entry.len()
}

fn read<'a>(draft: &mut Draft<'a>, entry: &'a [u8], limits: &IngestLimits) -> Read<()> {
    // What the journal itself vouches for comes first, so that nothing else takes its names.
    of_journal(draft, entry, limits)?;
    let vouched = draft.fields.len();
    let mut at = 0;
    while let Some(Line::Field { name, value, next }) = line(entry, at) {
        at = next;
        let (name, value) = (field_name(name)?, text(draft, value));
        match name {
            _ if name.starts_with('_') => {}
            "MESSAGE" if draft.slots.get(Slot::Message).is_none() => {
                draft.slots.put(Slot::Message, Value::Text(value))
            }
            "PRIORITY" => priority(draft, value),
            "SYSLOG_FACILITY" => {
                let facility = draft.text(value).parse().ok().and_then(Priority::of_facility);
                let value = facility.map_or(value, |priority| Text::Sent(priority.facility()));
                draft.fields.push((Text::Sent("facility"), Value::Text(value)));
            }
            _ => {
                let lower = lower(draft, name);
                let is_taken = draft
                    .fields
                    .iter()
                    .take(vouched)
                    .any(|(taken, _)| draft.text(*taken) == draft.text(lower));
                let name = if is_taken { draft.joined(CLIENT, lower) } else { lower };
                draft.attribute(name, Value::Text(value), limits)?;
            }
        }
    }
    if draft.slots.get(Slot::Message).is_none() && draft.fields.is_empty() {
        return Err(RecordError::whole("the entry has no fields"));
    }
    draft.service_otherwise = Some(service(draft, limits));
    draft.message_otherwise = Some(Text::Sent(""));
    fixed::let_go_of_misfits(draft);
    draft.join_repeated();
    Ok(())
}

/// Fields whose names begin with an underscore.
fn of_journal<'a>(draft: &mut Draft<'a>, entry: &'a [u8], limits: &IngestLimits) -> Read<()> {
    let mut at = 0;
    while let Some(Line::Field { name, value, next }) = line(entry, at) {
        at = next;
        let name = field_name(name)?;
        if !name.starts_with('_') {
            continue;
        }
        let value = text(draft, value);
        match name {
            "__REALTIME_TIMESTAMP" => {
                let micros = draft.text(value).parse::<i64>().ok();
                let moment = micros.and_then(|micros| micros.checked_mul(NANOS_PER_MICRO)).map(Timestamp);
                let moment = moment
                    .ok_or_else(|| RecordError::field(name, "the time is no number of microseconds"))?;
                draft.slots.put(Slot::Timestamp, Value::Moment(moment));
            }
            // Where the entry is, not what it says: by these it is recognised when it comes again.
            "__CURSOR" | "__SEQNUM" | "__SEQNUM_ID" => {}
            _ => {
                let name = lower(draft, name.trim_start_matches('_'));
                draft.attribute(name, Value::Text(value), limits)?;
            }
        }
    }
    Ok(())
}

fn field_name(name: &[u8]) -> Read<&str> {
    std::str::from_utf8(name).map_err(|_| RecordError::whole("the name of a field is not UTF-8"))
}

fn text<'a>(draft: &mut Draft<'a>, value: &'a [u8]) -> Text<'a> {
    match std::str::from_utf8(value) {
        Ok(value) => Text::Sent(value),
        Err(_) => draft.own_text(&String::from_utf8_lossy(value)),
    }
}

fn lower<'a>(draft: &mut Draft<'a>, name: &str) -> Text<'a> {
    let start = draft.arena.len();
    draft.arena.extend(name.chars().map(|letter| letter.to_ascii_lowercase()));
    Text::Arena { start, end: draft.arena.len() }
}

fn priority<'a>(draft: &mut Draft<'a>, value: Text<'a>) {
    let Some(priority) = draft.text(value).parse().ok().and_then(Priority::of_severity) else {
        return draft.fields.push((Text::Sent("priority"), Value::Text(value)));
    };
    if draft.slots.get(Slot::Level).is_none() {
        draft.slots.put(Slot::Level, Value::Text(Text::Sent(priority.level())));
    }
    draft.fields.push((Text::Sent("severity"), Value::Text(Text::Sent(priority.severity()))));
}

/// The program, else its unit, else its host.
fn service<'a>(draft: &Draft<'a>, limits: &IngestLimits) -> Text<'a> {
    let named = ["syslog_identifier", "systemd_unit", "comm", "hostname"].into_iter().find_map(|wanted| {
        let (_, value) = draft.fields.iter().find(|(name, _)| draft.text(*name) == wanted)?;
        let Value::Text(Text::Sent(value)) = *value else { return None };
        let value = value.strip_suffix(".service").unwrap_or(value);
        fixed::service_problem(value, limits.service_bytes_max).is_none().then_some(value)
    });
    Text::Sent(named.unwrap_or(SERVICE_OTHERWISE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26343b29e964691ff25d04c;m=4fc72436e;t=4c508a72423d9;x=d3e5610681098c10\n\
        __REALTIME_TIMESTAMP=1342540861416409\n__MONOTONIC_TIMESTAMP=21415215982\n_BOOT_ID=6c7c6013a26343b29e964691ff25d04c\n\
        _TRANSPORT=syslog\nPRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=avahi-daemon\nSYSLOG_PID=1280\n_PID=1280\nPID=7\n\
        TAG=a\nTAG=b\n_HOSTNAME=delta\n_SYSTEMD_UNIT=avahi.service\nMESSAGE=Joining mDNS multicast group\n\n";

    fn read_all(body: &[u8]) -> Vec<Result<serde_json::Value, String>> {
        let limits = IngestLimits::default();
        let (mut records, mut draft, mut found) =
            (JournalRecords::new(body, &limits), Draft::default(), Vec::new());
        loop {
            draft.clear();
            let Some(piece) = records.next(&mut draft) else { return found };
            found.push(match piece.read {
                Ok(()) => {
                    let mut record: serde_json::Value = serde_json::from_str(&draft.to_json()).unwrap();
                    record["service"] = draft.service().unwrap().into();
                    Ok(record)
                }
                Err(error) => Err(error.reason),
            });
        }
    }

    #[test]
    fn an_entry_becomes_a_record() {
        let expected = serde_json::json!({
            "timestamp": "2012-07-17T16:01:01.416409000Z", "level": "WARN", "message": "Joining mDNS multicast group",
            "service": "avahi-daemon", "severity": "warning", "facility": "daemon", "monotonic_timestamp": "21415215982",
            "boot_id": "6c7c6013a26343b29e964691ff25d04c", "transport": "syslog", "syslog_identifier": "avahi-daemon",
            "syslog_pid": "1280", "pid": "1280", "client.pid": "7", "tag": ["a", "b"], "hostname": "delta",
            "systemd_unit": "avahi.service",
        });
        assert_eq!(read_all(ENTRY.as_bytes()), [Ok(expected)]);
        assert_eq!(place(ENTRY.as_bytes()), Some(("739ad463348b4ceca5a9e69c95a3c93f", 0x4_ece7)));
        let of_unit = "_SYSTEMD_UNIT=cron.service\nMESSAGE=x\n\n";
        assert_eq!(read_all(of_unit.as_bytes())[0].as_ref().unwrap()["service"], "cron");
    }

    #[test]
    fn binary_fields_hold_anything() {
        let mut entry = b"_PID=1\nMESSAGE\n".to_vec();
        let message = "first\n\nsecond=\u{1b}[0m";
        entry.extend((message.len() as u64).to_le_bytes());
        entry.extend(message.as_bytes());
        entry.extend(b"\nPRIORITY=3\n\n\n\n");
        entry.extend(b"MESSAGE=last, without an end\n");
        let found = read_all(&entry);
        assert_eq!(found.len(), 2);
        let first = found[0].as_ref().unwrap();
        assert_eq!((&first["message"], &first["level"]), (&message.into(), &"ERROR".into()));
        assert_eq!(found[1].as_ref().unwrap()["message"], "last, without an end");
        // However the bytes come, the end is found where it is.
        let mut end = EntryEnd::default();
        let ends: Vec<_> =
            (0..=entry.len()).filter_map(|length| Some((length, end.find(&entry[..length])?))).collect();
        let first_end = entry.len() - b"\n\nMESSAGE=last, without an end\n".len();
        assert_eq!(ends[0], (first_end, first_end));
    }

    #[test]
    fn what_is_cut_off_is_told() {
        assert_eq!(read_all(b"MESSAGE=cut").len(), 1);
        for cut in [
            &b"MESSAGE=cut"[..],
            b"MESSAGE\n\x08\0\0\0\0\0\0\0cut",
            b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(read_all(cut), [Err("the entry is cut off".to_owned())], "{cut:?}");
        }
        assert!(read_all(b"\n\n").is_empty());
        assert!(read_all(b"__REALTIME_TIMESTAMP=soon\nMESSAGE=x\n\n")[0].is_err());
    }
}
