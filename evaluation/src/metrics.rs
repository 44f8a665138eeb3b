//! Servers with many metrics (the ASD format): is the metric that is named first one of those that were wrong?
//!
//! `<name>_train.csv.gz` and `<name>_test.csv.gz` hold one row per 5 minutes, `<name>_metrics.txt` lines of
//! `start-end:metric,metric`, rows and metrics counted from 1.

use std::io::{self, BufRead};
use std::path::Path;

use insighthub_detect::series::MetricsDetector;

use crate::logs::LogsError;
use crate::series_csv::lines;

const STEP_SECS: i64 = 300;

/// Events, and those whose first-named metric was one of the wrong ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RootMetric {
    pub events: usize,
    pub named: usize,
}

/// Learns a server's training rows, then names a metric for each event of its test rows.
pub fn evaluate(folder: &Path, name: &str) -> Result<RootMetric, LogsError> {
    let train = rows(&folder.join(format!("{name}_train.csv.gz")))?;
    let test = rows(&folder.join(format!("{name}_test.csv.gz")))?;
    let events = events(&folder.join(format!("{name}_metrics.txt")))?;
    let metrics = train.first().map_or(0, Vec::len);
    let mut detector = MetricsDetector::new(metrics);
    for (row, values) in (0..).zip(&train) {
        detector.push(row * STEP_SECS, values);
    }
    let mut outcome = RootMetric { events: events.len(), named: 0 };
    let mut odd: Vec<Vec<f64>> = vec![vec![0.0; metrics]; events.len()];
    for (row, values) in (0..).zip(&test) {
        detector.push((train.len() as i64 + row) * STEP_SECS, values);
        for ((start, end, _), odd) in events.iter().zip(&mut odd) {
            if (*start..=*end).contains(&(row + 1)) {
                odd.iter_mut().zip(detector.lately()).for_each(|(sum, lately)| *sum += lately);
            }
        }
    }
    for ((_, _, wrong), odd) in events.iter().zip(&odd) {
        let first = (0..metrics).max_by(|a, b| {
            let of = |metric: &usize| odd.get(*metric).copied().unwrap_or(0.0);
            of(a).total_cmp(&of(b))
        });
        outcome.named += usize::from(first.is_some_and(|metric| wrong.contains(&(metric + 1))));
    }
    Ok(outcome)
}

fn rows(path: &Path) -> Result<Vec<Vec<f64>>, LogsError> {
    let file = lines(path).map_err(|error| LogsError::Io(io::Error::other(error)))?;
    let mut rows = Vec::new();
    for line in file.lines() {
        rows.push(line?.split(',').map(|value| value.trim().parse().unwrap_or(f64::NAN)).collect());
    }
    Ok(rows)
}

type Wrong = (i64, i64, Vec<usize>);

fn events(path: &Path) -> Result<Vec<Wrong>, LogsError> {
    let text = std::fs::read_to_string(path)?;
    let parse = |line: &str| -> Option<Wrong> {
        let (range, metrics) = line.trim().split_once(':')?;
        let (start, end) = range.split_once('-')?;
        let metrics =
            metrics.split(',').map(|metric| metric.trim().parse().ok()).collect::<Option<Vec<_>>>()?;
        Some((start.parse().ok()?, end.parse().ok()?, metrics))
    };
    let mut events = Vec::new();
    for (line, text) in (1..).zip(text.lines().filter(|line| !line.trim().is_empty())) {
        let error = || LogsError::Record { line, error: format!("`{text}` is no start-end:metrics") };
        events.push(parse(text).ok_or_else(error)?);
    }
    Ok(events)
}
