//! The whole detector on made-up traffic: incidents are found and explained, and state can be handed over at any point.

use insighthub_model::Level;
use insighthub_model::batch::{BatchBuilder, FixedFields};

use super::*;
use crate::prng::SplitMix64;
use crate::scorer::RecordScorer;
use crate::window::Channel;

const DAY_SECS: i64 = 86_400;

/// Steady traffic, one record in four seconds; `change` may alter or drop a record.
fn batches(days: i64, change: impl Fn(i64, &mut Made)) -> Vec<RecordBatch> {
    let mut prng = SplitMix64::new(11);
    let mut builder = BatchBuilder::default();
    let mut batches = Vec::new();
    for secs in (0..days * DAY_SECS).step_by(4) {
        let normal = (0..12).map(|_| prng.uniform()).sum::<f64>() - 6.0;
        let is_error = prng.uniform() < 0.01;
        let mut made =
            Made { is_there: true, level: Level::Info, message: "", latency_ms: 50.0 * (0.3 * normal).exp() };
        made.message = if is_error { "upstream 10.0.0.7 failed" } else { "GET /item/77 done" };
        made.level = if is_error { Level::Error } else { Level::Info };
        change(secs, &mut made);
        if made.is_there {
            builder.record().finish(FixedFields {
                service: "s",
                timestamp: Timestamp(secs * NANOS_PER_SEC),
                level: made.level,
                message: made.message,
                latency_ms: Some(made.latency_ms),
                raw_bytes: 1,
            });
        }
        if builder.len() == 100 || (secs % 600 == 0 && !builder.is_empty()) {
            batches.push(builder.take());
        }
    }
    batches
}

struct Made {
    is_there: bool,
    level: Level,
    message: &'static str,
    latency_ms: f64,
}

fn fold(detector: &mut ServiceDetector, batches: &[RecordBatch]) -> TickScores {
    let (mut ticks, mut scores) = (TickScores::default(), RowScores::default());
    for batch in batches {
        let rows: Vec<u32> = (0..batch.len() as u32).collect();
        detector.fold(batch, &rows, 0, &batch.timestamp, &mut scores);
        detector.tick(Timestamp(batch.timestamp[batch.len() - 1]), &mut ticks);
    }
    ticks
}

/// The alerts of the third day, when an hour of it goes wrong.
fn alerts(change: impl Fn(&mut Made)) -> Vec<Alert> {
    let incident = 2 * DAY_SECS + 43_200..2 * DAY_SECS + 44_400;
    let made = batches(3, |secs, made| {
        if incident.contains(&secs) {
            change(made);
        }
    });
    let ticks = fold(&mut ServiceDetector::new("s"), &made);
    let from = (incident.start) * NANOS_PER_SEC;
    let early: Vec<i64> = ticks.alerts.iter().map(|alert| alert.at_nanos).filter(|at| *at < from).collect();
    assert!(early.is_empty(), "alerts before the incident: {early:?}");
    ticks.alerts
}

#[test]
fn each_kind_of_incident_alerts_and_names_its_channel() {
    type Change = fn(&mut Made);
    let kinds: [(Channel, Change); 4] = [
        (Channel::Latency, |made| made.latency_ms *= 5.0),
        (Channel::Errors, |made| (made.level, made.message) = (Level::Error, "upstream 10.0.0.7 failed")),
        (Channel::TrafficDrop, |made| made.is_there = false),
        (Channel::NewMessages, |made| (made.level, made.message) = (Level::Warn, "disk 4 is nearly full")),
    ];
    for (channel, change) in kinds {
        let alerts = alerts(change);
        let first = alerts.first().unwrap_or_else(|| panic!("{channel:?} was not found"));
        let named: Vec<Channel> = first.explanation.channels.iter().map(|shown| shown.channel).collect();
        assert!(named.contains(&channel), "{channel:?} is none of {named:?}");
        assert!(alerts.len() <= 3, "{channel:?} alerted {} times", alerts.len());
        assert!(!first.explanation.summary().is_empty());
    }
}

#[test]
fn an_open_episode_is_known_to_last_a_little_longer_than_what_was_heard() {
    let end = 3 * DAY_SECS;
    let made = batches(3, |secs, made| {
        if secs >= end - 1_200 {
            (made.level, made.message) = (Level::Error, "upstream 10.0.0.7 failed");
        }
    });
    let mut detector = ServiceDetector::new("s");
    fold(&mut detector, &made[..made.len() / 2]);
    assert!(detector.open_until().is_none() && detector.open_episode().is_none());
    fold(&mut detector, &made[made.len() / 2..]);
    let until = detector.open_until().unwrap().0.div_euclid(NANOS_PER_SEC);
    assert!(detector.open_episode().is_some() && (end..end + 700).contains(&until), "{until}");
}

#[test]
fn quiet_days_do_not_alert() {
    let ticks = fold(&mut ServiceDetector::new("s"), &batches(4, |_, _| {}));
    assert!(ticks.alerts.len() <= 1, "{:?}", ticks.alerts);
    assert!(ticks.windows.iter().any(|window| !window.is_warming_up));
}

#[test]
fn a_hand_over_at_any_point_changes_nothing() {
    let made = batches(2, |_, _| {});
    let mut one = ServiceDetector::new("s");
    fold(&mut one, &made[..made.len() / 2]);
    let bytes = bincode::serde::encode_to_vec(&one, bincode::config::standard()).unwrap();
    assert!(bytes.len() < 200_000, "{} bytes", bytes.len());
    let (read, _): (ServiceDetector, _) =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard()).unwrap();
    let mut other = read.restored().unwrap();
    let rest = &made[made.len() / 2..];
    assert_eq!(fold(&mut one, rest), fold(&mut other, rest));
    let encoded =
        |of: &ServiceDetector| bincode::serde::encode_to_vec(of, bincode::config::standard()).unwrap();
    assert_eq!(encoded(&one), encoded(&other));
}

#[test]
fn a_state_of_another_version_is_refused() {
    let mut other = ServiceDetector::new("s");
    other.version = 9;
    assert_eq!(other.restored().unwrap_err(), StateError(9));
}

#[test]
fn hashes_of_messages_that_are_known_change_nothing() {
    let made = batches(1, |_, _| {});
    let mut scorer = ServiceDetector::new("s").record_scorer();
    let (mut plain, mut helped) = (ServiceDetector::new("s"), ServiceDetector::new("s"));
    for batch in &made {
        let rows: Vec<u32> = (0..batch.len() as u32).collect();
        let (mut scored, mut expected, mut found) =
            (RowScores::default(), RowScores::default(), RowScores::default());
        scorer.score_batch(batch, &rows, &mut scored);
        assert!(scored.message_hashes.len() == rows.len() && !scored.message_hashes.contains(&0));
        // A third was not scored.
        scored.message_hashes.iter_mut().step_by(3).for_each(|hash| *hash = 0);
        let arrived = &batch.timestamp;
        plain.fold(batch, &rows, 0, arrived, &mut expected);
        helped.fold_known(batch, &rows, 0, arrived, &scored.message_hashes, &mut found);
        assert_eq!((found.scores, found.anomalies), (expected.scores, expected.anomalies));
    }
    let bytes = |detector: &ServiceDetector| {
        bincode::serde::encode_to_vec(detector, bincode::config::standard()).unwrap()
    };
    assert_eq!(bytes(&helped), bytes(&plain));
}
