//! The reckoning after a run: what every node returns, against the ledger and against the other nodes.
//!
//! Linear in the number of records. Nodes are taken in one after the other, so that only digests of
//! the first are kept.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::api::Api;
use crate::checker::{Findings, check_aggregates, check_dead_letters, check_records};
use crate::ledger::Ledger;

/// Everything one node returns.
#[derive(Debug, Clone, Default)]
pub struct ReadBack {
    pub records: Vec<Value>,
    pub dead_letters: Vec<Value>,
    pub aggregates: Vec<Value>,
}

impl ReadBack {
    pub async fn of(api: &Api) -> Result<ReadBack> {
        Ok(ReadBack {
            records: api.all_logs(&[]).await.context("reading the logs back")?,
            dead_letters: api.all_dead_letters().await.context("reading the dead letters back")?,
            aggregates: api.aggregates(&[]).await.context("reading the aggregates back")?,
        })
    }
}

/// Compares nodes with the ledger and with each other.
#[derive(Debug)]
pub struct Reckoning<'a> {
    ledger: &'a Ledger,
    findings: Findings,
    first: Option<Digests>,
    read_back: Vec<(String, usize)>,
}

/// What one node returned, by log id.
#[derive(Debug)]
struct Digests {
    node: String,
    by_log_id: HashMap<String, u64>,
}

impl<'a> Reckoning<'a> {
    pub fn new(ledger: &'a Ledger) -> Reckoning<'a> {
        Reckoning { ledger, findings: Findings::default(), first: None, read_back: Vec::new() }
    }

    /// Takes in what one node returned.
    pub fn take_in(&mut self, node: &str, read: &ReadBack) {
        let mut found = check_records(self.ledger, &read.records);
        check_dead_letters(self.ledger, &read.dead_letters, &mut found);
        check_aggregates(&read.records, &read.aggregates, &mut found);
        let by_log_id: HashMap<String, u64> = read.records.iter().map(digest).collect();
        match &self.first {
            None => self.first = Some(Digests { node: node.to_owned(), by_log_id }),
            Some(first) => compare(first, &by_log_id, &mut found),
        }
        self.findings.take_in(node, found);
        self.read_back.push((node.to_owned(), read.records.len()));
    }

    /// All that was found, and how many records each node returned.
    pub fn finish(self) -> (Findings, Vec<(String, usize)>) {
        (self.findings, self.read_back)
    }
}

fn compare(first: &Digests, by_log_id: &HashMap<String, u64>, findings: &mut Findings) {
    for (log_id, digest) in &first.by_log_id {
        match by_log_id.get(log_id) {
            Some(other) if other == digest => {}
            Some(_) => findings
                .add("records that differ between nodes", format!("{log_id} not as on {}", first.node)),
            None => findings.add("records missing on one node", format!("{log_id} is on {}", first.node)),
        }
    }
    for log_id in by_log_id.keys().filter(|log_id| !first.by_log_id.contains_key(*log_id)) {
        findings.add("records missing on one node", format!("{log_id} is not on {}", first.node));
    }
}

/// A record's log id, and a hash of all its fields in any order.
fn digest(record: &Value) -> (String, u64) {
    let mut fields: Vec<(&String, String)> =
        record.as_object().into_iter().flatten().map(|(name, value)| (name, value.to_string())).collect();
    fields.sort_unstable();
    let mut hasher = DefaultHasher::new();
    fields.hash(&mut hasher);
    let log_id = record.get("log_id").and_then(Value::as_str).unwrap_or("").to_owned();
    (log_id, hasher.finish())
}

#[cfg(test)]
mod tests {
    use insighthub_model::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::chaos_record::{ChaosRecord, RecordSource};

    const RECORDS: u64 = 60;

    /// A ledger of records that were all promised, and what an honest node returns for them.
    fn honest() -> (Ledger, ReadBack) {
        let source = RecordSource { writer: "w".to_owned(), seed: 5, start: Timestamp(0), broken_every: 10 };
        let batch: Vec<ChaosRecord> =
            (0..RECORDS).map(|number| source.record(number).of_service("one")).collect();
        let mut ledger = Ledger::default();
        ledger.sending(&batch);
        ledger.promised(&batch);
        let mut read = ReadBack::default();
        for (offset, record) in batch.iter().enumerate().rev() {
            if record.is_broken {
                read.dead_letters.push(json!({"reason": "no number", "raw": record.json.to_string()}));
            } else {
                let mut stored = record.json.clone();
                stored["log_id"] = json!(format!("0000-{offset:012x}"));
                read.records.push(stored);
            }
        }
        read.aggregates = vec![aggregate(&read.records)];
        (ledger, read)
    }

    /// All of them lie in one minute of one service.
    fn aggregate(records: &[Value]) -> Value {
        let latencies: Vec<f64> =
            records.iter().filter_map(|record| record.get("latency_ms")?.as_f64()).collect();
        let is_error = |record: &&Value| matches!(record["level"].as_str(), Some("ERROR" | "FATAL"));
        json!({
            "service": "one", "minute_bucket": "1970-01-01T00:00:00.000Z", "total_logs": records.len(),
            "error_count": records.iter().filter(is_error).count(), "anomaly_count": 0,
            "avg_latency": latencies.iter().sum::<f64>() / latencies.len() as f64,
        })
    }

    /// What is found when the second of two nodes returns something else.
    fn found(tamper: impl FnOnce(&mut ReadBack)) -> Findings {
        let (ledger, first) = honest();
        let mut second = first.clone();
        tamper(&mut second);
        let mut reckoning = Reckoning::new(&ledger);
        reckoning.take_in("n1", &first);
        reckoning.take_in("n2", &second);
        reckoning.finish().0
    }

    #[test]
    fn two_honest_nodes_pass() {
        found(|_| {}).verdict().unwrap();
    }

    #[test]
    fn a_dropped_record_is_lost_and_missing() {
        let found = found(|read| drop(read.records.remove(7)));
        assert_eq!(found.count("acknowledged but lost"), 1);
        assert_eq!(found.count("records missing on one node"), 1);
        assert_eq!(found.count("wrong aggregates"), 1);
        assert!(found.lines()[0].contains("n2: "), "{:?}", found.lines());
    }

    #[test]
    fn a_doubled_record_is_found() {
        let found = found(|read| {
            let mut copy = read.records[0].clone();
            copy["log_id"] = json!("0000-00000000ffff");
            read.records.insert(0, copy);
        });
        assert_eq!(found.count("stored more than once"), 1);
        assert_eq!(found.count("records missing on one node"), 1);
    }

    #[test]
    fn an_altered_record_is_found_whoever_wrote_the_field() {
        let by_client = found(|read| read.records[3]["message"] = json!("x"));
        assert_eq!(by_client.count("altered"), 1);
        assert_eq!(by_client.count("records that differ between nodes"), 1);
        // Not in the ledger, because the node adds it; but all nodes must say the same.
        let by_node = found(|read| read.records[3]["anomaly_score"] = json!(0.5));
        assert_eq!(by_node.count("altered"), 0);
        assert_eq!(by_node.count("records that differ between nodes"), 1);
    }

    #[test]
    fn two_swapped_log_ids_are_found() {
        let found = found(|read| {
            let first = read.records[0]["log_id"].clone();
            read.records[0]["log_id"] = read.records[1]["log_id"].clone();
            read.records[1]["log_id"] = first;
        });
        assert_eq!(found.count("records that differ between nodes"), 2);
        assert_eq!(found.lines().len(), 1, "nothing else is wrong: {:?}", found.lines());
    }

    #[test]
    fn a_phantom_is_found() {
        let found = found(|read| read.records[0]["chaos_id"] = json!("w/999"));
        assert_eq!(found.count("phantoms"), 1);
    }

    #[test]
    fn an_aggregate_that_is_off_by_one_is_found() {
        for name in ["total_logs", "error_count", "anomaly_count"] {
            let found = found(|read| {
                let number = read.aggregates[0][name].as_u64().unwrap();
                read.aggregates[0][name] = json!(number + 1);
            });
            assert_eq!(found.count("wrong aggregates"), 1, "{name}");
        }
    }

    #[test]
    fn a_lost_dead_letter_is_found() {
        let found = found(|read| drop(read.dead_letters.pop()));
        assert_eq!(found.count("rejected but no dead letter"), 1);
    }
}
