//! Answers in Loki's form.

use std::collections::BTreeMap;

use insighthub_model::timestamp::NANOS_PER_SEC;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::asking::Asking;
use crate::logql::labels::Labels;
use crate::logql::metric::{Matrix, Steps};

/// The answer of a query.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiQueryAnswer)]
pub(super) struct QueryAnswer {
    status: &'static str,
    data: QueryData,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LokiQueryData)]
struct QueryData {
    /// `streams`, `matrix`, `vector` or `scalar`.
    result_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_flags: Option<Vec<&'static str>>,
    result: Vec<Value>,
    stats: Stats,
}

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiStats)]
pub(super) struct Stats {
    summary: Summary,
    /// Empty: nodes are not told apart by what they do.
    querier: BTreeMap<String, Value>,
    ingester: BTreeMap<String, Value>,
    cache: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LokiSummary)]
struct Summary {
    bytes_processed_per_second: u64,
    lines_processed_per_second: u64,
    /// Of the lines in the answer; columns are not read line by line.
    total_bytes_processed: u64,
    /// Records that were looked at.
    total_lines_processed: u64,
    /// Records that met the conditions.
    total_post_filter_lines: u64,
    total_entries_returned: u64,
    exec_time: f64,
    queue_time: f64,
    subqueries: u64,
    splits: u64,
    shards: u64,
}

/// Names or values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiNames)]
pub(super) struct Names {
    status: &'static str,
    data: Vec<String>,
}

/// One line of an answer.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: i64,
    pub(super) text: String,
    pub(super) metadata: Labels,
    pub(super) parsed: Labels,
}

/// Lines by the labels of their streams, in the order in which the streams are first met.
#[derive(Debug, Default)]
pub(super) struct Streams {
    places: BTreeMap<Labels, usize>,
    streams: Vec<(Labels, Vec<Entry>)>,
}

impl Streams {
    pub(super) fn push(&mut self, labels: Labels, entry: Entry) {
        let next = self.streams.len();
        let place = *self.places.entry(labels.clone()).or_insert(next);
        if place == next {
            self.streams.push((labels, Vec::new()));
        }
        if let Some((_, entries)) = self.streams.get_mut(place) {
            entries.push(entry);
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.streams.iter().map(|(_, entries)| entries.len()).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.streams.iter().flat_map(|(_, entries)| entries).map(|entry| entry.text.len()).sum()
    }

    /// `[{"stream": {...}, "values": [["ns", "line"]]}]`; where labels are told apart, those of a line stand behind it.
    pub(super) fn shown(&self, categorizes: bool) -> Vec<Value> {
        let shown = |(labels, entries): &(Labels, Vec<Entry>)| {
            let values: Vec<Value> = entries.iter().map(|entry| entry.shown(categorizes)).collect();
            json!({ "stream": labels, "values": values })
        };
        self.streams.iter().map(shown).collect()
    }
}

impl Entry {
    fn shown(&self, categorizes: bool) -> Value {
        let at = self.at.to_string();
        if !categorizes {
            return json!([at, self.text]);
        }
        let mut own = serde_json::Map::new();
        if !self.metadata.is_empty() {
            own.insert("structuredMetadata".to_owned(), json!(self.metadata));
        }
        if !self.parsed.is_empty() {
            own.insert("parsed".to_owned(), json!(self.parsed));
        }
        json!([at, self.text, own])
    }
}

impl QueryAnswer {
    pub(super) fn of_streams(streams: &Streams, categorizes: bool, asking: &Asking) -> QueryAnswer {
        let flags = categorizes.then(|| vec![super::asked::CATEGORIZE]);
        let stats = Stats::of(asking, streams.entries(), streams.bytes());
        QueryAnswer::new("streams", flags, streams.shown(categorizes), stats)
    }

    /// One value for each series, at the one moment.
    pub(super) fn of_vector(matrix: &Matrix, moment: i64, asking: &Asking) -> QueryAnswer {
        let shown = matrix.iter().filter_map(|series| {
            let value = (*series.points.first()?)?;
            Some(json!({ "metric": series.labels, "value": point(moment, value) }))
        });
        QueryAnswer::new("vector", None, shown.collect(), Stats::of(asking, matrix.len(), 0))
    }

    pub(super) fn of_matrix(matrix: &Matrix, steps: Steps, asking: &Asking) -> QueryAnswer {
        let shown = matrix.iter().filter_map(|series| {
            let points = series.points.iter().enumerate();
            let values: Vec<Value> =
                points.filter_map(|(at, value)| Some(point(steps.moment(at), (*value)?))).collect();
            (!values.is_empty()).then(|| json!({ "metric": series.labels, "values": values }))
        });
        QueryAnswer::new("matrix", None, shown.collect(), Stats::of(asking, matrix.len(), 0))
    }

    pub(super) fn of_scalar(number: f64, moment: i64, asking: &Asking) -> QueryAnswer {
        let point = match point(moment, number) {
            Value::Array(parts) => parts,
            other => vec![other],
        };
        QueryAnswer::new("scalar", None, point, Stats::of(asking, 1, 0))
    }

    fn new(
        result_type: &'static str,
        encoding_flags: Option<Vec<&'static str>>,
        result: Vec<Value>,
        stats: Stats,
    ) -> QueryAnswer {
        QueryAnswer { status: "success", data: QueryData { result_type, encoding_flags, result, stats } }
    }
}

impl Stats {
    fn of(asking: &Asking, entries: usize, bytes: usize) -> Stats {
        let secs = asking.elapsed_secs();
        let per_sec = |amount: u64| (amount as f64 / secs.max(1e-6)) as u64;
        let (lines, bytes) = (asking.scanned_records, bytes as u64);
        let summary = Summary {
            bytes_processed_per_second: per_sec(bytes),
            lines_processed_per_second: per_sec(lines),
            total_bytes_processed: bytes,
            total_lines_processed: lines,
            total_post_filter_lines: asking.matched_records,
            total_entries_returned: entries as u64,
            exec_time: secs,
            queue_time: 0.0,
            subqueries: 0,
            splits: 0,
            shards: 0,
        };
        let (querier, ingester, cache) = Default::default();
        Stats { summary, querier, ingester, cache }
    }
}

impl Names {
    pub(super) fn of(data: Vec<String>) -> Names {
        Names { status: "success", data }
    }
}

/// `[seconds, "number"]`
pub(super) fn point(moment: i64, value: f64) -> Value {
    json!([secs(moment), number_text(value)])
}

/// Seconds to the millisecond, without a fraction where there is none.
fn secs(moment: i64) -> Value {
    if moment % NANOS_PER_SEC == 0 {
        json!(moment / NANOS_PER_SEC)
    } else {
        json!((moment / 1_000_000) as f64 / 1e3)
    }
}

/// As Go writes it.
fn number_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_seconds_and_texts() {
        assert_eq!(point(1_700_000_000_000_000_000, 2.0), json!([1_700_000_000, "2"]));
        assert_eq!(point(1_700_000_000_250_000_001, 0.5), json!([1_700_000_000.25, "0.5"]));
        assert_eq!(point(0, f64::NAN), json!([0, "NaN"]));
        assert_eq!(point(0, f64::NEG_INFINITY), json!([0, "-Inf"]));
    }

    #[test]
    fn lines_are_told_apart_by_their_stream() {
        let entry = |at: i64| Entry {
            at,
            text: format!("line {at}"),
            metadata: Labels::from([("user".to_owned(), "ann".to_owned())]),
            parsed: Labels::new(),
        };
        let labels = |name: &str| Labels::from([("service_name".to_owned(), name.to_owned())]);
        let mut streams = Streams::default();
        streams.push(labels("b"), entry(3));
        streams.push(labels("a"), entry(2));
        streams.push(labels("b"), entry(1));
        assert_eq!(
            streams.shown(false),
            [
                json!({ "stream": { "service_name": "b" }, "values": [["3", "line 3"], ["1", "line 1"]] }),
                json!({ "stream": { "service_name": "a" }, "values": [["2", "line 2"]] }),
            ]
        );
        let own = json!({ "structuredMetadata": { "user": "ann" } });
        assert_eq!(streams.shown(true)[1]["values"][0], json!(["2", "line 2", own]));
    }
}
