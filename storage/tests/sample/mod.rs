//! Records of every shape for the tests of blocks and of the index, and heads made of them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a wrong sample must fail loudly"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{FieldValue, Level, LogId, PartitionId, Record, Scores, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::sealed_head::SealedHead;
use proptest::prelude::*;

pub(crate) const PARTITION: PartitionId = PartitionId(3);

/// One record before it has an offset.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) service: String,
    pub(crate) timestamp: i64,
    pub(crate) level: u8,
    pub(crate) message: String,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) score: Option<f32>,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) fields: BTreeMap<String, FieldValue>,
}

pub(crate) fn samples(count: Range<usize>) -> impl Strategy<Value = Vec<Sample>> {
    let level = 0u8..6;
    let timestamp = prop_oneof![4 => (0i64..50).prop_map(|n| 1_764_670_202_000_000_000 + n * 1_000_000), 1 => any::<i64>()];
    let latency =
        prop::option::of(prop_oneof![3 => (0u32..9000).prop_map(|n| f64::from(n) / 10.0), 1 => 0.0f64..1e12]);
    let anomaly = prop::option::weighted(0.2, "[a-z ]{0,12}");
    let score = prop::option::of((0u8..200).prop_map(|n| f32::from(n) / 2.0));
    let fixed =
        ("[a-d]|\\PC{0,4}", timestamp, level, "\\PC{0,30}|(GET|POST) /api/[a-z]{1,3} took [0-9]{1,4} ms");
    let record = (fixed, latency, score, anomaly, 0i64..4, fields());
    let record = record.prop_map(
        |((service, timestamp, level, message), latency_ms, score, reason, moment, fields)| Sample {
            service,
            timestamp,
            level,
            message,
            latency_ms,
            score,
            reason,
            created_at: moment,
            fields,
        },
    );
    prop::collection::vec(record, count).prop_map(|mut samples: Vec<Sample>| {
        // The leader's clock is the same for a whole append and does not go back.
        samples.iter_mut().fold(0, |before, sample| {
            sample.created_at = before + sample.created_at / 3;
            sample.created_at
        });
        samples
    })
}

fn fields() -> impl Strategy<Value = BTreeMap<String, FieldValue>> {
    let value = prop_oneof![
        any::<bool>().prop_map(FieldValue::Bool),
        prop_oneof![any::<i64>(), 200i64..205].prop_map(FieldValue::Int),
        any::<f64>().prop_filter("NaN equals nothing", |float| !float.is_nan()).prop_map(FieldValue::Float),
        "\\PC{0,12}|[0-9a-f]{16}|[a-z]{1,2}".prop_map(FieldValue::Text),
        "\\[[0-9]{0,2}\\]".prop_map(FieldValue::Json),
    ];
    prop::collection::btree_map("[a-e]|trace\\.id|ü", value, 0..5)
}

/// The batch of some samples, the first of which has this offset.
pub(crate) fn batch_of(samples: &[Sample], base_offset: u64) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    let mut scores = Scores::default();
    for (row, sample) in samples.iter().enumerate() {
        let mut record = builder.record();
        for (name, value) in &sample.fields {
            match value {
                FieldValue::Bool(value) => record.bool(name, *value),
                FieldValue::Int(value) => record.int(name, *value),
                FieldValue::Float(value) => record.float(name, *value),
                FieldValue::Text(value) => record.text(name, value),
                FieldValue::Json(value) => record.json(name, value),
            }
            .unwrap();
        }
        record.finish(FixedFields {
            service: &sample.service,
            timestamp: Timestamp(sample.timestamp),
            level: Level::from_number(sample.level).unwrap(),
            message: &sample.message,
            latency_ms: sample.latency_ms,
            raw_bytes: 1,
        });
        scores.anomaly_score.push(sample.score.unwrap_or(f32::NAN));
        scores.anomalies.extend(sample.reason.clone().map(|reason| (row as u32, reason)));
    }
    StoredBatch::new(
        LogId { partition: PARTITION, offset: base_offset },
        samples.iter().map(|sample| sample.created_at).collect(),
        Arc::new(builder.take()),
        Arc::new(scores),
    )
}

/// A head of these samples, cut into batches before the given places.
pub(crate) fn head_of(samples: &[Sample], cuts: &[usize], seal_index: u64, base_offset: u64) -> SealedHead {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (samples.len() + 1)).collect();
    places.extend([0, samples.len()]);
    places.sort_unstable();
    let batches = places
        .windows(2)
        .map(|ends| Arc::new(batch_of(&samples[ends[0]..ends[1]], base_offset + ends[0] as u64)))
        .collect();
    SealedHead {
        partition: PARTITION,
        seal_index,
        batches,
        ticks: Vec::new(),
        minutes: minutes_of(samples),
        dead_letters: BTreeMap::new(),
        resolved_dead_letters: Vec::new(),
    }
}

pub(crate) fn minutes_of(samples: &[Sample]) -> BTreeMap<MinuteKey, MinuteAggregate> {
    let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
    for sample in samples {
        let key = MinuteKey {
            service: sample.service.clone(),
            minute: Timestamp(sample.timestamp).minute(),
            level: Level::from_number(sample.level).unwrap(),
        };
        minutes.entry(key).or_default().add(sample.reason.is_some(), sample.latency_ms);
    }
    minutes
}

pub(crate) fn dead_letter(number: u64, raw_bytes: usize) -> DeadLetter {
    DeadLetter {
        received_at: Timestamp(number as i64),
        origin: "http".into(),
        service: number.is_multiple_of(2).then(|| "payment-service".into()),
        field: Some("latency_ms".into()),
        reason: "must be a number".into(),
        position: number,
        raw: (0..raw_bytes).map(|at| (at * 31) as u8).collect(),
        raw_bytes_total: raw_bytes as u64,
    }
}

/// All records of a head as the API shows them, by service, timestamp and offset; fields by name and type,
/// floats by their bits.
pub(crate) fn shown(mut records: Vec<Record>) -> Vec<String> {
    records.sort_by(|a, b| {
        (&a.service, a.timestamp, a.log_id.offset).cmp(&(&b.service, b.timestamp, b.log_id.offset))
    });
    for record in &mut records {
        record.fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    records.iter().map(|record| format!("{record:?}")).collect()
}
