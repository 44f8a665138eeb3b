//! Compares what a node returns with what the ledger says: nothing lost, invented, doubled or altered.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use insighthub_model::{Level, Timestamp};
use serde_json::Value;

use crate::api::Api;
use crate::chaos_record::content_hash;
use crate::ledger::{Fate, Ledger};

/// How many examples of one kind of fault a message names.
const EXAMPLES_MAX: usize = 5;
/// Of an example: a node's whole output may hang on it.
const EXAMPLE_CHARS_MAX: usize = 600;
/// Sums of floats may be added in another order; more than this is another value.
const RELATIVE_ERROR_MAX: f64 = 1e-6;

/// Without these a passed check would mean nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gates {
    pub acknowledged_min: u64,
    pub rejected_min: u64,
    pub faults: u64,
    pub faults_min: u64,
}

impl Gates {
    pub fn hold(&self, ledger: &Ledger) -> Result<()> {
        ensure!(
            ledger.acknowledged >= self.acknowledged_min,
            "the run proves nothing: {} records acknowledged, {} needed",
            ledger.acknowledged,
            self.acknowledged_min
        );
        ensure!(ledger.rejected >= self.rejected_min, "the run proves nothing: {} rejected", ledger.rejected);
        ensure!(self.faults >= self.faults_min, "the run proves nothing: {} faults", self.faults);
        Ok(())
    }
}

/// Faults found, by kind.
#[derive(Debug, Default)]
pub struct Findings {
    by_kind: BTreeMap<&'static str, Vec<String>>,
}

impl Findings {
    pub fn add(&mut self, kind: &'static str, what: String) {
        self.by_kind.entry(kind).or_default().push(what);
    }

    pub fn count(&self, kind: &str) -> usize {
        self.by_kind.get(kind).map_or(0, Vec::len)
    }

    /// Takes in what was found elsewhere.
    pub fn join(&mut self, others: Findings) {
        for (kind, found) in others.by_kind {
            self.by_kind.entry(kind).or_default().extend(found);
        }
    }

    /// Takes in what was found elsewhere, and says where.
    pub fn take_in(&mut self, place: &str, others: Findings) {
        for (kind, found) in others.by_kind {
            let placed = found.into_iter().map(|what| format!("{place}: {what}"));
            self.by_kind.entry(kind).or_default().extend(placed);
        }
    }

    /// The number and a few examples of each kind.
    pub fn lines(&self) -> Vec<String> {
        let line = |(kind, found): (&&str, &Vec<String>)| {
            let shortened = |what: &String| what.chars().take(EXAMPLE_CHARS_MAX).collect::<String>();
            let examples: Vec<String> = found.iter().take(EXAMPLES_MAX).map(shortened).collect();
            format!("{} {kind}: {}", found.len(), examples.join(" | "))
        };
        self.by_kind.iter().map(line).collect()
    }

    /// Fails with the number and a few examples of each kind.
    pub fn verdict(&self) -> Result<()> {
        if self.by_kind.is_empty() {
            return Ok(());
        }
        bail!("{}", self.lines().join("\n"))
    }
}

/// Reads a node back and checks every invariant against the ledger.
pub async fn check_node(api: &Api, ledger: &Ledger) -> Result<Vec<Value>> {
    let records = api.all_logs(&[]).await.context("reading the logs back")?;
    let dead_letters = api.all_dead_letters().await.context("reading the dead letters back")?;
    let aggregates = api.aggregates(&[]).await?;
    let mut findings = check_records(ledger, &records);
    check_dead_letters(ledger, &dead_letters, &mut findings);
    check_aggregates(&records, &aggregates, &mut findings);
    for violation in &ledger.violations {
        findings.add("answers that must not be", violation.clone());
    }
    findings.verdict()?;
    Ok(records)
}

/// No acknowledged record lost, none invented, none twice, none altered, newest first.
pub fn check_records(ledger: &Ledger, records: &[Value]) -> Findings {
    let mut findings = Findings::default();
    let mut times_seen: HashMap<&str, u64> = HashMap::new();
    let mut log_ids = HashSet::new();
    let mut newest = Timestamp::MAX;
    for record in records {
        let log_id = text(record, "log_id");
        if !log_ids.insert(log_id) {
            findings.add("log ids twice", log_id.to_owned());
        }
        match Timestamp::parse(text(record, "timestamp")) {
            Ok(timestamp) if timestamp <= newest => newest = timestamp,
            _ => findings.add("records out of order", log_id.to_owned()),
        }
        let id = text(record, "chaos_id");
        *times_seen.entry(id).or_default() += 1;
        match ledger.records.get(id) {
            None => findings.add("phantoms", record.to_string()),
            Some(sent) if sent.is_broken => findings.add("broken records stored", record.to_string()),
            Some(sent) if sent.hash != content_hash(record) => findings.add("altered", record.to_string()),
            Some(_) => {}
        }
    }
    for (id, sent) in &ledger.records {
        match times_seen.get(id.as_str()) {
            None if sent.fate == Fate::Acknowledged => findings.add("acknowledged but lost", id.clone()),
            Some(times) if *times > 1 => findings.add("stored more than once", format!("{id} {times} times")),
            _ => {}
        }
    }
    findings
}

/// Every rejected record is a dead letter with a reason, once.
pub fn check_dead_letters(ledger: &Ledger, dead_letters: &[Value], findings: &mut Findings) {
    let mut times_seen: HashMap<String, u64> = HashMap::new();
    for dead_letter in dead_letters {
        let raw: Value = serde_json::from_str(text(dead_letter, "raw")).unwrap_or(Value::Null);
        let id = text(&raw, "chaos_id").to_owned();
        if !ledger.records.get(&id).is_some_and(|sent| sent.is_broken) {
            findings.add("phantom dead letters", dead_letter.to_string());
        }
        if text(dead_letter, "reason").is_empty() {
            findings.add("dead letters without a reason", dead_letter.to_string());
        }
        *times_seen.entry(id).or_default() += 1;
    }
    for (id, sent) in &ledger.records {
        match times_seen.get(id) {
            None if sent.fate == Fate::Rejected => {
                findings.add("rejected but no dead letter", id.clone());
            }
            Some(times) if *times > 1 => {
                findings.add("dead letters more than once", format!("{id} {times} times"));
            }
            _ => {}
        }
    }
}

/// What one minute of one service adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Minute {
    total: u64,
    errors: u64,
    anomalies: u64,
    latency_sum: f64,
    latencies: u64,
}

/// Minute aggregates equal those recomputed from the raw records.
pub fn check_aggregates(records: &[Value], aggregates: &[Value], findings: &mut Findings) {
    let mut expected: BTreeMap<(String, i64), Minute> = BTreeMap::new();
    for record in records {
        let minute = Timestamp::parse(text(record, "timestamp")).map_or(i64::MIN, Timestamp::minute);
        let sums = expected.entry((text(record, "service").to_owned(), minute)).or_default();
        sums.total += 1;
        sums.errors += u64::from(text(record, "level").parse::<Level>().is_ok_and(Level::is_error));
        sums.anomalies += u64::from(record.get("is_anomaly").and_then(Value::as_bool) == Some(true));
        if let Some(latency) = record.get("latency_ms").and_then(Value::as_f64) {
            sums.latency_sum += latency;
            sums.latencies += 1;
        }
    }
    for aggregate in aggregates {
        let minute = Timestamp::parse(text(aggregate, "minute_bucket")).map_or(i64::MIN, Timestamp::minute);
        match expected.remove(&(text(aggregate, "service").to_owned(), minute)) {
            Some(sums) if agrees(&sums, aggregate) => {}
            sums => findings.add("wrong aggregates", format!("{aggregate} instead of {sums:?}")),
        }
    }
    for (key, sums) in expected {
        findings.add("missing aggregates", format!("{key:?} {sums:?}"));
    }
}

fn agrees(sums: &Minute, aggregate: &Value) -> bool {
    let number = |name: &str| aggregate.get(name).and_then(Value::as_u64);
    let counts = ["total_logs", "error_count", "anomaly_count"].map(number);
    let average = aggregate.get("avg_latency").and_then(Value::as_f64);
    let average_agrees = match (average, sums.latencies) {
        (None, 0) => true,
        (Some(average), 1..) => {
            let expected = sums.latency_sum / sums.latencies as f64;
            (average - expected).abs() <= expected.abs() * RELATIVE_ERROR_MAX
        }
        _ => false,
    };
    counts == [Some(sums.total), Some(sums.errors), Some(sums.anomalies)] && average_agrees
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos_record::{ChaosRecord, RecordSource};
    use serde_json::json;

    /// A ledger of 50 records, all promised, and what an honest node returns for them.
    fn honest() -> (Ledger, Vec<Value>, Vec<Value>) {
        let source = RecordSource { writer: "w".to_owned(), seed: 5, start: Timestamp(0), broken_every: 10 };
        let batch: Vec<ChaosRecord> = (0..50).map(|number| source.record(number)).collect();
        let mut ledger = Ledger::default();
        ledger.sending(&batch);
        ledger.promised(&batch);
        let (mut records, mut dead_letters) = (Vec::new(), Vec::new());
        for (offset, record) in batch.iter().enumerate().rev() {
            if record.is_broken {
                dead_letters
                    .push(json!({"reason": "latency_ms is no number", "raw": record.json.to_string()}));
            } else {
                let mut stored = record.json.clone();
                stored["log_id"] = json!(format!("0000-{offset:012x}"));
                records.push(stored);
            }
        }
        (ledger, records, dead_letters)
    }

    fn findings_of(change: impl FnOnce(&mut Ledger, &mut Vec<Value>, &mut Vec<Value>)) -> Findings {
        let (mut ledger, mut records, mut dead_letters) = honest();
        change(&mut ledger, &mut records, &mut dead_letters);
        let mut findings = check_records(&ledger, &records);
        check_dead_letters(&ledger, &dead_letters, &mut findings);
        findings
    }

    #[test]
    fn an_honest_node_passes() {
        findings_of(|_, _, _| {}).verdict().unwrap();
    }

    #[test]
    fn a_lost_record_is_found_only_if_it_was_acknowledged() {
        assert_eq!(findings_of(|_, records, _| drop(records.remove(7))).count("acknowledged but lost"), 1);
        let unknown = findings_of(|ledger, records, _| {
            let record = records.remove(7);
            ledger.records.get_mut(text(&record, "chaos_id")).unwrap().fate = Fate::Unknown;
        });
        unknown.verdict().unwrap();
    }

    #[test]
    fn doubled_invented_and_altered_records_are_found() {
        let doubled = findings_of(|_, records, _| {
            let mut copy = records[0].clone();
            copy["log_id"] = json!("0000-0000000000ff");
            records.insert(0, copy);
        });
        assert_eq!(doubled.count("stored more than once"), 1);
        let invented = findings_of(|_, records, _| records[0]["chaos_id"] = json!("w/999"));
        assert_eq!((invented.count("phantoms"), invented.count("acknowledged but lost")), (1, 1));
        for (name, value) in [("message", json!("x")), ("latency_ms", json!(1)), ("number", json!(0.5))] {
            assert_eq!(findings_of(|_, records, _| records[3][name] = value).count("altered"), 1, "{name}");
        }
        let disordered = findings_of(|_, records, _| records.swap(0, 1));
        assert_eq!(disordered.count("records out of order"), 1);
    }

    #[test]
    fn a_rejected_record_that_is_no_dead_letter_is_found() {
        let lost = findings_of(|_, _, dead_letters| drop(dead_letters.pop()));
        assert_eq!(lost.count("rejected but no dead letter"), 1);
        let twice = findings_of(|_, _, dead_letters| dead_letters.push(dead_letters[0].clone()));
        assert_eq!(twice.count("dead letters more than once"), 1);
    }

    #[test]
    fn an_aggregate_that_differs_from_the_records_is_found() {
        let records = [
            json!({"service": "a", "timestamp": "2025-12-02T10:10:02.000Z", "level": "ERROR", "latency_ms": 10}),
            json!({"service": "a", "timestamp": "2025-12-02T10:10:58.000Z", "level": "INFO", "latency_ms": 20}),
            json!({"service": "a", "timestamp": "2025-12-02T10:10:59.000Z", "level": "INFO"}),
        ];
        let aggregate = json!({"service": "a", "minute_bucket": "2025-12-02T10:10:00.000Z", "total_logs": 3,
            "error_count": 1, "avg_latency": 15.0, "anomaly_count": 0});
        let findings_of = |aggregates: &[Value]| {
            let mut findings = Findings::default();
            check_aggregates(&records, aggregates, &mut findings);
            findings
        };
        findings_of(std::slice::from_ref(&aggregate)).verdict().unwrap();
        assert_eq!(findings_of(&[]).count("missing aggregates"), 1);
        for (name, value) in
            [("total_logs", json!(2)), ("error_count", json!(0)), ("avg_latency", json!(15.1))]
        {
            let mut wrong = aggregate.clone();
            wrong[name] = value;
            assert_eq!(findings_of(&[wrong]).count("wrong aggregates"), 1, "{name}");
        }
    }
}
