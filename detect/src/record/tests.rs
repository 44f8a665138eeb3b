//! What is flagged among records, why, and how often.

use super::*;
use crate::prng::SplitMix64;

fn normal(prng: &mut SplitMix64) -> f64 {
    (0..12).map(|_| prng.uniform()).sum::<f64>() - 6.0
}

fn steady(prng: &mut SplitMix64, row: i64) -> Observation {
    let template = (row % 5) as u16;
    let latency_ms = 20.0 * f64::from(template + 1) * crate::math::exp(0.3 * normal(prng));
    Observation {
        time_nanos: row * 1_000_000_000,
        level: Severity::Info,
        template,
        latency_ms: Some(latency_ms),
    }
}

fn learned(rows: i64) -> (RecordDetector, SplitMix64, usize) {
    let (mut detector, mut prng) = (RecordDetector::new(1), SplitMix64::new(2));
    let verdicts = (0..rows).map(|row| detector.push(&steady(&mut prng, row)));
    let flagged = verdicts.filter(|verdict| verdict.reason.is_some()).count();
    (detector, prng, flagged)
}

#[test]
fn a_record_is_slow_for_its_own_kind_of_message() {
    let (mut detector, mut prng, _) = learned(20_000);
    let slow = Observation { template: 0, latency_ms: Some(900.0), ..steady(&mut prng, 20_000) };
    let reason = detector.push(&slow).reason.unwrap_or_default();
    assert!(reason.starts_with("latency 2") && reason.ends_with("x the p99 of this message"), "{reason}");
    let usual = Observation { template: 4, latency_ms: Some(110.0), ..slow };
    assert_eq!(detector.push(&usual).reason, None);
}

#[test]
fn a_new_error_is_flagged_and_called_new() {
    let (mut detector, mut prng, _) = learned(20_000);
    let new = Observation { template: 77, level: Severity::Error, ..steady(&mut prng, 20_000) };
    assert_eq!(detector.push(&new).reason.as_deref(), Some("a message never seen before"));
}

#[test]
fn ordinary_records_keep_to_the_budget() {
    let (_, _, flagged) = learned(100_000);
    assert!((20..=220).contains(&flagged), "{flagged} of 100,000");
}

#[test]
fn nothing_is_said_while_learning() {
    let (mut detector, mut prng) = (RecordDetector::new(1), SplitMix64::new(2));
    for row in 0..WARM_UP_RECORDS as i64 - 1 {
        assert_eq!(detector.push(&steady(&mut prng, row)), Verdict::default());
    }
}
