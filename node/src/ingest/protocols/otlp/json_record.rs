//! One record of OpenTelemetry in JSON: its parts, as they are written.

use super::json_values::{Json, Members, Name, broken, digits, list, skip, slice_value, text};
use super::mapping::LogRecord;
use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan::Scanner;
use crate::ingest::scan_text::Text;

/// Reads a record.
pub(super) fn log_record<'a>(scanner: &mut Scanner<'a>, arena: &mut String) -> Read<LogRecord<'a, Json<'a>>> {
    let mut record = LogRecord::default();
    let mut members = Members::enter(scanner, "a record")?;
    while let Some(name) = members.next(arena)? {
        let Name::Known(name) = name else {
            skip(members.scanner, arena)?;
            continue;
        };
        member(&mut record, name, members.scanner, arena)?;
    }
    Ok(record)
}

fn member<'a>(
    record: &mut LogRecord<'a, Json<'a>>,
    name: &'a str,
    scanner: &mut Scanner<'a>,
    arena: &mut String,
) -> Read<()> {
    if scanner.peek() == Some(b'n') {
        // As good as absent.
        return skip(scanner, arena);
    }
    match name {
        "timeUnixNano" => record.time_unix_nano = unsigned(scanner, arena, name)?,
        "observedTimeUnixNano" => record.observed_time_unix_nano = unsigned(scanner, arena, name)?,
        "severityNumber" => record.severity_number = severity(digits(scanner, arena)?),
        "severityText" => record.severity_text = Some(text(scanner, arena, name)?),
        "body" => record.body = Some(Json(slice_value(scanner, arena).map_err(broken)?)),
        "attributes" => record.attributes = list(scanner, arena, name)?,
        "flags" => record.flags = unsigned(scanner, arena, name)? as u32,
        "traceId" => record.trace_id = id(scanner, arena, name)?,
        "spanId" => record.span_id = id(scanner, arena, name)?,
        "eventName" => record.event_name = Some(text(scanner, arena, name)?),
        _ => skip(scanner, arena)?,
    }
    Ok(())
}

fn unsigned(scanner: &mut Scanner<'_>, arena: &mut String, name: &str) -> Read<u64> {
    let digits = digits(scanner, arena)?;
    // As a program writes it that has only floats.
    let written = digits.parse().ok().or_else(|| {
        let number = digits.parse::<f64>().ok()?;
        (number.fract() == 0.0 && (0.0..1.8e19).contains(&number)).then_some(number as u64)
    });
    written.ok_or_else(|| {
        RecordError::field(name, format!("{name} must be a whole number of 64 bits, or one in quotes"))
    })
}

/// A number, or a name: `SEVERITY_NUMBER_INFO2`. What is neither says nothing.
fn severity(written: &str) -> i64 {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    if let Ok(number) = written.parse::<i32>() {
        return i64::from(number);
    }
    let Some(name) = written.strip_prefix("SEVERITY_NUMBER_") else { return 0 };
    let (name, step) = match name.strip_suffix(['2', '3', '4']) {
        Some(stem) => (stem, name.bytes().last().map_or(0, |digit| i64::from(digit - b'1'))),
        None => (name, 0),
    };
    let level = NAMES.iter().position(|known| *known == name);
    level.and_then(|level| i64::try_from(level).ok()).map_or(0, |level| level * 4 + 1 + step)
}

/// An id in small letters; `None` where it names nothing.
fn id<'a>(scanner: &mut Scanner<'a>, arena: &mut String, name: &str) -> Read<Option<Text<'a>>> {
    let id = text(scanner, arena, name)?;
    let written = id.of(arena);
    if written.bytes().all(|digit| digit == b'0') {
        return Ok(None);
    }
    if !written.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Some(id));
    }
    let lowered = written.to_ascii_lowercase();
    let start = arena.len();
    arena.push_str(&lowered);
    Ok(Some(Text::Arena { start, end: arena.len() }))
}
