//! What the rule flags, what it leaves alone, and that it depends on the order of records only.

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, Timestamp};
use proptest::prelude::*;

use super::*;

fn batch(latencies: impl IntoIterator<Item = Option<f64>>) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for latency_ms in latencies {
        builder.record().finish(FixedFields {
            service: "s",
            timestamp: Timestamp(0),
            level: Level::Info,
            message: "",
            latency_ms,
            raw_bytes: 0,
        });
    }
    builder.take()
}

fn score(detector: &mut MovingAverage, batch: &RecordBatch) -> RowScores {
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    let mut scores = RowScores::default();
    detector.score_batch(batch, &rows, &mut scores);
    scores
}

/// Uniform numbers in [0, 1), the same every time.
fn uniform(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    })
}

/// Log-normal latencies around 100 ms, of which the usual spread is a factor of 1.5.
fn steady(seed: u64, count: usize) -> impl Iterator<Item = Option<f64>> {
    let mut numbers = uniform(seed);
    std::iter::repeat_with(move || {
        let (radius, angle) = (numbers.next().unwrap(), numbers.next().unwrap());
        let normal = (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        Some(100.0 * (0.4 * normal).exp())
    })
    .take(count)
}

#[test]
fn surprise_is_the_logarithm_of_the_tail() {
    for (z, both_tails) in
        [(1.0, 0.317_310_5), (2.0, 0.045_500_3), (3.0, 0.002_699_8), (5.0, 5.733e-7), (8.0, 1.244e-15)]
    {
        let expected: f64 = -f64::log10(both_tails);
        assert!((tail_surprise(z) - expected).abs() < 0.03, "z {z}: {} not {expected}", tail_surprise(z));
    }
    assert_eq!(tail_surprise(-3.0), 0.0);
    assert!(tail_surprise(1e-9) < 1e-6);
}

#[test]
fn a_slow_record_is_flagged_and_explained() {
    let mut detector = MovingAverage::default();
    score(&mut detector, &batch(steady(1, 1_000)));
    let scores = score(&mut detector, &batch([Some(105.0), Some(1_320.0), None]));
    assert_eq!(scores.scores[2], None);
    assert!(scores.scores[0].unwrap() < 10.0 && scores.scores[1].unwrap() > 75.0, "{scores:?}");
    let [(row, reason)] = scores.anomalies.as_slice() else { panic!("{scores:?}") };
    assert_eq!(*row, 1);
    assert!(
        reason.starts_with("latency 1") && reason.contains("x the usual ") && reason.ends_with(" ms"),
        "{reason}"
    );
}

#[test]
fn records_have_no_score_while_the_rule_warms_up() {
    let scores = score(&mut MovingAverage::default(), &batch(steady(1, 250)));
    let warm_up = WARM_UP_RECORDS as usize;
    assert!(scores.scores[..warm_up].iter().all(Option::is_none));
    assert!(scores.scores[warm_up..].iter().all(Option::is_some));
}

#[test]
fn steady_traffic_is_quiet_whatever_its_tail() {
    let count = 100_000;
    let mut numbers = uniform(7);
    let heavy: Vec<_> = steady(2, count)
        .map(|latency| latency.map(|latency| latency * numbers.next().unwrap().max(1e-6).powf(-0.3)))
        .collect();
    for latencies in [steady(3, count).collect(), heavy] {
        let flags = score(&mut MovingAverage::default(), &batch(latencies)).anomalies.len();
        assert!(flags < count / 500, "{flags} of {count} flagged");
    }
    let constant = score(&mut MovingAverage::default(), &batch((0..5_000).map(|_| Some(3.0))));
    assert!(constant.anomalies.is_empty());
}

#[test]
fn gradual_change_is_followed_without_alarm() {
    // Ten times slower within 20,000 records.
    let latencies = steady(4, 20_000)
        .enumerate()
        .map(|(at, latency)| latency.map(|latency| latency * 10f64.powf(at as f64 / 20_000.0)));
    let mut detector = MovingAverage::default();
    let scores = score(&mut detector, &batch(latencies));
    assert!(scores.anomalies.len() <= 40, "{} of 20,000 flagged", scores.anomalies.len());
    let usual_ms = detector.state().mean.exp();
    assert!((800.0..1_050.0).contains(&usual_ms), "{usual_ms}");
}

#[test]
fn an_incident_is_flagged_to_its_end_and_the_next_one_too() {
    let mut detector = MovingAverage::default();
    score(&mut detector, &batch(steady(5, 5_000)));
    for round in 0..3 {
        let incident = score(&mut detector, &batch((0..50).map(|_| Some(5_000.0))));
        assert!(incident.anomalies.len() >= 45, "round {round}: {}", incident.anomalies.len());
        score(&mut detector, &batch(steady(6 + round, 2_000)));
    }
}

#[test]
fn a_new_level_becomes_the_norm() {
    let mut detector = MovingAverage::default();
    score(&mut detector, &batch(steady(8, 1_000)));
    score(&mut detector, &batch(steady(9, 4_000).map(|latency| latency.map(|latency| latency * 2.0))));
    let after = score(&mut detector, &batch([Some(200.0)]));
    assert!(after.scores[0].unwrap() < 10.0, "{after:?}");
}

#[test]
fn odd_latencies_leave_the_state_sound() {
    let mut detector = MovingAverage::default();
    let odd = [0.0, -5.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 1e300];
    score(&mut detector, &batch(odd.into_iter().cycle().take(2_000).map(Some)));
    assert!(MovingAverage::restored(detector.state().clone()).is_ok(), "{detector:?}");
}

#[test]
fn a_state_of_another_version_or_damaged_is_refused() {
    let sound = MovingAverage::default().state().clone();
    assert_eq!(MovingAverage::restored(sound.clone()), Ok(MovingAverage::default()));
    let other = MovingAverageState { version: 9, ..sound.clone() };
    assert_eq!(MovingAverage::restored(other), Err(StateError::Version(9)));
    let damaged = MovingAverageState { mean: f64::NAN, ..sound };
    assert_eq!(MovingAverage::restored(damaged), Err(StateError::Damaged));
}

proptest! {
    #[test]
    fn scores_do_not_depend_on_how_records_are_cut_or_handed_over(
        latencies in proptest::collection::vec(proptest::option::weighted(0.9, 0.0..5_000.0f64), 0..600),
        size in 1usize..300,
    ) {
        let whole = score(&mut MovingAverage::default(), &batch(latencies.iter().copied()));
        let mut detector = MovingAverage::default();
        let mut cut = RowScores::default();
        for (at, part) in latencies.chunks(size).enumerate() {
            let scores = score(&mut detector, &batch(part.iter().copied()));
            cut.scores.extend(scores.scores);
            cut.anomalies.extend(scores.anomalies.into_iter().map(|(row, reason)| (row + (at * size) as u32, reason)));
            // The next leader continues from the stored state.
            detector = MovingAverage::restored(detector.state().clone()).unwrap();
        }
        prop_assert_eq!(whole, cut);
    }
}
