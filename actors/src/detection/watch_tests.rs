//! However a log reaches a watch, what it knows at the end of each head is the same.

use bytes::Bytes;
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::detection::{DetectionSettings, Detector, PatternCounts, ServiceWindow};
use insighthub_model::query::{Expression, Query};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, LogId, Scores, Timestamp};
use insighthub_storage::query::Conditions;

use super::*;
use crate::detection::notes::{NoteKind, told};

const PARTITION: PartitionId = PartitionId(3);
const START_SECS: i64 = 1_790_000_000;
const RECORDS: u64 = 6_000;
/// One record in two seconds, one tick in ten.
const SECS_PER_RECORD: i64 = 2;
const RECORDS_PER_TICK: u64 = 5;
const RECORDS_PER_HEAD: u64 = 1_500;
/// In the middle of the third head.
const SETTINGS_TICK: u64 = 750;

/// To them "order 7 took" and "7 took" are the same.
fn settings() -> DetectionSettings {
    DetectionSettings { revision: 1, masks: vec!["order [0-9]+".to_owned()], alerts_per_day: 1.0 }
}

fn record(offset: u64, builder: &mut BatchBuilder) {
    let service = if offset.is_multiple_of(3) { "auth" } else { "payment" };
    let message = format!("order {offset} took {} ms", offset % 17);
    builder.record().finish(FixedFields {
        service,
        timestamp: Timestamp((START_SECS + offset as i64 * SECS_PER_RECORD) * NANOS_PER_SEC),
        level: if offset.is_multiple_of(50) { Level::Error } else { Level::Info },
        message: &message,
        latency_ms: Some((offset * 7 % 31 + 5) as f64),
        raw_bytes: 1,
    });
}

fn batch(offsets: std::ops::Range<u64>) -> Arc<StoredBatch> {
    let mut builder = BatchBuilder::default();
    offsets.clone().for_each(|offset| record(offset, &mut builder));
    let records = Arc::new(builder.take());
    let created_at = records.timestamp.clone();
    let first = LogId { partition: PARTITION, offset: offsets.start };
    Arc::new(StoredBatch::new(first, created_at, records, Arc::new(Scores::default())))
}

fn tick(number: u64) -> Tick {
    let next_offset = (number + 1) * RECORDS_PER_TICK;
    let now = Timestamp((START_SECS + next_offset as i64 * SECS_PER_RECORD) * NANOS_PER_SEC);
    let event = if number == SETTINGS_TICK { TickEvent::Settings(settings()) } else { TickEvent::Now(now) };
    Tick { number, next_offset, event }
}

fn batches(offsets: std::ops::Range<u64>, rows: u64) -> Vec<Arc<StoredBatch>> {
    let starts = offsets.clone().step_by(rows as usize);
    starts.map(|start| batch(start..(start + rows).min(offsets.end))).collect()
}

fn ticks(offsets: &std::ops::Range<u64>) -> Vec<Tick> {
    (offsets.start / RECORDS_PER_TICK..offsets.end / RECORDS_PER_TICK).map(tick).collect()
}

fn head(number: u64, rows: u64) -> SealedHead {
    let offsets = number * RECORDS_PER_HEAD..(number + 1) * RECORDS_PER_HEAD;
    SealedHead {
        partition: PARTITION,
        seal_index: 100 + number,
        ticks: ticks(&offsets),
        batches: batches(offsets, rows),
        minutes: BTreeMap::new(),
        dead_letters: BTreeMap::new(),
        resolved_dead_letters: Vec::new(),
    }
}

/// A replica that has this many records, of which the first heads are blocks and the next are frozen.
fn unsealed(records: u64, rows: u64, blocks: u64, frozen: u64, detectors: &Bytes) -> Unsealed {
    let heads = blocks + frozen;
    let rest = heads * RECORDS_PER_HEAD..records;
    Unsealed {
        partition: PARTITION,
        generation: 0,
        sealed_up_to: if blocks == 0 { 0 } else { 99 + blocks },
        detectors: detectors.clone(),
        frozen: (blocks..heads).map(|number| Arc::new(head(number, rows))).collect(),
        start: (blocks * RECORDS_PER_HEAD, blocks * RECORDS_PER_HEAD / RECORDS_PER_TICK),
        ticks: ticks(&rest),
        batches: batches(rest, rows),
    }
}

/// A new watch at every seal, as after a restart.
fn folded_from_seal_to_seal(rows: u64) -> Vec<Folded> {
    let mut known = Bytes::new();
    let fold = |number: u64| {
        let before = unsealed((number + 1) * RECORDS_PER_HEAD, rows, number, 1, &known);
        let folded = Watch::new(PARTITION).fold(&before, &head(number, rows));
        known = folded.detectors.clone();
        folded
    };
    (0..RECORDS / RECORDS_PER_HEAD).map(fold).collect()
}

/// One watch that looks every so many records, and whose heads are sealed late.
fn folded_on_the_way(every: u64, rows: u64) -> Vec<Folded> {
    let mut watch = Watch::new(PARTITION);
    let (mut folded, mut known) = (Vec::new(), Bytes::new());
    for records in (every..=RECORDS).step_by(every as usize) {
        let blocks = folded.len() as u64;
        let frozen = records / RECORDS_PER_HEAD - blocks;
        let before = unsealed(records, rows, blocks, frozen, &known);
        assert!(watch.catch_up(&before));
        // Two heads wait before one becomes a block.
        if frozen == 2 {
            let next = watch.fold(&before, &head(blocks, rows));
            known = next.detectors.clone();
            folded.push(next);
        }
    }
    while (folded.len() as u64) < RECORDS / RECORDS_PER_HEAD {
        let blocks = folded.len() as u64;
        let frozen = RECORDS / RECORDS_PER_HEAD - blocks;
        let next = watch.fold(&unsealed(RECORDS, rows, blocks, frozen, &known), &head(blocks, rows));
        known = next.detectors.clone();
        folded.push(next);
    }
    folded
}

#[test]
fn cuts_looks_and_restarts_change_nothing() {
    let expected = folded_from_seal_to_seal(1);
    assert!(expected.iter().all(|folded| !folded.detectors.is_empty() && !folded.notes.is_empty()));
    for (every, rows) in [(7, 3), (1_500, 40), (601, 750)] {
        let found = folded_on_the_way(every, rows);
        assert_eq!(found.len(), expected.len());
        for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.notes, expected.notes, "head {number}, looking every {every}");
            assert!(found.detectors == expected.detectors, "head {number}, looking every {every}");
        }
    }
}

#[test]
fn every_record_is_counted_in_a_pattern_and_a_minute_once() {
    let notes: Vec<Note> =
        folded_from_seal_to_seal(100).into_iter().flat_map(|folded| folded.notes).collect();
    let counts = notes.iter().filter_map(told::<PatternCounts>).flat_map(|counts| counts.counts);
    let counted: u32 = counts.map(|(_, count)| count).sum();
    // The last minute and the lateness are not over.
    assert!((RECORDS as u32 - 60..=RECORDS as u32).contains(&counted), "{counted} of {RECORDS}");
    let mut minutes: Vec<(String, i64)> = notes
        .iter()
        .filter_map(|note| Some((note.service.clone(), told::<ServiceWindow>(note)?.end.0 - 1)))
        .map(|(service, end)| (service, end.div_euclid(60 * NANOS_PER_SEC)))
        .collect();
    let count = minutes.len();
    minutes.sort();
    minutes.dedup();
    assert_eq!(minutes.len(), count, "a minute is there twice");
    assert!(count > 390, "{count} minutes of two services");
}

/// Of whatever kind and time.
fn recent_notes(watch: &Watch) -> Vec<Note> {
    let kinds = [NoteKind::Window, NoteKind::Episode, NoteKind::PatternCounts, NoteKind::PatternText];
    kinds.into_iter().flat_map(|kind| watch.recent_notes(&filter(kind, None))).collect()
}

fn filter(kind: NoteKind, service: Option<&str>) -> NoteFilter {
    let service = service.map(str::to_owned);
    let (from, to) = (i64::MIN, i64::MAX);
    NoteFilter { kind: kind as u8, service, from, to, before: None, newest_first: false, limit: 1_000 }
}

#[test]
fn settings_hold_from_their_place_in_the_log_on_and_across_seals() {
    let folded = folded_from_seal_to_seal(100);
    let patterns = |folded: &Folded| {
        let counts = folded.notes.iter().filter_map(told::<PatternCounts>).flat_map(|counts| counts.counts);
        counts.map(|(id, _)| id).collect::<std::collections::BTreeSet<_>>()
    };
    let [_, before, change, after] = [0, 1, 2, 3].map(|head| patterns(&folded[head]));
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!(before != after && change == &before | &after, "{before:?}, {change:?}, {after:?}");
}

#[test]
fn detectors_are_described() {
    let mut watch = Watch::new(PARTITION);
    assert!(watch.catch_up(&unsealed(5_000, 10, 0, 3, &Bytes::new())));
    let of = |service: Option<&str>| -> Vec<Detector> {
        watch.recent_notes(&filter(NoteKind::Detector, service)).iter().filter_map(told).collect()
    };
    assert_eq!(
        of(None).iter().map(|detector| detector.service.as_str()).collect::<Vec<_>>(),
        ["auth", "payment"]
    );
    let payment = of(Some("payment"));
    let [payment] = payment.as_slice() else { panic!("{payment:?}") };
    assert_eq!((payment.partition, payment.templates, payment.alerts_expected), (PARTITION, 2, 7.0));
    assert!(payment.memory_bytes > 10_000 && payment.memory_bytes < 1_000_000, "{payment:?}");
    assert_eq!((payment.alerts_raised, payment.threshold), (0, 1.0));
}

#[test]
fn an_older_view_is_refused_and_recent_notes_are_those_of_no_block() {
    let mut watch = Watch::new(PARTITION);
    let all = folded_from_seal_to_seal(10);
    let early = unsealed(2_000, 10, 0, 1, &Bytes::new());
    assert!(watch.catch_up(&early));
    let before = recent_notes(&watch).len();
    assert!(watch.catch_up(&unsealed(2_000, 10, 1, 0, &all[0].detectors)));
    assert_eq!(before - recent_notes(&watch).len(), all[0].notes.len());
    assert!(!watch.catch_up(&early));
}

#[test]
fn a_service_that_is_deleted_is_forgotten_with_what_was_found_out() {
    let query = Query { filter: Expression::field_is("service", "auth"), stages: Vec::new() };
    let conditions = Conditions { query, ..Conditions::default() };
    let deleted = TickEvent::Deleted(Deletion { id: 1, conditions });
    let mut view = unsealed(1_400, 10, 0, 0, &Bytes::new());
    let mut watch = Watch::new(PARTITION);
    assert!(watch.catch_up(&view));
    let of_auth = |notes: &[Note]| notes.iter().filter(|note| note.service == "auth").count();
    assert!(of_auth(&recent_notes(&watch)) > 10 && watch.status().services == 2);
    let number = view.ticks.len() as u64;
    view.ticks.push(Tick { number, next_offset: 1_400, event: deleted });
    assert!(watch.catch_up(&view));
    assert_eq!((of_auth(&recent_notes(&watch)), watch.status().services), (0, 1));
    assert!(!recent_notes(&watch).is_empty());
}
