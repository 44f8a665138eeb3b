//! What a series' detector reports, what it leaves alone, and that it can be handed over.

use super::*;
use crate::prng::SplitMix64;

const STEP_SECS: i64 = 300;

/// Two weeks of a daily wave with noise, 5 minutes apart, changed by `change`.
fn scored(detector: &mut SeriesDetector, change: impl Fn(i64, f64) -> f64) -> Vec<SeriesScore> {
    let mut prng = SplitMix64::new(3);
    let mut normal = || (0..12).map(|_| prng.uniform()).sum::<f64>() - 6.0;
    let wave = |row: i64| 100.0 + 40.0 * (std::f64::consts::TAU * row as f64 / 288.0).sin();
    let values: Vec<f64> = (0..14 * 288).map(|row| change(row, wave(row) + normal())).collect();
    (0..).zip(values).map(|(row, value)| detector.push(row * STEP_SECS, value)).collect()
}

fn anomalies(scores: &[SeriesScore]) -> Vec<usize> {
    (0..scores.len()).filter(|row| scores[*row].is_anomaly).collect()
}

#[test]
fn a_quiet_series_has_few_anomalies() {
    let scores = scored(&mut SeriesDetector::default(), |_, value| value);
    let later = anomalies(&scores).into_iter().filter(|row| *row > 4 * 288).count();
    assert!(later <= 3, "{later} in ten quiet days");
}

#[test]
fn a_spike_a_shift_and_a_stop_are_each_reported_within_an_hour() {
    type Change = fn(f64) -> f64;
    for (name, change) in
        [("spike", (|value| value + 200.0) as Change), ("shift", |value| value + 100.0), ("stop", |_| 0.0)]
    {
        let scores = scored(&mut SeriesDetector::default(), |row, value| {
            if (2_500..2_520).contains(&row) { change(value) } else { value }
        });
        let found =
            anomalies(&scores).into_iter().filter(|row| (2_500..2_532).contains(row)).collect::<Vec<_>>();
        assert!(found.first().is_some_and(|row| *row < 2_512), "{name}: {found:?}");
        assert!(found.len() <= 6, "{name} is reported {} times", found.len());
    }
}

#[test]
fn what_is_no_number_changes_nothing() {
    let mut detector = SeriesDetector::default();
    scored(&mut detector, |_, value| value);
    let before = detector.clone();
    assert_eq!(detector.push(9_999_999, f64::NAN), SeriesScore::default());
    assert_eq!(detector, before);
}

#[test]
fn a_detector_that_is_handed_over_goes_on_as_if_it_had_not_been() {
    let mut detector = SeriesDetector::default();
    scored(&mut detector, |_, value| value);
    let bytes = bincode::serde::encode_to_vec(&detector, bincode::config::standard()).unwrap();
    assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
    let (mut restored, _): (SeriesDetector, _) =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard()).unwrap();
    for row in 0..500 {
        let value = f64::from(row % 37);
        assert_eq!(
            detector.push(5_000_000 + i64::from(row) * 300, value),
            restored.push(5_000_000 + i64::from(row) * 300, value)
        );
    }
    assert_eq!(detector, restored);
}

#[test]
fn a_quiet_weekend_is_due_from_the_fourth_week_on() {
    let mut detector = SeriesDetector::default();
    let mut prng = SplitMix64::new(5);
    let due = |band: Option<(f64, f64)>| band.map_or(0.0, |(least, most)| (least + most) / 2.0);
    let (mut early, mut late) = (0.0, 0.0);
    for hour in 0..6 * 7 * 24 {
        let is_weekend = hour / 24 % 7 >= 5;
        let usual = if is_weekend { 40.0 } else { 100.0 };
        if hour / 24 % 7 == 5 && hour % 24 == 6 {
            let band = detector.band(hour * 3_600);
            if hour / 168 == 1 { early = due(band) } else { late = due(band) }
        }
        detector.push(hour * 3_600, usual + 4.0 * prng.uniform());
    }
    assert!(early > 60.0 && (late - 42.0).abs() < 8.0, "{early} in the second week, {late} in the sixth");
}
