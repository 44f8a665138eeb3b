//! The records that are given to a client, all different, and among them what clients and servers like to break.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const LEVELS: [&str; 6] = ["debug", "info", "info", "warn", "error", "fatal"];
/// Every so many records.
const UNICODE_EVERY: usize = 7;
const LINES_EVERY: usize = 11;
const EXCEPTION_EVERY: usize = 13;

/// Which messages a client can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Any,
    /// A line break ends a message.
    SingleLines,
}

/// One record as it is given to a client.
#[derive(Debug, Clone)]
pub struct Sent {
    pub number: usize,
    /// `debug`, `info`, `warn`, `error` or `fatal`.
    pub level: &'static str,
    pub message: String,
    /// RFC 3339 to the millisecond; for clients that let one say when.
    pub timestamp: String,
    pub user: String,
    pub attempt: i64,
    pub ratio: f64,
    pub is_paid: bool,
    pub items: i64,
    /// What the error that is logged with it says.
    pub exception: Option<String>,
}

impl Sent {
    fn new(run: &str, number: usize, at: OffsetDateTime, shape: Shape) -> Sent {
        let small = i64::try_from(number).unwrap_or(i64::MAX);
        // A stack has lines.
        let exception = (shape == Shape::Any && number.is_multiple_of(EXCEPTION_EVERY))
            .then(|| format!("card {number} declined"));
        Sent {
            number,
            level: if exception.is_some() { "error" } else { LEVELS[number % LEVELS.len()] },
            message: format!("[{run}:{number}] {}", text(number, shape)),
            timestamp: at.format(&Rfc3339).unwrap_or_default(),
            user: if number.is_multiple_of(UNICODE_EVERY) {
                format!("Łucja {number}")
            } else {
                format!("ana-{number}")
            },
            attempt: small * 1_000_003,
            // Never whole: a whole float may be shown as an integer.
            ratio: number as f64 / 8.0 + 0.0625,
            is_paid: number.is_multiple_of(2),
            items: small % 9,
            exception,
        }
    }

    /// The line that the scripts read.
    pub fn line(&self) -> String {
        let fields = json!({ "user": self.user, "attempt": self.attempt, "ratio": self.ratio, "paid": self.is_paid,
            "cart": { "items": self.items, "currency": "EUR" } });
        let line = json!({ "n": self.number, "level": self.level, "message": self.message,
            "timestamp": self.timestamp, "fields": fields, "exception": self.exception });
        line.to_string()
    }

    /// Its fields by name, nested ones joined by `separator`, each with its type.
    pub fn typed_fields(&self, separator: &str) -> Vec<(String, Value)> {
        vec![
            ("user".to_owned(), json!(self.user)),
            ("attempt".to_owned(), json!(self.attempt)),
            ("ratio".to_owned(), json!(self.ratio)),
            ("paid".to_owned(), json!(self.is_paid)),
            (format!("cart{separator}items"), json!(self.items)),
            (format!("cart{separator}currency"), json!("EUR")),
        ]
    }

    /// The same as texts, for protocols that know nothing else.
    pub fn text_fields(&self, separator: &str) -> Vec<(String, Value)> {
        let as_text = |value: Value| match value {
            Value::String(text) => Value::String(text),
            other => Value::String(other.to_string()),
        };
        self.typed_fields(separator).into_iter().map(|(name, value)| (name, as_text(value))).collect()
    }
}

fn text(number: usize, shape: Shape) -> String {
    if number.is_multiple_of(LINES_EVERY) && shape == Shape::Any {
        return format!("order {number} failed:\n\tat checkout\n\nlast line");
    }
    if number.is_multiple_of(UNICODE_EVERY) {
        return format!(
            "zażółć gęślą jaźń, 你好 🚀 {number} \"quoted\" back\\slash 'single' 100 % {{braces}} <tag> & $x"
        );
    }
    format!("order {number} paid in {} ms", number % 97)
}

/// So many records of a run, a millisecond apart, the last one now.
pub fn records(run: &str, count: usize, now: OffsetDateTime, shape: Shape) -> Vec<Sent> {
    let now = now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now);
    let at = |number: usize| {
        let before = i64::try_from(count - number).unwrap_or(0);
        now - time::Duration::milliseconds(before)
    };
    (0..count).map(|number| Sent::new(run, number, at(number), shape)).collect()
}

/// Which record of a run a message belongs to.
pub fn number_of(run: &str, message: &str) -> Option<usize> {
    let rest = message.split_once(&format!("[{run}:"))?.1;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_record_is_there_and_can_be_told_by_its_message() {
        let sent = records("r1", 200, OffsetDateTime::UNIX_EPOCH, Shape::Any);
        for (number, record) in sent.iter().enumerate() {
            assert_eq!(number_of("r1", &record.message), Some(number));
        }
        assert!(sent.iter().any(|record| record.message.contains('\n')));
        assert!(sent.iter().any(|record| record.exception.is_some()));
        for level in LEVELS {
            assert!(sent.iter().any(|record| record.level == level), "{level}");
        }
        let lines = records("r1", 200, OffsetDateTime::UNIX_EPOCH, Shape::SingleLines);
        assert!(!lines.iter().any(|record| record.message.contains('\n')));
        assert_eq!(number_of("r2", &sent[3].message), None);
    }
}
