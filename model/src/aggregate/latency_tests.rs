//! What a latency sketch promises: quantiles within 1 %, and merging that is blind to order.

use proptest::prelude::*;

use super::*;
use crate::aggregate::LatencyCollector;

fn sketch_of(latencies: &[f64]) -> LatencySketch {
    let mut sketch = LatencySketch::default();
    latencies.iter().for_each(|latency| sketch.add(*latency));
    sketch
}

fn close(estimate: f64, exact: f64) -> bool {
    // Below a nanosecond everything is zero.
    (estimate - exact).abs() <= 0.01 * exact + SMALLEST_MS
}

proptest! {
    #[test]
    fn a_quantile_is_within_one_percent(mut latencies in prop::collection::vec(1e-3f64..6e4, 1..400), q in 0.0f64..=1.0) {
        let sketch = sketch_of(&latencies);
        latencies.sort_by(f64::total_cmp);
        let exact = latencies[(q * (latencies.len() - 1) as f64) as usize];
        let estimate = sketch.quantile_ms(q).unwrap();
        prop_assert!(close(estimate, exact), "{estimate} for {exact}");
    }

    #[test]
    fn a_sketch_survives_being_taken_apart(
        left in prop::collection::vec(0.0f64..1e6, 0..200), right in prop::collection::vec(0.0f64..1e6, 0..200),
    ) {
        let (left, right) = (sketch_of(&left), sketch_of(&right));
        prop_assert_eq!(LatencySketch::from_parts(left.parts()), Ok(left.clone()));
        let mut collector = LatencyCollector::default();
        for parts in [left.parts(), right.parts()] {
            let buckets = parts.buckets.iter().copied().zip(parts.counts.iter().copied());
            collector.add_sketch(parts.sum_nanos, parts.range_ms, buckets);
        }
        let (mut collected, mut merged) = (LatencySketch::default(), left);
        collector.move_into(&mut collected);
        merged.merge(&right);
        prop_assert_eq!(collected, merged);
    }

    #[test]
    fn every_latency_lies_within_one_percent_of_its_bucket(exponent in -19i32..1023, mantissa in 1.0f64..2.0) {
        let latency = mantissa * 2f64.powi(exponent);
        let estimate = estimate_ms(bucket_of(latency));
        prop_assert!((estimate / latency - 1.0).abs() <= 0.01, "{estimate} for {latency}");
    }

    #[test]
    fn buckets_rise_with_the_latency(a in 0.0f64..1e9, b in 0.0f64..1e9) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(bucket_of(low) <= bucket_of(high));
    }

    /// Exponents over a wide range overflow the buckets, so joining the lowest is part of it.
    #[test]
    fn any_split_and_order_gives_the_same_sketch(
        exponents in prop::collection::vec((-25i32..60, 1.0f64..2.0), 0..3000), cut in any::<prop::sample::Index>(),
    ) {
        let latencies: Vec<f64> = exponents.iter().map(|(exponent, mantissa)| mantissa * 2f64.powi(*exponent)).collect();
        let whole = sketch_of(&latencies);
        let (left, right) = latencies.split_at(cut.index(latencies.len() + 1));
        let (left, right) = (sketch_of(left), sketch_of(right));
        let (mut forward, mut backward) = (left.clone(), right.clone());
        forward.merge(&right);
        backward.merge(&left);
        prop_assert_eq!(&forward, &whole);
        prop_assert_eq!(&backward, &whole);
        let reversed: Vec<f64> = latencies.iter().rev().copied().collect();
        prop_assert_eq!(&sketch_of(&reversed), &whole);
        prop_assert!(whole.buckets.len() <= BUCKETS_MAX);
    }

    #[test]
    fn a_stored_sketch_reads_back(latencies in prop::collection::vec(0.0f64..1e7, 0..200)) {
        let sketch = sketch_of(&latencies);
        let stored = StoredSketch::from(sketch.clone());
        prop_assert_eq!(LatencySketch::try_from(stored), Ok(sketch));
    }
}

#[test]
fn the_average_does_not_drift_with_the_order() {
    let latencies: Vec<f64> = (0..1000).map(|n| 0.1 + f64::from(n) * 1e6).collect();
    let reversed: Vec<f64> = latencies.iter().rev().copied().collect();
    assert_eq!(sketch_of(&latencies).avg_ms(), sketch_of(&reversed).avg_ms());
}

#[test]
fn odd_latencies_are_zero_or_left_out() {
    let sketch = sketch_of(&[-5.0, -0.0, f64::NAN, f64::INFINITY, 1e-9]);
    assert_eq!(sketch.count(), 3);
    assert_eq!((sketch.min_ms(), sketch.quantile_ms(0.5)), (Some(0.0), Some(0.0)));
    assert_eq!(sketch.min_ms.to_bits(), 0);
    assert_eq!(LatencySketch::default().quantile_ms(0.5), None);
    assert_eq!(sketch_of(&[f64::MAX]).quantile_ms(1.0), Some(f64::MAX));
}

#[test]
fn damaged_stored_sketches_are_refused() {
    for text in [
        r#"{"count":2,"sum_nanos":1,"min_ms":1.0,"max_ms":1.0,"buckets":[[700,1]]}"#,
        r#"{"count":2,"sum_nanos":1,"min_ms":1.0,"max_ms":1.0,"buckets":[[700,1],[0,1]]}"#,
        r#"{"count":0,"sum_nanos":1,"min_ms":1.0,"max_ms":1.0,"buckets":[[700,0]]}"#,
        r#"{"count":1,"sum_nanos":1,"min_ms":2.0,"max_ms":1.0,"buckets":[[700,1]]}"#,
    ] {
        assert!(serde_json::from_str::<LatencySketch>(text).is_err(), "{text} was taken");
    }
}

proptest! {
    #[test]
    fn collecting_comes_to_the_same_as_adding(
        runs in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![-1.0f64..1e7, Just(0.0), Just(f64::NAN), 1e-9f64..1.0], 0..40),
            1..6,
        ),
    ) {
        let (mut collector, mut collected, mut added) =
            (LatencyCollector::default(), LatencySketch::default(), LatencySketch::default());
        for run in runs {
            for latency_ms in run {
                collector.add(latency_ms);
                added.add(latency_ms);
            }
            collector.move_into(&mut collected);
        }
        prop_assert_eq!(collected, added);
    }
}
