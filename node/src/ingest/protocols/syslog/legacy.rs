//! RFC 3164 as it is spoken: `Apr 28 12:00:00 host app[123]: message`, with any part missing, in ISO times, by Cisco.

use insighthub_model::Timestamp;

use super::header::{Header, word};
use super::priority::Priority;
use super::{SyslogClock, stamp};

/// A name is no longer: what is, is a sentence.
const NAME_BYTES_MAX: usize = 255;

/// Reads what follows the priority.
pub(super) fn read<'a>(priority: Priority, text: &'a str, clock: &SyslogClock) -> Header<'a> {
    if let Some((moment, rest)) = stamp::read(text, clock) {
        return behind_time(priority, moment, rest);
    }
    let (origin, rest) = cisco_counts(text);
    if let Some((moment, rest)) = stamp::read(rest, clock).filter(|_| rest.len() < text.len()) {
        let header = behind_time(priority, moment, rest);
        return Header { hostname: origin.or(header.hostname), ..header };
    }
    let header = Header::of(priority, text);
    tagged(header, rest).or_else(|| tagged(header, text)).unwrap_or(header)
}

/// Reads what follows the time: a host, and the program's name.
pub(super) fn behind_time(priority: Priority, moment: Timestamp, text: &str) -> Header<'_> {
    let text = text.trim_start_matches([' ', ':']);
    let header = Header { moment: Some(moment), ..Header::of(priority, text) };
    if text.starts_with('%')
        && let Some(found) = tagged(header, text)
    {
        return found;
    }
    let (host, rest) = word(text);
    if !is_host(host, rest) {
        return tagged(header, text).unwrap_or(header);
    }
    let hostname = Some(host.trim_end_matches(':')).filter(|host| *host != "-");
    // A Cisco that names itself puts ` : ` behind its name.
    let message = rest.strip_prefix(": ").unwrap_or(rest);
    let message = message.strip_prefix(' ').unwrap_or(message);
    let header = Header { hostname, message, ..header };
    tagged(header, message).unwrap_or(header)
}

/// Whether the first word behind the time is a host, and not a program's name already.
fn is_host(word: &str, rest: &str) -> bool {
    let is_name =
        !word.is_empty() && word.len() <= NAME_BYTES_MAX && !word.contains(['[', ']', '{', '"', '=', '(']);
    is_name && (!word.ends_with(':') || rest.trim_start_matches(' ').starts_with('%'))
}

/// Takes the program's name from the front of the message.
fn tagged<'a>(header: Header<'a>, text: &'a str) -> Option<Header<'a>> {
    if let Some(found) = text.strip_prefix('%').and_then(cisco) {
        let (facility, msg_id) = found;
        return Some(Header { app_name: Some(facility), msg_id: Some(msg_id), message: text, ..header });
    }
    let length = text.find([':', '[', ' ', '{', '"', '=', '<']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(length)?;
    if !begins_like_a_name(name) {
        return None;
    }
    let (proc_id, rest) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (proc_id, rest) = inner.split_once(']')?;
            if proc_id.is_empty() || proc_id.len() > NAME_BYTES_MAX || proc_id.contains([' ', '=', '"']) {
                return None;
            }
            (Some(proc_id), rest)
        }
        None => (None, rest),
    };
    let message = match rest.strip_prefix(':') {
        Some(message) if message.is_empty() || message.starts_with([' ', '{', '@', '\t']) => message,
        None if proc_id.is_some() && rest.starts_with(' ') => rest,
        _ => return None,
    };
    let message = message.strip_prefix(' ').unwrap_or(message);
    Some(Header { app_name: Some(name), proc_id, message, ..header })
}

fn begins_like_a_name(text: &str) -> bool {
    let begins =
        text.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '/' | '_' | '.' | '-'));
    begins && text.len() <= NAME_BYTES_MAX && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// `SYS-5-CONFIG_I: Configured ...`, behind the percent sign: the facility, and all of it.
fn cisco(text: &str) -> Option<(&str, &str)> {
    let (msg_id, _) = text.split_once(':')?;
    let (facility, rest) = msg_id.split_once('-')?;
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let has_severity =
        rest.split('-').any(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    (is_word(facility) && is_word(rest) && has_severity).then_some((facility, msg_id))
}

/// What a Cisco puts in front of its time: a count, its name, another count, each with a colon. Answers the name and the rest.
fn cisco_counts(text: &str) -> (Option<&str>, &str) {
    let mut origin = None;
    let mut rest = text.trim_start_matches([':', ' ']);
    for _ in 0..3 {
        let (part, behind) = word(rest);
        let Some(name) =
            part.strip_suffix(':').filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)
        else {
            break;
        };
        if name.starts_with('%') {
            break;
        }
        if name.bytes().any(|byte| !byte.is_ascii_digit()) {
            // A second name is a program's.
            if origin.is_some() {
                break;
            }
            origin = Some(name);
        }
        rest = behind.trim_start_matches(' ');
    }
    (origin, rest)
}
