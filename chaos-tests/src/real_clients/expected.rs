//! What a record must look like in the API once a client has sent it.

use serde_json::Value;

use super::sent::Sent;

/// What is held against a stored record; fields that are not named here may be there as well.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub level: String,
    pub message: String,
    /// The message goes on behind this, for instance with a stack trace.
    pub starting: bool,
    /// When it happened, where the client says so.
    pub timestamp: Option<String>,
    pub fields: Vec<(String, Value)>,
    /// Fields that hold a text among other things, such as a stack trace.
    pub containing: Vec<(String, String)>,
}

impl Expected {
    /// What Python's own formatter makes of a record: the stack stands behind the message.
    pub fn formatted(sent: &Sent) -> Expected {
        let expected = Expected::of(sent);
        match &sent.exception {
            None => expected,
            Some(exception) => Expected {
                starting: true,
                ..expected.containing("message", &format!("ValueError: {exception}"))
            },
        }
    }

    /// Level and message as they were given.
    pub fn of(sent: &Sent) -> Expected {
        Expected { level: sent.level.to_uppercase(), message: sent.message.clone(), ..Expected::default() }
    }

    #[must_use]
    pub fn with(mut self, fields: Vec<(String, Value)>) -> Expected {
        self.fields.extend(fields);
        self
    }

    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Expected {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn containing(mut self, name: &str, text: &str) -> Expected {
        self.containing.push((name.to_owned(), text.to_owned()));
        self
    }

    #[must_use]
    pub fn at(mut self, sent: &Sent) -> Expected {
        self.timestamp = Some(sent.timestamp.clone());
        self
    }

    /// Everything in which a stored record differs.
    pub fn faults(&self, record: &Value) -> Vec<String> {
        let mut wanted = vec![("level", Value::String(self.level.clone()))];
        if !self.starting {
            wanted.push(("message", Value::String(self.message.clone())));
        }
        wanted.extend(self.fields.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let differs = wanted.iter().filter(|(name, value)| record.get(name) != Some(value));
        let mut faults: Vec<String> = differs
            .map(|(name, value)| format!("{name} is {} instead of {value}", shown(record.get(name))))
            .collect();
        let message = record.get("message").and_then(Value::as_str).unwrap_or_default();
        if self.starting && !message.starts_with(&self.message) {
            faults.push(format!("message is {message:?}, which does not begin with {:?}", self.message));
        }
        for (name, text) in &self.containing {
            let found = record.get(name).and_then(Value::as_str);
            if !found.is_some_and(|found| found.contains(text)) {
                faults.push(format!("{name} is {}, without {text:?}", shown(record.get(name))));
            }
        }
        faults.extend(self.timestamp.as_ref().and_then(|wanted| time_fault(wanted, record)));
        faults
    }
}

fn time_fault(wanted: &str, record: &Value) -> Option<String> {
    let read =
        |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok();
    let found = record.get("timestamp").and_then(Value::as_str);
    let is_same = found.and_then(read).is_some_and(|found| Some(found) == read(wanted));
    (!is_same).then(|| format!("timestamp is {} instead of {wanted}", found.unwrap_or("nothing")))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_count_and_further_fields_do_not() {
        let expected = Expected { level: "INFO".into(), message: "m".into(), ..Expected::default() }
            .field("attempt", 3)
            .containing("stack", "at checkout");
        let record =
            json!({ "level": "INFO", "message": "m", "attempt": 3, "stack": "x at checkout y", "more": 1 });
        assert!(expected.faults(&record).is_empty());
        let record = json!({ "level": "INFO", "message": "m", "attempt": "3" });
        let faults = expected.faults(&record);
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn the_same_moment_may_be_written_in_other_digits() {
        let mut expected = Expected { level: "INFO".into(), message: "m".into(), ..Expected::default() };
        expected.timestamp = Some("2026-01-31T10:00:00.5Z".into());
        let record = |at: &str| json!({ "level": "INFO", "message": "m", "timestamp": at });
        assert!(expected.faults(&record("2026-01-31T10:00:00.500Z")).is_empty());
        assert_eq!(expected.faults(&record("2026-01-31T10:00:00.501Z")).len(), 1);
    }
}
