//! Random records as sources: stored batches whose offsets are out of order, as in a block, and which
//! prune as sharply as a source may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{BatchBuilder, FieldValues, FixedFields, TextColumn};
use insighthub_model::query::token::{fold, tokens};
use insighthub_model::{Level, LogId, PartitionId, Record, Scores, Timestamp};
use proptest::prelude::*;

use crate::column_source::{
    Column, ColumnError, ColumnName, ColumnSource, FieldView, Messages, MinuteCell, MinuteCounts,
    MinuteLatencies, Statistics, Texts, ValueRange, Values,
};
use crate::stored_batch::StoredBatch;

/// What one record is made of.
#[derive(Debug, Clone)]
struct Parts {
    service: &'static str,
    timestamp: i64,
    level: Level,
    message: String,
    latency_ms: Option<f64>,
    score: f32,
    is_anomaly: bool,
    n: Option<Value>,
    host: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'static str),
    Json(&'static str),
}

#[derive(Debug, Clone)]
pub(super) struct RecordsOfSource(Vec<Parts>);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct TestSource {
    batch: StoredBatch,
    offsets: Arc<[u64]>,
    tokens: BTreeSet<String>,
    /// Kept where its times are apart.
    minutes: Option<(Arc<MinuteCounts>, Arc<MinuteLatencies>)>,
}

impl RecordsOfSource {
    pub(super) fn of_message(timestamp: i64, message: &str) -> RecordsOfSource {
        RecordsOfSource(vec![Parts {
            service: "api",
            timestamp,
            level: Level::Info,
            message: message.to_owned(),
            latency_ms: None,
            score: f32::NAN,
            is_anomaly: false,
            n: None,
            host: None,
        }])
    }

    /// The same with so much time between what were neighbours.
    pub(super) fn stretched(mut self, nanos: i64) -> RecordsOfSource {
        self.0.iter_mut().for_each(|parts| parts.timestamp *= nanos);
        self
    }

    /// One record whose field `n` has this value.
    pub(super) fn of_value(value: Value) -> RecordsOfSource {
        let mut records = RecordsOfSource::of_message(0, "");
        records.0.iter_mut().for_each(|parts| parts.n = Some(value.clone()));
        records
    }

    pub(super) fn source(&self, partition: u16, base_offset: u64) -> TestSource {
        let mut builder = BatchBuilder::default();
        self.0.iter().for_each(|parts| push(&mut builder, parts));
        let rows = 0u32..;
        let scores = Scores {
            anomaly_score: self.0.iter().map(|parts| parts.score).collect(),
            anomalies: self
                .0
                .iter()
                .zip(rows)
                .filter(|(parts, _)| parts.is_anomaly)
                .map(|(parts, row)| (row, format!("{}x the usual", parts.timestamp)))
                .collect(),
            ..Scores::default()
        };
        let batch = StoredBatch::new(
            LogId { partition: PartitionId(partition), offset: base_offset },
            vec![0; self.0.len()],
            Arc::new(builder.take()),
            Arc::new(scores),
        );
        let length = self.0.len() as u64;
        // Rows of a block are sorted by service and time, so offsets are not ascending.
        let offsets = (0..length).map(|row| base_offset + (length - 1 - row)).collect();
        let tokens = tokens_of(&batch);
        TestSource { batch, offsets, tokens, minutes: None }
    }
}

fn push(builder: &mut BatchBuilder, parts: &Parts) {
    let mut record = builder.record();
    match &parts.n {
        None => {}
        Some(Value::Bool(value)) => record.bool("n", *value).unwrap(),
        Some(Value::Int(value)) => record.int("n", *value).unwrap(),
        Some(Value::Float(value)) => record.float("n", *value).unwrap(),
        Some(Value::Text(value)) => record.text("n", value).unwrap(),
        Some(Value::Json(value)) => record.json("n", value).unwrap(),
    }
    if let Some(host) = parts.host {
        record.text("host", host).unwrap();
    }
    record.finish(FixedFields {
        service: parts.service,
        timestamp: Timestamp(parts.timestamp),
        level: parts.level,
        message: &parts.message,
        latency_ms: parts.latency_ms,
        raw_bytes: 1,
    });
}

/// The tokens of messages, text fields and JSON text: what a block's filter holds.
fn tokens_of(batch: &StoredBatch) -> BTreeSet<String> {
    let fields = batch.records.fields.iter().filter_map(|column| match &column.values {
        FieldValues::Text(texts) | FieldValues::Json(texts) => Some(texts),
        FieldValues::Bool(_) | FieldValues::Int(_) | FieldValues::Float(_) => None,
    });
    let texts = fields.chain([&batch.records.message]).flat_map(TextColumn::iter);
    texts.flat_map(tokens).map(|token| token.into_owned()).collect()
}

/// The aggregates of a batch, made one by one.
fn minutes_of(batch: &StoredBatch) -> (MinuteCounts, MinuteLatencies) {
    let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
    for row in 0..batch.len() {
        let record = batch.record(row).unwrap();
        let (service, minute, level) = (record.service, record.timestamp.minute(), record.level);
        let key = MinuteKey { service, minute, level };
        minutes.entry(key).or_default().add(record.is_anomaly, record.latency_ms);
    }
    let (mut counts, mut latencies) = (MinuteCounts::default(), MinuteLatencies::default());
    for (MinuteKey { service, minute, level }, MinuteAggregate { count, anomalies, latency }) in minutes {
        if counts.services.last() != Some(&service) {
            counts.services.push(service);
        }
        let service = counts.services.len() as u32 - 1;
        counts.cells.push(MinuteCell { service, minute, level, count, anomalies });
        let parts = latency.parts();
        let buckets = parts.buckets.iter().zip(parts.counts).map(|(bucket, count)| (*bucket, *count as u32));
        latencies.push(parts.sum_nanos, parts.range_ms, buckets);
    }
    (counts, latencies)
}

impl TestSource {
    /// The same with its minutes counted.
    pub(super) fn with_minutes(mut self) -> TestSource {
        let (counts, latencies) = minutes_of(&self.batch);
        self.minutes = Some((counts.into(), latencies.into()));
        self
    }

    pub(super) fn all_records(&self) -> Vec<Record> {
        let rows: Vec<u32> = (0..self.rows() as u32).collect();
        self.records(&rows).unwrap()
    }
}

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

impl ColumnSource for TestSource {
    fn hidden(&self) -> Result<Vec<u32>, ColumnError> {
        Ok(Vec::new())
    }
    fn partition(&self) -> PartitionId {
        self.batch.partition
    }
    fn rows(&self) -> usize {
        self.batch.len()
    }
    fn time_range(&self) -> (i64, i64) {
        self.batch.time_range()
    }
    fn offset_range(&self) -> (u64, u64) {
        (self.batch.base_offset, self.batch.end_offset())
    }
    fn services(&self) -> &[String] {
        self.batch.services()
    }
    fn level_mask(&self) -> u8 {
        self.batch.level_mask()
    }
    fn may_hold_token(&self, token: &str) -> bool {
        self.tokens.contains(token)
    }
    fn field_names(&self) -> Vec<&str> {
        self.batch.field_names()
    }
    fn may_hold_field(&self, name: &str) -> bool {
        self.batch.may_hold_field(name)
    }
    fn stored_bytes(&self, _column: ColumnName<'_>) -> u64 {
        self.rows() as u64 * 10
    }
    fn minute_counts(&self) -> Result<Option<Arc<MinuteCounts>>, ColumnError> {
        Ok(self.minutes.as_ref().map(|(counts, _)| Arc::clone(counts)))
    }
    fn minute_latencies(&self) -> Result<Option<Arc<MinuteLatencies>>, ColumnError> {
        Ok(self.minutes.as_ref().map(|(_, latencies)| Arc::clone(latencies)))
    }
    fn service(&self) -> Read<'_, [u16]> {
        self.batch.service()
    }
    fn timestamp(&self) -> Read<'_, [i64]> {
        self.batch.timestamp()
    }
    fn level(&self) -> Read<'_, [u8]> {
        self.batch.level()
    }
    fn message(&self) -> Result<Messages<'_>, ColumnError> {
        self.batch.message()
    }
    fn latency_ms(&self) -> Read<'_, [f64]> {
        self.batch.latency_ms()
    }
    fn offset(&self) -> Read<'_, [u64]> {
        Ok(Column::Shared(Arc::clone(&self.offsets)))
    }
    fn anomaly_score(&self) -> Read<'_, [f32]> {
        self.batch.anomaly_score()
    }
    fn anomalies(&self) -> Read<'_, [(u32, String)]> {
        self.batch.anomalies()
    }
    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        let mut views = self.batch.field(name)?;
        for view in &mut views {
            if let Values::Text(texts) | Values::Json(texts) = &mut view.values {
                *texts = coded(texts);
            }
        }
        Ok(views)
    }
    fn may_hold_value(&self, name: &str, value: &str) -> bool {
        self.batch.records.columns(name).any(|column| match &column.values {
            FieldValues::Text(texts) => texts.iter().any(|text| fold(text) == fold(value)),
            _ => true,
        })
    }
    fn statistics(&self, column: ColumnName<'_>) -> Option<Vec<Statistics>> {
        let of = |values: &FieldValues| {
            let range = match values {
                FieldValues::Int(values) => ValueRange::of_integers(values),
                FieldValues::Float(values) => ValueRange::of_floats(values.iter().copied()),
                _ => None,
            };
            Statistics { kind: values.kind(), values: values.len() as u32, distinct: None, range }
        };
        Some(match column {
            ColumnName::LatencyMs => {
                let present = self.batch.records.latency_ms.iter().filter(|value| !value.is_nan());
                vec![of(&FieldValues::Float(present.copied().collect()))]
            }
            ColumnName::Field(name) => {
                self.batch.records.columns(name).map(|column| of(&column.values)).collect()
            }
            _ => return None,
        })
    }
    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        let mut records = self.batch.records(rows)?;
        for (record, row) in records.iter_mut().zip(rows) {
            record.log_id.offset = self.offsets[*row as usize];
        }
        Ok(records)
    }
}

/// The same texts by number.
fn coded<'a>(texts: &Texts<'_>) -> Texts<'a> {
    let column = texts.to_column();
    let mut values: Vec<&str> = Vec::new();
    let mut codes = Vec::new();
    for text in column.iter() {
        let code = values.iter().position(|value| *value == text).unwrap_or_else(|| {
            values.push(text);
            values.len() - 1
        });
        codes.push(code as u32);
    }
    let values: TextColumn = values.into_iter().collect();
    Texts::Coded { values: Column::Shared(values.into()), codes: Column::Shared(codes.into()) }
}

fn parts_strategy() -> impl Strategy<Value = Parts> {
    let message = prop::sample::select(vec![
        "Read TIMEOUT from 10.0.0.1:80",
        "read  timeout",
        "user-id=7 größe",
        "web-1 timeouts",
        "GRÖßE a true",
        "",
        "110.0.0.1 x_read 1.5",
    ]);
    let n = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec![7, -3, 1, 17, 9_007_199_254_740_993]).prop_map(Value::Int),
        prop::sample::select(vec![7.0, 1.5, -3.5, 9_007_199_254_740_992.0]).prop_map(Value::Float),
        prop::sample::select(vec!["7", "1.5", "True", "web-1", "Größe", "", "read timeout", "10.0.0.1"])
            .prop_map(Value::Text),
        prop::sample::select(vec![r#"[7,"web-1"]"#, "null", "[]", r#"["Größe",true]"#, "[[1.5]]", "1e400"])
            .prop_map(Value::Json),
    ];
    let host = prop::sample::select(vec!["web-1", "WEB-1", "web-12", "a", "10.0.0.1"]);
    let fixed = (
        prop::sample::select(vec!["api", "shop-web", "API"]),
        0i64..10,
        prop::sample::select(Level::ALL.to_vec()),
        message,
    );
    let numbers = (
        prop::option::of(prop::sample::select(vec![100.0, 250.0, 100.5, 0.0])),
        prop_oneof![Just(f32::NAN), Just(20.0f32), Just(60.0), Just(0.0)],
        any::<bool>(),
    );
    (fixed, numbers, prop::option::of(n), prop::option::of(host)).prop_map(
        |((service, timestamp, level, message), (latency_ms, score, is_anomaly), n, host)| {
            let message = message.to_owned();
            Parts { service, timestamp, level, message, latency_ms, score, is_anomaly, n, host }
        },
    )
}

/// Sources of two partitions, empty ones among them; offsets never overlap within a partition.
pub(super) fn sources_strategy() -> impl Strategy<Value = Vec<TestSource>> {
    stretched_sources_strategy(1)
}

/// The same with so many nanoseconds instead of one.
pub(super) fn stretched_sources_strategy(nanos: i64) -> impl Strategy<Value = Vec<TestSource>> {
    let source = (prop::collection::vec(parts_strategy(), 0..9), 0u16..2);
    prop::collection::vec(source, 1..7).prop_map(move |sources| {
        let mut next_offset = [0, 0];
        sources
            .into_iter()
            .map(|(parts, partition)| {
                let base_offset = next_offset[usize::from(partition)];
                next_offset[usize::from(partition)] += parts.len() as u64;
                RecordsOfSource(parts).stretched(nanos).source(partition, base_offset)
            })
            .collect()
    })
}
