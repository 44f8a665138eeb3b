//! What forms have in common: text to values and back, and which field is at fault. Pure.

use insighthub_model::alerts::Problem;
use insighthub_model::{Timestamp, decimal};

use super::range::{self, Range};
use crate::api::error::ApiError;

/// Why a form was not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Of the answer; 0 where nothing was sent.
    pub status: u16,
    /// The field at fault, without the path to it.
    pub field: Option<String>,
    /// A sentence that does not begin with the field's name.
    pub message: String,
    pub needs_login: bool,
}

impl Fault {
    pub fn at(field: &str, message: impl Into<String>) -> Fault {
        Fault { status: 0, field: Some(field.to_owned()), message: message.into(), needs_login: false }
    }

    /// What is wrong with the field of this name.
    pub fn of_field(&self, name: &str) -> Option<&str> {
        (self.field.as_deref() == Some(name)).then_some(self.message.as_str())
    }
}

impl From<&ApiError> for Fault {
    fn from(error: &ApiError) -> Fault {
        let field = error.field.as_deref().map(last_of_path);
        Fault {
            status: error.status,
            message: sentence(field, &error.message),
            field: field.map(str::to_owned),
            needs_login: error.needs_login(),
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        let field = last_of_path(&problem.field);
        Fault::at(field, sentence(Some(field), &problem.message))
    }
}

/// `threshold_ms` of `rule.condition.latency.threshold_ms`, `to` of `to[2]`.
fn last_of_path(path: &str) -> &str {
    let path = path.split('[').next().unwrap_or(path);
    path.rsplit('.').next().unwrap_or(path)
}

/// The field is shown beside it, so its name need not be said.
fn sentence(field: Option<&str>, message: &str) -> String {
    let rest = field.and_then(|field| message.strip_prefix(field)?.strip_prefix(": ")).unwrap_or(message);
    let mut letters = rest.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub fn number(field: &str, text: &str) -> Result<f64, Fault> {
    let number = decimal::nearest(&text.trim().replace(',', "."));
    number.ok_or_else(|| Fault::at(field, "Give a number."))
}

pub fn whole<T: TryFrom<u64>>(field: &str, text: &str) -> Result<T, Fault> {
    let number = text.trim().parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| Fault::at(field, "Give a whole number."))
}

/// Seconds of `5m`, `1h30m`, `90` or `0`.
pub fn secs(field: &str, text: &str) -> Result<u32, Fault> {
    let text = text.trim();
    let secs = match (text.trim_end_matches('s').parse::<u64>(), Range::from_typed(text)) {
        (Ok(secs), _) => Some(secs),
        (_, Some(Range::Last(secs))) if !text.starts_with('-') => Some(secs),
        _ => None,
    };
    secs.and_then(|secs| u32::try_from(secs).ok())
        .ok_or_else(|| Fault::at(field, "Give a length of time, such as 30s, 5m, 2h or 1d."))
}

/// As [`secs`] reads it.
pub fn shown_secs(secs: u32) -> String {
    if secs == 0 { "0".to_owned() } else { range::length(secs.into()) }
}

/// Nothing where nothing was typed.
pub fn optional(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `2026-01-31T10:00`, as an input for local moments holds it, of a clock that is `offset_ms` ahead of UTC.
pub fn local_text(at_ms: i64, offset_ms: i64) -> String {
    let text = Timestamp::from_millis(at_ms.saturating_add(offset_ms)).to_string();
    text.get(..16).unwrap_or_default().to_owned()
}

/// Milliseconds since 1970 of such a text; `offset` says what a moment's clock is ahead of UTC.
pub fn local_ms(text: &str, offset: impl Fn(i64) -> i64) -> Option<i64> {
    let text = text.trim();
    let whole = if text.len() == 16 { format!("{text}:00Z") } else { format!("{text}Z") };
    let wall_ms = Timestamp::parse(&whole).ok()?.millis();
    // Of the moment itself, not of the wall's number taken for one: they differ where summer time changes.
    let guess_ms = wall_ms - offset(wall_ms);
    Some(wall_ms - offset(guess_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_at_fault_is_found_whatever_the_path_to_it() {
        let error = |field: &str, message: &str| {
            Fault::from(&ApiError::from_body(
                400,
                &format!(r#"{{"error":{{"code":"x","message":"{message}","field":"{field}"}}}}"#),
            ))
        };
        let fault = error("rule.condition.latency.threshold_ms", "threshold_ms: must be 0 to 5");
        assert_eq!(fault.of_field("threshold_ms"), Some("Must be 0 to 5"));
        assert_eq!(fault.of_field("title"), None);
        assert_eq!(error("to[1]", "no mailbox").of_field("to"), Some("No mailbox"));
    }

    #[test]
    fn lengths_of_time_are_read_as_they_are_shown() {
        for length in [0, 10, 60, 90, 5_400, 86_400, 172_800] {
            assert_eq!(secs("x", &shown_secs(length)), Ok(length));
        }
        assert_eq!(secs("x", "30s"), Ok(30));
        for wrong in ["", "soon", "-5m", "5 parsecs"] {
            assert!(
                secs("for_secs", wrong).is_err_and(|fault| fault.of_field("for_secs").is_some()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn numbers_are_numbers() {
        assert_eq!(number("x", " 2,5 "), Ok(2.5));
        assert!(["", "NaN", "inf", "1e999", "two"].iter().all(|text| number("x", text).is_err()));
        assert!(whole::<u16>("port", "70000").is_err() && whole::<u16>("port", "587") == Ok(587));
    }

    #[test]
    fn local_moments_keep_their_minute() {
        let hour = 3_600_000;
        let at_ms = Timestamp::parse("2026-01-31T23:30:00Z").unwrap().millis();
        let text = local_text(at_ms, hour);
        assert_eq!(text, "2026-02-01T00:30");
        assert_eq!(local_ms(&text, |_| hour), Some(at_ms));
        assert_eq!(local_ms("", |_| hour), None);
    }
}
