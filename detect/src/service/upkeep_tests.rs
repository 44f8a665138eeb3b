//! What detectors of small and huge services cost, and that a forest never grows unannounced.

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, RecordBatch, Timestamp};

use super::*;
use crate::prng::SplitMix64;
use crate::scorer::RowScores;
use crate::service::TickScores;

/// What a detector of any service may take: its state, and all of it with both forests grown.
const STATE_BYTES_MAX: usize = 352 * 1_024;
const MEMORY_BYTES_MAX: usize = 896 * 1_024;

fn state_bytes(detector: &ServiceDetector) -> usize {
    bincode::serde::encode_to_vec(detector, bincode::config::standard()).unwrap().len()
}

/// Feeds a detector and ticks after each batch.
#[derive(Default)]
struct Feed {
    builder: BatchBuilder,
    scores: RowScores,
    ticks: TickScores,
}

impl Feed {
    fn add(&mut self, secs: i64, message: &str, latency_ms: f64) {
        self.builder.record().finish(FixedFields {
            service: "s",
            timestamp: Timestamp(secs * NANOS_PER_SEC),
            level: Level::Info,
            message,
            latency_ms: Some(latency_ms),
            raw_bytes: 1,
        });
    }

    fn batch(&mut self) -> (RecordBatch, Vec<u32>, Timestamp) {
        let batch = self.builder.take();
        let rows = (0..batch.len() as u32).collect();
        let newest = Timestamp(batch.timestamp.last().copied().unwrap_or(0));
        (batch, rows, newest)
    }

    fn fold(&mut self, detector: &mut ServiceDetector) {
        let (batch, rows, newest) = self.batch();
        (self.scores, self.ticks) = (RowScores::default(), TickScores::default());
        detector.fold(&batch, &rows, 0, &batch.timestamp, &mut self.scores);
        detector.tick(newest, &mut self.ticks);
    }
}

/// A word of letters that no mask takes for a number.
fn word(number: usize) -> String {
    (0..4).map(|digit| char::from(b'g' + (number >> (4 * digit) & 15) as u8)).collect()
}

#[test]
fn ten_thousand_services_of_fifty_records_are_small() {
    let mut feed = Feed::default();
    for record in 0..50 {
        let message = format!("GET /item/{record} {} done", word(record % 8));
        feed.add(record as i64, &message, 20.0);
    }
    let (batch, rows, newest) = feed.batch();
    let (mut state, mut memory) = (0, 0);
    // One in ten is looked at: they differ by their names alone.
    for service in (0..10_000).step_by(10) {
        let mut detector = ServiceDetector::new(&format!("service-{service}"));
        let (mut scores, mut ticks) = (RowScores::default(), TickScores::default());
        detector.fold(&batch, &rows, 0, &batch.timestamp, &mut scores);
        detector.tick(newest, &mut ticks);
        memory += detector.memory_bytes();
        state += state_bytes(&detector);
    }
    println!("{state} bytes of state and {memory} in memory in 1,000 services");
    assert!(state < 3_000_000 && memory < 8_000_000, "{state} {memory}");
}

#[test]
fn a_quiet_service_stays_small() {
    let mut detector = ServiceDetector::new("s");
    let mut feed = Feed::default();
    for record in 0..50 {
        feed.add(record, "ready", 1.0);
    }
    feed.fold(&mut detector);
    // A day of nothing but the clock.
    for minute in 0..1_440 {
        detector.tick(Timestamp(minute * 60 * NANOS_PER_SEC), &mut feed.ticks);
        feed.ticks.windows.clear();
    }
    let (state, memory) = (state_bytes(&detector), detector.memory_bytes());
    println!("{state} bytes of state and {memory} in memory");
    assert!(state < 16_000 && memory < 40_000, "{state} {memory}");
}

#[test]
fn a_service_of_thousands_of_templates_stays_within_the_bound() {
    let mut detector = ServiceDetector::new("s");
    let (mut feed, mut prng) = (Feed::default(), SplitMix64::new(1));
    let messages: Vec<String> =
        (0..2_500).map(|number| format!("{} finished in {} ms", word(number), number % 90)).collect();
    let mut most = 0;
    for minute in 0..15 * 1_440 {
        for record in 0..3 {
            let message = &messages[prng.index(messages.len())];
            feed.add(minute * 60 + record * 20, message, 10.0 + 50.0 * prng.uniform());
        }
        if minute % 10 == 9 {
            feed.fold(&mut detector);
        }
        if minute % 1_440 == 1_439 {
            most = most.max(detector.memory_bytes());
        }
    }
    // A quarter of an hour in which each ten seconds bring hundreds of templates.
    for bucket in 0..120 {
        let secs = 15 * 86_400 + bucket * 10;
        (0..400).for_each(|_| feed.add(secs, &messages[prng.index(messages.len())], 20.0));
        feed.fold(&mut detector);
    }
    let (state, memory) = (state_bytes(&detector), detector.memory_bytes());
    println!("{state} bytes of state, {memory} in memory, {most} before the rush");
    assert_eq!(detector.miner().templates().len(), crate::template::TEMPLATES_MAX);
    assert!(state < STATE_BYTES_MAX, "{state}");
    assert!(memory < MEMORY_BYTES_MAX && memory > state / 2, "{memory}");
}

#[test]
fn no_forest_grows_unannounced() {
    let mut detector = ServiceDetector::new("s");
    let (mut feed, mut prng) = (Feed::default(), SplitMix64::new(1));
    let (mut asked, mut due, mut grown) = (0, 0, 0);
    for minute in 0..3 * 1_440 {
        for record in 0..20 {
            feed.add(minute * 60 + record * 3, "GET /item/7 done", 10.0 + 50.0 * prng.uniform());
        }
        let (batch, rows, newest) = feed.batch();
        let is_due = detector.is_refit_due(newest, rows.len());
        let hours = |detector: &ServiceDetector| (detector.records.grown_at(), detector.windows.grown_at());
        let before = hours(&detector);
        detector.fold(&batch, &rows, 0, &batch.timestamp, &mut feed.scores);
        detector.tick(newest, &mut feed.ticks);
        (feed.scores, feed.ticks) = (RowScores::default(), TickScores::default());
        let has_grown = hours(&detector) != before;
        assert!(is_due || !has_grown, "minute {minute}");
        (asked, due, grown) = (asked + 1, due + u32::from(is_due), grown + u32::from(has_grown));
    }
    println!("{grown} of {asked} batches grew a forest, {due} were announced");
    assert!(grown > 60 && due < grown + grown / 4, "{grown} of {asked}, {due} announced");
}
