//! The figures of a query benchmark: quantiles, rows for people, JSON for programs, comparison. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::queries::Question;

/// What was seen of one question.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// One per warm round, unsorted.
    pub(super) warm: Vec<Duration>,
    /// One per cold round; empty where none was asked for or possible.
    pub(super) cold: Vec<Duration>,
    pub(super) rows: usize,
    pub(super) first: String,
    pub(super) scanned_records: Option<u64>,
    /// The node's own time of the last round, ms.
    pub(super) node_ms: Option<f64>,
    /// Right, wrong and why, or not checked.
    pub(super) verdict: Option<Result<(), String>>,
}

impl Seen {
    fn verdict_word(&self) -> &'static str {
        match &self.verdict {
            None => "not checked",
            Some(Ok(())) => "right",
            Some(Err(_)) => "WRONG",
        }
    }
}

/// The value below which this share of the times lies (nearest rank), ms.
pub(super) fn quantile_ms(times: &[Duration], share: f64) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).map(|time| time.as_secs_f64() * 1e3)
}

const HEADING: [&str; 11] =
    ["query", "median ms", "p95", "min", "cold ms", "node ms", "rows", "scanned", "answer", "what", "first"];

/// A table for people.
pub(super) fn rows(seen: &[(Question, Seen)]) -> Vec<Vec<String>> {
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.2}"));
    for (question, seen) in seen {
        rows.push(vec![
            question.name.to_owned(),
            ms(quantile_ms(&seen.warm, 0.5)),
            ms(quantile_ms(&seen.warm, 0.95)),
            ms(quantile_ms(&seen.warm, 0.0)),
            ms(quantile_ms(&seen.cold, 0.5)),
            ms(seen.node_ms),
            seen.rows.to_string(),
            seen.scanned_records.map_or("-".to_owned(), |records| records.to_string()),
            seen.verdict_word().to_owned(),
            question.meaning.to_owned(),
            seen.first.clone(),
        ]);
    }
    rows
}

/// One object for each question, by name.
pub(super) fn to_json(seen: &[(Question, Seen)]) -> Value {
    let of = |(question, seen): &(Question, Seen)| {
        let value = json!({
            "query": question.text,
            "median_ms": quantile_ms(&seen.warm, 0.5),
            "p95_ms": quantile_ms(&seen.warm, 0.95),
            "min_ms": quantile_ms(&seen.warm, 0.0),
            "rounds": seen.warm.len(),
            "cold_ms": quantile_ms(&seen.cold, 0.5),
            "node_ms": seen.node_ms,
            "rows": seen.rows,
            "first": seen.first,
            "scanned_records": seen.scanned_records,
            "answer": seen.verdict_word(),
        });
        (question.name.to_owned(), value)
    };
    Value::Object(seen.iter().map(of).collect())
}

/// Each figure that both runs have, before, now, and now divided by before: below 1 is less.
pub(super) fn comparison(before: &Value, now: &Value) -> Vec<Vec<String>> {
    let mut rows = vec![["figure", "before", "now", "ratio"].map(str::to_owned).to_vec()];
    compare_into(&mut rows, "", before, now);
    rows
}

/// Facts about a run that are no measurement of it.
const NOT_COMPARED: [&str; 3] = ["rounds", "rows", "seed"];

fn compare_into(rows: &mut Vec<Vec<String>>, name: &str, before: &Value, now: &Value) {
    if let (Value::Object(before), Value::Object(now)) = (before, now) {
        for (key, now) in now {
            let Some(before) = before.get(key).filter(|_| !NOT_COMPARED.contains(&key.as_str())) else {
                continue;
            };
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            compare_into(rows, &name, before, now);
        }
    } else if let (Some(before), Some(now)) = (before.as_f64(), now.as_f64()) {
        let ratio = if before == 0.0 { "-".to_owned() } else { format!("{:.2}", now / before) };
        rows.push(vec![name.to_owned(), format!("{before:.2}"), format!("{now:.2}"), ratio]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let times: Vec<_> = [9, 1, 5, 3, 7, 2, 8, 4, 6].map(Duration::from_millis).to_vec();
        let quantiles = [0.0, 0.5, 0.95].map(|share| quantile_ms(&times, share).unwrap());
        assert_eq!(quantiles, [1.0, 5.0, 9.0]);
        assert_eq!(quantile_ms(&[], 0.5), None);
    }

    #[test]
    fn a_comparison_shows_what_both_runs_measured_as_ratios() {
        let before = json!({"queries": {"q1": {"median_ms": 4.0, "rows": 50, "first": "x"}, "q9": {"median_ms": 1}},
            "ingest": {"records_per_sec": 0}});
        let now = json!({"queries": {"q1": {"median_ms": 3.0, "rows": 50, "first": "x"}, "q2": {"median_ms": 1}},
            "ingest": {"records_per_sec": 7.5, "new": 1}});
        let rows: Vec<String> = comparison(&before, &now).iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            [
                "figure before now ratio",
                "queries.q1.median_ms 4.00 3.00 0.75",
                "ingest.records_per_sec 0.00 7.50 -"
            ]
        );
    }
}
