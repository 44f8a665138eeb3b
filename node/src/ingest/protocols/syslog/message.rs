//! One message to a draft: what its header says, and what it holds.

use insighthub_model::limits::IngestLimits;

use super::super::super::fixed;
use super::super::super::record::{Draft, Value};
use super::super::super::rejection::Read;
use super::super::super::scan_text::Text;
use super::super::super::slots::Slot;
use super::super::payload;
use super::header::Header;
use super::{SyslogClock, structured_data};

/// The service of a message that names neither program nor host.
const SERVICE_OTHERWISE: &str = "syslog";
/// Fields that the header fills.
const OF_HEADER: [&str; 6] = ["hostname", "app_name", "proc_id", "msg_id", "facility", "severity"];

/// Reads a message from `sender`, an address, into an empty draft.
pub(super) fn read<'a>(
    draft: &mut Draft<'a>,
    text: &'a str,
    sender: &'a str,
    clock: &SyslogClock,
    limits: &IngestLimits,
) -> Read<()> {
    let header = Header::read(text, clock);
    let hostname = header.hostname.or(Some(sender).filter(|sender| !sender.is_empty()));
    payload::read(draft, header.message, limits);
    make_way(draft);
    for (name, value) in [
        ("hostname", hostname),
        ("app_name", header.app_name),
        ("proc_id", header.proc_id),
        ("msg_id", header.msg_id),
        ("facility", Some(header.priority.facility())),
        ("severity", Some(header.priority.severity())),
    ] {
        if let Some(value) = value {
            draft.fields.push((Text::Sent(name), Value::Text(Text::Sent(value))));
        }
    }
    if let Some(data) = header.structured_data {
        structured_data::read(draft, data, limits)?;
    }
    fill_slots(draft, &header, clock);
    let is_service = |name: &&str| fixed::service_problem(name, limits.service_bytes_max).is_none();
    let service = header.app_name.filter(is_service).or(hostname.filter(is_service));
    draft.service_otherwise = Some(Text::Sent(service.unwrap_or(SERVICE_OTHERWISE)));
    draft.join_repeated();
    Ok(())
}

/// Members of an object that are named like a field of the header. A severity that is a level is one.
fn make_way(draft: &mut Draft<'_>) {
    if let Some(severity) = draft.slots.take(Slot::Severity) {
        if draft.slots.get(Slot::Level).is_none() && fixed::fits(draft, Slot::Level, severity) {
            draft.slots.put(Slot::Level, severity);
        } else {
            draft.fields.push((Text::Sent(Slot::Severity.name()), severity));
        }
    }
    draft.make_way_for(&OF_HEADER);
}

/// What the message itself does not say.
fn fill_slots(draft: &mut Draft<'_>, header: &Header<'_>, clock: &SyslogClock) {
    if draft.slots.get(Slot::Level).is_none() {
        draft.slots.put(Slot::Level, Value::Text(Text::Sent(header.priority.level())));
    }
    if !draft.says_when() {
        draft.slots.put(Slot::Timestamp, Value::Moment(header.moment.unwrap_or(clock.received)));
    }
}
