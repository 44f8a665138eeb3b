//! The fields with a meaning: timestamp, service, level, message, latency_ms, and the names other
//! loggers give them.
//!
//! An alias is a guess at what the client means. It counts where the field itself is absent and the
//! alias reads as one; otherwise it stays an ordinary field of its own name. So `"time": 0.35`
//! (a duration) and `"severity": "customer-facing"` are kept, not refused.

use insighthub_model::limits::IngestLimits;
use insighthub_model::retention::Retention;
use insighthub_model::{Level, Timestamp};

use super::number::Printed;
use super::record::{Draft, Value};
use super::rejection::{Read, RecordError, quoted};
use super::scan_text::Text;
use super::slots::Slot;

/// 2000-01-01: an alias of `timestamp` that holds an earlier number is a duration, not a moment.
pub(super) const EARLIEST_ALIAS: Timestamp = Timestamp(946_684_800_000_000_000);
const NANOS_PER_SEC: i64 = 1_000_000_000;
/// In front of a name that is taken.
pub(super) const CLIENT: Text<'static> = Text::Sent("client");

/// In this order: the most explicit name first.
pub(super) const TIMESTAMP_ALIASES: [Slot; 3] = [Slot::AtTimestamp, Slot::Time, Slot::Ts];
const LEVEL_ALIASES: [Slot; 3] = [Slot::LogLevel, Slot::Severity, Slot::Lvl];

/// What the fixed fields are checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct FixedRules<'a> {
    pub limits: &'a IngestLimits,
    pub retention: &'a Retention,
    pub now: Timestamp,
    /// The service the sender's token is bound to.
    pub token_service: Option<&'a str>,
}

/// The fixed fields of a record, good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed<'a> {
    pub service: Text<'a>,
    pub timestamp: Timestamp,
    /// The record says itself when it happened.
    pub is_dated: bool,
    pub level: Level,
    pub message: Text<'a>,
    pub latency_ms: Option<f64>,
}

/// Checks the slots of a draft; aliases that are none become ordinary fields.
#[inline]
pub(super) fn check<'a>(draft: &mut Draft<'a>, rules: &FixedRules<'a>) -> Read<Fixed<'a>> {
    let (service, message) = (service(draft, rules)?, message(draft)?);
    let (latency_ms, level) = (latency_ms(draft)?, level(draft)?);
    let told = timestamp(draft, rules)?;
    let (timestamp, is_dated) = (told.unwrap_or(rules.now), told.is_some());
    let fixed = Fixed { service, timestamp, is_dated, level, message, latency_ms };
    if !rules.retention.is_unlimited() {
        check_age(draft, &fixed, rules)?;
    }
    if draft.fields.len() > rules.limits.fields_max {
        let reason = format!("the record has more than {} fields", rules.limits.fields_max);
        return Err(RecordError::whole(reason));
    }
    Ok(fixed)
}

/// A record that would be gone at once is refused, so that whoever sent it hears of it. To the hour: a request that is sent
/// again must not be split otherwise because a moment has passed.
#[cold]
fn check_age(draft: &Draft<'_>, fixed: &Fixed<'_>, rules: &FixedRules<'_>) -> Read<()> {
    let service = draft.text(fixed.service);
    let days = rules.retention.days_of(service);
    let hour = Timestamp(rules.now.0 - rules.now.0.rem_euclid(3_600 * NANOS_PER_SEC));
    if fixed.timestamp >= Retention::kept_from(days, hour) {
        return Ok(());
    }
    let (moment, days, service) = (fixed.timestamp, days.unwrap_or_default(), quoted(service));
    let reason =
        format!("timestamp {moment} is older than the {days} days that logs of service {service:?} are kept");
    Err(RecordError::field(Slot::Timestamp.name(), reason))
}

fn wrong_type(slot: Slot, expected: &str, found: Value<'_>) -> Box<RecordError> {
    let name = slot.name();
    RecordError::field(name, format!("{name} must be {expected}, got {}", found.kind()))
}

fn service<'a>(draft: &mut Draft<'a>, rules: &FixedRules<'a>) -> Read<Text<'a>> {
    let name = Slot::Service.name();
    let text = match (draft.slots.present(Slot::Service), draft.slots.present(Slot::ServiceName)) {
        (Some(Value::Text(text)), _) => {
            draft.keep_as_field(Slot::ServiceName);
            text
        }
        (Some(other), _) => return Err(wrong_type(Slot::Service, "text", other)),
        (None, Some(Value::Text(text))) => text,
        (None, Some(other)) => return Err(wrong_type(Slot::ServiceName, "text", other)),
        (None, None) => match rules.token_service.map(Text::Sent).or(draft.service_otherwise) {
            Some(text) => text,
            None => return Err(RecordError::field(name, "service is required")),
        },
    };
    let service = draft.text(text);
    if let Some(bound) = rules.token_service
        && service != bound
    {
        let reason = format!("this token may only write to service {bound:?}, not to {:?}", quoted(service));
        return Err(RecordError::field(name, reason));
    }
    match service_problem(service, rules.limits.service_bytes_max) {
        None => Ok(text),
        Some(reason) => Err(RecordError::field(name, reason)),
    }
}

/// Why a text cannot be the name of a service.
#[inline]
pub(super) fn service_problem(service: &str, bytes_max: usize) -> Option<String> {
    if service.is_empty() {
        return Some("service must not be empty".to_owned());
    }
    if service.len() > bytes_max {
        return Some(format!("service is {} bytes long, the limit is {bytes_max}", service.len()));
    }
    // Other than in ASCII control characters are rare enough to look at every character.
    let plain = service.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let control = !plain && service.chars().any(char::is_control);
    control.then(|| "service must not hold control characters".to_owned())
}

fn message<'a>(draft: &mut Draft<'a>) -> Read<Text<'a>> {
    match (draft.slots.present(Slot::Message), draft.slots.present(Slot::Msg)) {
        (Some(Value::Text(text)), _) => {
            draft.keep_as_field(Slot::Msg);
            Ok(text)
        }
        (None, Some(Value::Text(text))) => Ok(text),
        (Some(other), _) => Err(wrong_type(Slot::Message, "text", other)),
        (None, Some(other)) => Err(wrong_type(Slot::Msg, "text", other)),
        (None, None) => match draft.message_otherwise {
            Some(text) => Ok(text),
            None => Err(RecordError::field(Slot::Message.name(), "message is required")),
        },
    }
}

fn latency_ms(draft: &Draft<'_>) -> Read<Option<f64>> {
    let latency_ms = match draft.slots.present(Slot::LatencyMs) {
        None => return Ok(None),
        Some(Value::Int(value)) => value as f64,
        Some(Value::Float(value)) => value,
        Some(Value::LongNumber(text)) => text.parse().unwrap_or(f64::NAN),
        Some(other) => return Err(wrong_type(Slot::LatencyMs, "a number of milliseconds", other)),
    };
    if latency_ms >= 0.0 && latency_ms.is_finite() {
        return Ok(Some(latency_ms));
    }
    let reason = format!("latency_ms must be 0 or more milliseconds, got {latency_ms}");
    Err(RecordError::field(Slot::LatencyMs.name(), reason))
}

fn level(draft: &mut Draft<'_>) -> Read<Level> {
    if let Some(value) = draft.slots.present(Slot::Level) {
        LEVEL_ALIASES.into_iter().for_each(|alias| draft.keep_as_field(alias));
        return level_of(draft, value).ok_or_else(|| bad_level(draft, value));
    }
    let mut found = None;
    for alias in LEVEL_ALIASES {
        let level = draft.slots.get(alias).and_then(|value| level_of(draft, value));
        if found.is_none() && level.is_some() {
            found = level;
        } else {
            draft.keep_as_field(alias);
        }
    }
    Ok(found.unwrap_or_default())
}

fn level_of(draft: &Draft<'_>, value: Value<'_>) -> Option<Level> {
    match value {
        Value::Text(text) => text.of(&draft.arena).trim_ascii().parse().ok(),
        Value::Int(number) => u64::try_from(number).ok().and_then(Level::from_pino),
        _ => None,
    }
}

/// Lets go of what cannot be in its slot: it becomes a field of the client's own, behind `client.`. For records whose protocol
/// knows no such fields, so that nobody meant them.
pub(super) fn let_go_of_misfits(draft: &mut Draft<'_>) {
    for slot in [Slot::Timestamp, Slot::Service, Slot::Level, Slot::Message, Slot::LatencyMs] {
        let Some(value) = draft.slots.get(slot) else { continue };
        if !fits(draft, slot, value) {
            draft.slots.take(slot);
            let name = draft.joined(CLIENT, Text::Sent(slot.name()));
            draft.fields.push((name, value));
        }
    }
    for alias in [Slot::Msg, Slot::ServiceName] {
        if draft.slots.get(alias).is_some_and(|value| !matches!(value, Value::Text(_))) {
            draft.keep_as_field(alias);
        }
    }
}

/// Whether a slot can hold a value.
pub(super) fn fits(draft: &Draft<'_>, slot: Slot, value: Value<'_>) -> bool {
    match slot {
        Slot::Service | Slot::Message => matches!(value, Value::Text(_)),
        Slot::LatencyMs => match value {
            Value::Int(value) => value >= 0,
            Value::Float(value) => value >= 0.0 && value.is_finite(),
            _ => false,
        },
        Slot::Level => level_of(draft, value).is_some(),
        Slot::Timestamp => moment_of(draft, value).is_some(),
        _ => true,
    }
}

/// Whether the record names its level, under whatever name.
pub(super) fn says_level(draft: &Draft<'_>) -> bool {
    let mut names = std::iter::once(Slot::Level).chain(LEVEL_ALIASES);
    names.any(|slot| draft.slots.get(slot).is_some_and(|value| fits(draft, Slot::Level, value)))
}

fn bad_level(draft: &Draft<'_>, value: Value<'_>) -> Box<RecordError> {
    const KNOWN: &str = "TRACE, DEBUG, INFO, WARN, ERROR or FATAL (or 10, 20 ... 60)";
    let found = match value {
        Value::Text(text) => format!("{:?}", quoted(text.of(&draft.arena))),
        Value::Int(number) => number.to_string(),
        other => other.kind().to_owned(),
    };
    RecordError::field(Slot::Level.name(), format!("level must be {KNOWN}, got {found}"))
}

/// When the record says it happened.
fn timestamp(draft: &mut Draft<'_>, rules: &FixedRules<'_>) -> Read<Option<Timestamp>> {
    let latest = rules.now.plus_secs(rules.limits.future_secs_max);
    if let Some(value) = draft.slots.present(Slot::Timestamp) {
        TIMESTAMP_ALIASES.into_iter().for_each(|alias| draft.keep_as_field(alias));
        let moment = moment_of(draft, value).ok_or_else(|| bad_timestamp(draft, value))?;
        return within(moment, latest, Slot::Timestamp, rules).map(Some);
    }
    let mut found = None;
    for alias in TIMESTAMP_ALIASES {
        let moment = draft.slots.get(alias).and_then(|value| moment_of(draft, value));
        match moment.filter(|moment| found.is_none() && *moment >= EARLIEST_ALIAS) {
            Some(moment) => found = Some(within(moment, latest, alias, rules)?),
            None => draft.keep_as_field(alias),
        }
    }
    Ok(found)
}

fn within(moment: Timestamp, latest: Timestamp, slot: Slot, rules: &FixedRules<'_>) -> Read<Timestamp> {
    let name = slot.name();
    if moment.0 < 0 {
        return Err(RecordError::field(name, format!("{name} {moment} lies before 1970")));
    }
    if moment > latest {
        let secs = rules.limits.future_secs_max;
        let reason = format!("{name} {moment} lies more than {secs} seconds in the future: check the clock");
        return Err(RecordError::field(name, reason));
    }
    Ok(moment)
}

fn bad_timestamp(draft: &Draft<'_>, value: Value<'_>) -> Box<RecordError> {
    let found = match value {
        Value::Text(text) => format!("{:?}", quoted(text.of(&draft.arena))),
        Value::LongNumber(text) => quoted(text),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => other.kind().to_owned(),
    };
    let reason = format!(
        "timestamp must be RFC 3339 (2025-12-02T10:10:02Z) or seconds, milliseconds, microseconds or nanoseconds since 1970, got {found}"
    );
    RecordError::field(Slot::Timestamp.name(), reason)
}

pub(super) fn moment_of(draft: &Draft<'_>, value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Text(text) => {
            let text = text.of(&draft.arena).trim_ascii();
            // Nearly always a date: 2025-...
            match text.as_bytes().get(4) {
                Some(b'-') => Timestamp::parse(text).ok(),
                _ => decimal_epoch(text).or_else(|| Timestamp::parse(text).ok()),
            }
        }
        Value::Int(number) => Timestamp::from_epoch(number),
        Value::Moment(moment) => Some(moment),
        // By its digits: 1733134202.123 as a product of floats would be 94 ns off.
        Value::Float(number) => {
            decimal_epoch(Printed::of(number).text()).or_else(|| Timestamp::from_epoch_float(number))
        }
        Value::LongNumber(text) => decimal_epoch(text),
        _ => None,
    }
}

/// A decimal number since 1970, `1733134202.123`, digit by digit.
pub(super) fn decimal_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let start = Timestamp::from_epoch(whole)?;
    let unit_nanos = start.0.checked_div(whole).unwrap_or(NANOS_PER_SEC);
    let billionths = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let billionths = billionths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    start.0.checked_add(billionths * unit_nanos / NANOS_PER_SEC).map(Timestamp)
}
