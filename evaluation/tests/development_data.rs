//! The floors of detection on the development data, when it is there.
//!
//! Looks below `INSIGHTHUB_SAMPLES`, or `data` at the root of the project; says so and passes when it is absent.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its data must fail")]

mod plain_records;

use std::path::{Path, PathBuf};

use insighthub_detect::series::THRESHOLD;
use insighthub_evaluation::nab::PROFILES;
use insighthub_evaluation::{benchmarks, incidents, metrics, sessions};

fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("INSIGHTHUB_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from);
    let folder = root.join(name);
    if !folder.is_dir() {
        println!("no {}: nothing was measured", folder.display());
    }
    folder.is_dir().then_some(folder)
}

#[test]
fn series_of_the_numenta_benchmark() {
    let Some(folder) = folder("nab") else { return };
    let mut scorer = benchmarks::numenta(&folder).unwrap();
    let (best, fixed) = (scorer.optimised(PROFILES[0]), scorer.at(PROFILES[0], THRESHOLD));
    println!("{best:?} {fixed:?}");
    assert!(best.score >= 64.0 && fixed.score >= 60.0);
}

#[test]
fn series_of_cloud_services() {
    let Some(folder) = folder("mscloud") else { return };
    let (tally, rows) = benchmarks::labelled_series(&folder).unwrap();
    let false_alarms = 1_000.0 * tally.alerts_false as f64 / rows as f64;
    println!("F1 {:.3}, {false_alarms:.2} false alarms per 1,000 rows", tally.f1());
    assert!(tally.f1() >= 0.38 && false_alarms <= 1.0);
}

#[test]
fn injected_incidents_and_odd_records() {
    let Some(folder) = folder("synthetic") else { return };
    let outcome = incidents::evaluate(&folder, &plain_records::parse).unwrap();
    let false_alarms = outcome.all.alerts_false as f64 / outcome.service_days;
    println!("F1 {:.3}, {false_alarms:.2} false alarms per service-day", outcome.all.f1());
    assert!(outcome.all.f1() >= 0.85 && false_alarms <= 0.5);
    assert!(outcome.sudden.median_delay().unwrap() <= 240);
    assert!(outcome.odd_flagged * 2 >= outcome.odd, "{} of {}", outcome.odd_flagged, outcome.odd);
    assert!(outcome.flagged * 500 <= outcome.records, "{} of {}", outcome.flagged, outcome.records);
}

#[test]
fn templates_of_eight_systems() {
    let Some(folder) = folder("loghub") else { return };
    let accuracies = benchmarks::groupings(&folder).unwrap();
    let mean = accuracies.iter().map(|(_, accuracy)| accuracy.share()).sum::<f64>() / accuracies.len() as f64;
    println!("{accuracies:?}");
    assert!(mean >= 0.79, "{mean}");
}

#[test]
fn the_metric_that_was_wrong_is_named_first() {
    let Some(folder) = folder("asd") else { return };
    let outcome = metrics::evaluate(&folder, "omi-9").unwrap();
    assert!(outcome.named * 20 >= outcome.events * 17, "{outcome:?}");
}

#[test]
fn sessions_that_went_wrong() {
    let Some(folder) = folder("hdfs") else { return };
    let outcome = sessions::evaluate(&folder.join("sessions.ndjson.gz")).unwrap();
    assert!(outcome.f1() >= 0.6, "{outcome:?}");
}
