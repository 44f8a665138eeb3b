//! RFC 5424: `1 2026-04-28T12:00:00Z host app 123 id [data x="y"] message`, and what comes close to it.

use insighthub_model::Timestamp;

use super::SyslogClock;
use super::header::{Header, word};
use super::priority::Priority;
use super::{legacy, stamp, structured_data};

const NIL: &str = "-";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads what follows the priority; `None` where it is of another format.
pub(super) fn read<'a>(priority: Priority, text: &'a str, clock: &SyslogClock) -> Option<Header<'a>> {
    let (version, rest) = text.split_once(' ')?;
    if !matches!(version.len(), 1..=3) || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (time, rest) = word(rest);
    let moment = match time {
        NIL => None,
        time if stamp::begins_with_date(time) => {
            Some(stamp::iso(time, clock).filter(|(_, end)| end.is_empty())?.0)
        }
        // Meraki: a version, seconds since 1970, and then the old format.
        time => return seconds_since_1970(time).map(|moment| legacy::behind_time(priority, moment, rest)),
    };
    let (hostname, rest) = word(rest);
    let (app_name, rest) = word(rest);
    let (proc_id, rest) = word(rest);
    let (msg_id, rest) = word(rest);
    let (structured_data, message) = data_and_message(rest);
    let named = |text: &'a str| Some(text).filter(|text| !text.is_empty() && *text != NIL);
    Some(Header {
        priority,
        moment,
        hostname: named(hostname),
        app_name: named(app_name),
        proc_id: named(proc_id),
        msg_id: named(msg_id),
        structured_data,
        message,
    })
}

/// Data that is broken is part of the message.
fn data_and_message(text: &str) -> (Option<&str>, &str) {
    if text == NIL {
        return (None, "");
    }
    if let Some(message) = text.strip_prefix("- ") {
        return (None, plain(message));
    }
    match structured_data::end(text) {
        Some(end) => {
            let (data, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            (Some(data), plain(rest.strip_prefix(' ').unwrap_or(rest)))
        }
        None => (None, plain(text)),
    }
}

/// Without the mark that says UTF-8, and without the space that messages keep which rsyslog passes on.
fn plain(message: &str) -> &str {
    let message = message.strip_prefix(' ').unwrap_or(message);
    message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message)
}

fn seconds_since_1970(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || !(9..=11).contains(&seconds.len()) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    Some(Timestamp(seconds.checked_mul(1_000_000_000)?.checked_add(stamp::billionths(fraction))?))
}
