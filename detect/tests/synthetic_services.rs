//! The moving average on generated services with known incidents, when the data is there.
//!
//! Looks for `synthetic/logs.ndjson.gz` and `synthetic/incidents.csv` below `INSIGHTHUB_SAMPLES`, or `data`
//! at the root of the project; says so and passes when they are absent.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its data must fail")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, RecordBatch, Timestamp};

struct Incident {
    service: String,
    kind: String,
    from: i64,
    to: i64,
}

#[derive(serde::Deserialize)]
struct Line {
    timestamp: String,
    service: String,
    latency_ms: Option<f64>,
}

#[derive(Default)]
struct Tally {
    ordinary: usize,
    ordinary_flagged: usize,
    /// Ordinary records at least eight times as slow as their service's median.
    slow: usize,
    slow_flagged: usize,
    spike: usize,
    spike_flagged: usize,
}

fn data_dir() -> Option<PathBuf> {
    let root = std::env::var_os("INSIGHTHUB_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from);
    let dir = root.join("synthetic");
    dir.join("logs.ndjson.gz").is_file().then_some(dir)
}

fn nanos(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().0
}

fn incidents(dir: &Path, name: &str) -> Vec<Incident> {
    let text = std::fs::read_to_string(dir.join(name)).unwrap();
    let column = |header: &[&str], name: &str| header.iter().position(|found| *found == name).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let [service, kind, from, to] = ["service", "kind", "start", "end"].map(|name| column(&header, name));
    lines
        .map(|line| Incident {
            service: line[service].to_owned(),
            kind: line[kind].to_owned(),
            from: nanos(line[from]),
            to: nanos(line[to]),
        })
        .collect()
}

fn batches(dir: &Path) -> BTreeMap<String, RecordBatch> {
    let mut builders: BTreeMap<String, BatchBuilder> = BTreeMap::new();
    let reader = BufReader::new(GzDecoder::new(File::open(dir.join("logs.ndjson.gz")).unwrap()));
    for line in reader.lines() {
        let line: Line = serde_json::from_str(&line.unwrap()).unwrap();
        let builder = builders.entry(line.service.clone()).or_default();
        builder.record().finish(FixedFields {
            service: &line.service,
            timestamp: Timestamp(nanos(&line.timestamp)),
            level: Level::Info,
            message: "",
            latency_ms: line.latency_ms,
            raw_bytes: 0,
        });
    }
    builders.into_iter().map(|(service, mut builder)| (service, builder.take())).collect()
}

fn median(batch: &RecordBatch) -> f64 {
    let mut latencies = batch.latency_ms.clone();
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() / 2]
}

fn tally(service: &str, batch: &RecordBatch, incidents: &[Incident], noise: &[Incident], tally: &mut Tally) {
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    let mut scores = RowScores::default();
    MovingAverage::default().score_batch(batch, &rows, &mut scores);
    let flagged: Vec<u32> = scores.anomalies.iter().map(|(row, _)| *row).collect();
    let median = median(batch);
    for row in rows.into_iter().filter(|row| scores.scores[*row as usize].is_some()) {
        let (time, latency) = (batch.timestamp[row as usize], batch.latency_ms[row as usize]);
        let covers = |incident: &&Incident| {
            incident.service == service && (incident.from..incident.to).contains(&time)
        };
        let is_flagged = usize::from(flagged.binary_search(&row).is_ok());
        match incidents.iter().chain(noise).find(covers) {
            Some(incident) if incident.kind == "latency_spike" => {
                tally.spike += 1;
                tally.spike_flagged += is_flagged;
            }
            Some(_) => {}
            None => {
                tally.ordinary += 1;
                tally.ordinary_flagged += is_flagged;
                if latency >= 8.0 * median {
                    tally.slow += 1;
                    tally.slow_flagged += is_flagged;
                }
            }
        }
    }
}

#[test]
fn slow_records_are_found_and_ordinary_ones_left_alone() {
    let Some(dir) = data_dir() else {
        println!("no generated services below INSIGHTHUB_SAMPLES or data/: nothing was measured");
        return;
    };
    let (incidents, noise) = (incidents(&dir, "incidents.csv"), incidents(&dir, "noise.csv"));
    let mut sum = Tally::default();
    for (service, batch) in &batches(&dir) {
        tally(service, batch, &incidents, &noise, &mut sum);
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let flag_rate = share(sum.ordinary_flagged, sum.ordinary);
    let slow_recall = share(sum.slow_flagged, sum.slow);
    println!("ordinary records: {}, flagged {:.3} %", sum.ordinary, 100.0 * flag_rate);
    println!("of them at least 8 times the median: {}, flagged {:.1} %", sum.slow, 100.0 * slow_recall);
    println!(
        "records in latency spikes: {}, flagged {:.1} %",
        sum.spike,
        100.0 * share(sum.spike_flagged, sum.spike)
    );
    assert!(flag_rate < 0.002, "{flag_rate}");
    assert!(slow_recall > 0.7, "{slow_recall}");
}
