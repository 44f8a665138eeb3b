//! Sessions with labels (the HDFS format): lines of `{"set", "label", "events"}`; those of the set `train` are normal
//! and learned, the others scored.

use std::io::{self, BufRead};
use std::path::Path;

use insighthub_detect::session::SessionDetector;
use serde::Deserialize;

use crate::logs::LogsError;
use crate::series_csv::lines;

#[derive(Deserialize)]
struct Session {
    set: String,
    label: u8,
    events: Vec<u32>,
}

/// Right and wrong flags, and anomalies missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub true_positives: usize,
    pub false_positives: usize,
    pub missed: usize,
}

impl Outcome {
    pub fn f1(self) -> f64 {
        let right = 2.0 * self.true_positives as f64;
        let all = right + (self.false_positives + self.missed) as f64;
        if all > 0.0 { right / all } else { 0.0 }
    }
}

/// Learns and scores a file.
pub fn evaluate(path: &Path) -> Result<Outcome, LogsError> {
    let file = lines(path).map_err(|error| LogsError::Io(io::Error::other(error)))?;
    let mut detector = SessionDetector::default();
    let mut tests = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        let session: Session = serde_json::from_str(&line?)
            .map_err(|error| LogsError::Record { line: number, error: error.to_string() })?;
        if session.set == "train" { detector.learn(&session.events) } else { tests.push(session) }
    }
    let mut outcome = Outcome::default();
    for session in tests {
        match (detector.score(&session.events).is_anomaly, session.label == 1) {
            (true, true) => outcome.true_positives += 1,
            (true, false) => outcome.false_positives += 1,
            (false, true) => outcome.missed += 1,
            (false, false) => {}
        }
    }
    Ok(outcome)
}
