//! One record of a file to one line of JSON as a node takes it: names given their meaning, values added.
//!
//! What cannot be read as it should be goes out as it is: the node refuses it with a reason and keeps it for whoever
//! mends it.

use std::borrow::Cow;

use insighthub_model::Timestamp;
use regex::Regex;

use super::members::Members;
use super::shaping_args::Rules;
use super::values::{append_text, append_typed};

/// Fields that are text, whatever they look like.
const TEXTS: [&str; 3] = ["message", "service", "level"];

/// Makes lines of JSON.
#[derive(Debug, Clone)]
pub(crate) struct Shaper {
    rules: Rules,
    /// For times that leave out the year.
    now: Timestamp,
}

/// Whether a record of plain text was what its pattern says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    /// It became a message as it is.
    FitsNot,
}

/// A value, as it is going to be written.
enum Value<'a> {
    Json(&'a str),
    /// To be given a type by what it looks like.
    Untyped(&'a str),
}

impl Shaper {
    pub(crate) fn new(rules: Rules, now: Timestamp) -> Shaper {
        Shaper { rules, now }
    }

    pub(crate) fn start_pattern(&self) -> Option<&Regex> {
        self.rules.start_pattern.as_ref()
    }

    /// Appends a record that is JSON, with the end of its line.
    pub(crate) fn json(&self, record: &[u8], body: &mut Vec<u8>) {
        let members = if self.rules.changes_nothing() { None } else { serde_json::from_slice(record).ok() };
        match members {
            Some(Members(members)) => {
                let json = |(name, value)| (name, Value::Json(value));
                self.write(members.into_iter().map(json), body);
            }
            None => {
                // A line break in JSON is white space, or a mistake.
                body.extend(
                    record.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }),
                );
                body.push(b'\n');
            }
        }
    }

    /// Appends a record of plain text.
    pub(crate) fn text(&self, record: &str, body: &mut Vec<u8>) -> Fit {
        let groups = match &self.rules.pattern {
            None => None,
            Some(pattern) => match pattern.captures(record) {
                None => {
                    self.write([message(record)].into_iter(), body);
                    return Fit::FitsNot;
                }
                Some(groups) => Some((pattern, groups)),
            },
        };
        let Some((pattern, groups)) = groups else {
            self.write([message(record)].into_iter(), body);
            return Fit::Fits;
        };
        let named = pattern.capture_names().flatten().filter_map(|name| {
            let value = groups.name(name)?.as_str();
            Some((Cow::Borrowed(name), Value::Untyped(value)))
        });
        let names_message = pattern.capture_names().flatten().any(|name| self.meaning(name) == "message");
        self.write(named.chain((!names_message).then(|| message(record))), body);
        Fit::Fits
    }

    /// Appends a record of cells under their names; a cell without anything in it is none.
    pub(crate) fn cells<'a>(&self, cells: impl Iterator<Item = (&'a str, &'a str)>, body: &mut Vec<u8>) {
        let filled = cells.filter(|(_, value)| !value.is_empty());
        self.write(filled.map(|(name, value)| (Cow::Borrowed(name), Value::Untyped(value))), body);
    }

    fn meaning<'n>(&self, name: &'n str) -> &'n str {
        self.rules.names.iter().find(|(named, _)| named == name).map_or(name, |(_, field)| field)
    }

    fn write<'a>(&self, members: impl Iterator<Item = (Cow<'a, str>, Value<'a>)>, body: &mut Vec<u8>) {
        let rules = &self.rules;
        body.push(b'{');
        let mut has_service = false;
        for (name, value) in members {
            let meant = self.meaning(&name);
            // What a field is called that something else takes the place of.
            let is_replaced = meant == name && rules.names.iter().any(|(_, field)| *field == meant);
            if is_replaced || rules.set.iter().any(|(set, _)| set == meant) {
                continue;
            }
            has_service |= meant == "service";
            append_text(meant, body);
            body.push(b':');
            self.write_value(meant, &value, body);
            body.push(b',');
        }
        let service = rules.service.as_deref().filter(|_| !has_service);
        if let Some(service) = service.filter(|_| !rules.set.iter().any(|(name, _)| name == "service")) {
            append_text("service", body);
            body.push(b':');
            append_text(service, body);
            body.push(b',');
        }
        for (name, value) in &rules.set {
            append_text(name, body);
            body.push(b':');
            body.extend_from_slice(value.as_bytes());
            body.push(b',');
        }
        if body.last() == Some(&b',') {
            body.pop();
        }
        body.extend_from_slice(b"}\n");
    }

    fn write_value(&self, name: &str, value: &Value<'_>, body: &mut Vec<u8>) {
        match (value, &self.rules.timestamp_format) {
            (value, Some(format)) if name == "timestamp" => {
                let text = match value {
                    Value::Untyped(text) => Some(Cow::Borrowed(*text)),
                    Value::Json(json) => serde_json::from_str::<Cow<'_, str>>(json).ok(),
                };
                let moment = text.as_deref().and_then(|text| format.read(text, self.now));
                match (moment, value) {
                    (Some(moment), _) => append_text(&moment.to_string(), body),
                    (None, Value::Untyped(text)) => append_text(text, body),
                    (None, Value::Json(json)) => append_json(json, body),
                }
            }
            (Value::Json(json), _) => append_json(json, body),
            (Value::Untyped(text), _) if TEXTS.contains(&name) => append_text(text, body),
            (Value::Untyped(text), _) => append_typed(text, body),
        }
    }
}

fn message(record: &str) -> (Cow<'_, str>, Value<'_>) {
    (Cow::Borrowed("message"), Value::Untyped(record))
}

fn append_json(json: &str, body: &mut Vec<u8>) {
    body.extend(json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::files::shaping_args::ShapingArgs;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        args: ShapingArgs,
    }

    fn shaper(words: &[&str]) -> Shaper {
        let line = Line::parse_from([&["import"], words].concat());
        Shaper::new(line.args.rules(line.service).unwrap(), Timestamp::parse("2026-01-31T10:00:00Z").unwrap())
    }

    fn json(words: &[&str], record: &str) -> String {
        let mut body = Vec::new();
        shaper(words).json(record.as_bytes(), &mut body);
        String::from_utf8(body).unwrap()
    }

    fn text(words: &[&str], record: &str) -> (String, Fit) {
        let mut body = Vec::new();
        let fit = shaper(words).text(record, &mut body);
        (String::from_utf8(body).unwrap(), fit)
    }

    #[test]
    fn json_goes_out_as_it_is_where_nothing_is_asked() {
        assert_eq!(json(&[], "{\"a\": 1.10}"), "{\"a\": 1.10}\n");
        assert_eq!(json(&[], "{\"a\":\n [1,\r\n2]}"), "{\"a\":  [1,  2]}\n");
        assert_eq!(
            json(&["--service", "api"], "no json"),
            "no json\n",
            "the node says what is wrong with it"
        );
    }

    #[test]
    fn names_are_given_their_meaning_and_values_are_added() {
        let words = ["--service", "api", "--set", "env=prod", "--set", "shard=7", "--level-field", "sev"];
        assert_eq!(
            json(&words, r#"{"sev":"warn","level":3,"env":"old","n":1.50}"#),
            "{\"level\":\"warn\",\"n\":1.50,\"service\":\"api\",\"env\":\"prod\",\"shard\":7}\n"
        );
        assert_eq!(json(&["--service", "api"], r#"{"service":"own"}"#), "{\"service\":\"own\"}\n");
        assert_eq!(json(&["--set", "service=1"], r#"{"service":"own"}"#), "{\"service\":\"1\"}\n");
    }

    #[test]
    fn groups_of_a_pattern_are_fields() {
        let words = ["--pattern", r"^(?P<at>\S+ \S+) (?P<level>\w+) (?P<code>\d+) (?P<message>.*)$"];
        let words = [&words[..], &["--timestamp-field", "at", "--timestamp-format", "%F %T,%f"]].concat();
        let (line, fit) = text(&words, "2025-12-02 10:10:02,5 ERROR 0042 it \"broke\"");
        let expected = r#"{"timestamp":"2025-12-02T10:10:02.500Z","level":"ERROR","code":"0042","message":"it \"broke\""}"#;
        assert_eq!((line.trim_end(), fit), (expected, Fit::Fits));
        assert_eq!(
            text(&words, "neither\nnor"),
            ("{\"message\":\"neither\\nnor\"}\n".to_owned(), Fit::FitsNot)
        );
    }

    #[test]
    fn known_patterns_read_the_logs_they_are_named_for() {
        let access =
            r#"10.0.0.1 - bob [02/Dec/2025:10:10:02 +0000] "GET /cart?x=1 HTTP/1.1" 504 12 "-" "curl/8""#;
        let (line, fit) = text(&["--pattern", "combined"], access);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(fit, Fit::Fits);
        assert_eq!(value["timestamp"], "2025-12-02T10:10:02.000Z");
        assert_eq!(value["message"], "GET /cart?x=1 HTTP/1.1");
        assert_eq!((&value["status"], &value["path"]), (&504.into(), &"/cart?x=1".into()));
        let (line, fit) = text(&["--pattern", "syslog"], "Dec  2 10:10:02 web-1 sshd[42]: hello");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((fit, &value["service"], &value["pid"]), (Fit::Fits, &"sshd".into(), &42.into()));
        assert_eq!(value["timestamp"], "2025-12-02T10:10:02.000Z");
    }

    #[test]
    fn cells_without_anything_are_none() {
        let mut body = Vec::new();
        let cells = [("message", "7"), ("status", "500"), ("zip", "04100"), ("note", "")];
        shaper(&[]).cells(cells.into_iter(), &mut body);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "{\"message\":\"7\",\"status\":500,\"zip\":\"04100\"}\n"
        );
    }
}
