//! What has arrived of what a client was given: each record exactly once, and as it was.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

use super::expected::Expected;
use super::sent::{Sent, number_of};

/// So many examples are shown of each kind of fault.
const SHOWN_MAX: usize = 4;

/// The difference between what was sent and what is there.
#[derive(Debug, Default)]
pub struct Delivered {
    pub missing: Vec<usize>,
    pub doubled: Vec<usize>,
    /// Records that nobody sent.
    pub strange: Vec<String>,
    /// Records that differ, each with what differs.
    pub different: Vec<String>,
}

impl Delivered {
    pub fn reckon(run: &str, sent: &[Sent], expect: fn(&Sent) -> Expected, records: &[Value]) -> Delivered {
        let mut delivered = Delivered::default();
        let mut by_number: BTreeMap<usize, Vec<&Value>> = BTreeMap::new();
        for record in records {
            let message = record.get("message").and_then(Value::as_str).unwrap_or_default();
            match number_of(run, message).filter(|number| *number < sent.len()) {
                Some(number) => by_number.entry(number).or_default().push(record),
                None => delivered.strange.push(record.to_string()),
            }
        }
        for sent in sent {
            let found = by_number.get(&sent.number).map_or(&[][..], Vec::as_slice);
            match found {
                [] => delivered.missing.push(sent.number),
                [record] => delivered.hold(sent, &expect(sent), record),
                _ => delivered.doubled.push(sent.number),
            }
        }
        delivered
    }

    fn hold(&mut self, sent: &Sent, expected: &Expected, record: &Value) {
        let faults = expected.faults(record);
        if !faults.is_empty() {
            self.different.push(format!("record {}: {}\n      in {record}", sent.number, faults.join("; ")));
        }
    }

    /// Fails with what is wrong.
    pub fn verdict(&self) -> Result<()> {
        let mut lines = Vec::new();
        for (what, numbers) in [("missing", &self.missing), ("doubled", &self.doubled)] {
            if !numbers.is_empty() {
                let first: Vec<_> = numbers.iter().take(SHOWN_MAX).collect();
                lines.push(format!("{} {what}, such as {first:?}", numbers.len()));
            }
        }
        for (what, records) in [("that nobody sent", &self.strange), ("that differ", &self.different)] {
            if !records.is_empty() {
                let first: Vec<_> = records.iter().take(SHOWN_MAX).map(String::as_str).collect();
                lines.push(format!("{} {what}:\n    {}", records.len(), first.join("\n    ")));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        bail!("records: {}", lines.join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;
    use crate::real_clients::sent::{Shape, records};

    #[test]
    fn what_is_missing_doubled_strange_or_different_is_told_apart() {
        let sent = records("r", 4, OffsetDateTime::UNIX_EPOCH, Shape::Any);
        let stored = |number: usize| json!({ "level": sent[number].level.to_uppercase(), "message": sent[number].message });
        let reckon = |records: &[Value]| Delivered::reckon("r", &sent, Expected::of, records);
        let all: Vec<Value> = (0..4).map(stored).collect();
        assert!(reckon(&all).verdict().is_ok());
        let mut wrong = stored(2);
        wrong["level"] = json!("FATAL");
        let some = [stored(0), stored(0), wrong, json!({ "message": "who?" })];
        let delivered = reckon(&some);
        assert_eq!((delivered.missing.clone(), delivered.doubled.clone()), (vec![1, 3], vec![0]));
        assert_eq!((delivered.strange.len(), delivered.different.len()), (1, 1));
        assert!(delivered.verdict().is_err());
    }
}
