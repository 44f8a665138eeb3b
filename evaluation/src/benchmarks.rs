//! Folders of labelled series and messages, one function each.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use insighthub_detect::series::SeriesDetector;
use insighthub_model::timestamp::NANOS_PER_SEC;

use crate::events::{Tally, runs};
use crate::grouping::{self, Accuracy};
use crate::logs::LogsError;
use crate::nab::Scorer;
use crate::series_csv::{self, Sample};

/// The scores of a series, one a value, and which are anomalies.
pub fn scored(samples: &[Sample]) -> (Vec<f64>, Vec<bool>) {
    let mut detector = SeriesDetector::default();
    let scores = samples.iter().map(|sample| detector.push(sample.time_secs, sample.value));
    scores.map(|score| (score.score, score.is_anomaly)).unzip()
}

/// The Numenta Anomaly Benchmark: `windows.json` and `data/<category>/<series>.csv`.
pub fn numenta(folder: &Path) -> Result<Scorer, LogsError> {
    let text = std::fs::read_to_string(folder.join("windows.json"))?;
    let windows: BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_str(&text).map_err(|error| LogsError::Io(error.into()))?;
    let mut scorer = Scorer::default();
    for (name, windows) in &windows {
        let samples = read(&folder.join("data").join(name))?;
        let row = |text: &String| {
            let secs = series_csv::moment(text)?.0.div_euclid(NANOS_PER_SEC);
            samples.iter().position(|sample| sample.time_secs == secs)
        };
        let rows =
            windows.iter().map(|(start, end)| Some((row(start)?, row(end)?))).collect::<Option<Vec<_>>>();
        let rows =
            rows.ok_or_else(|| io::Error::other(format!("{name}: a window is no row of the series")))?;
        scorer.add(&scored(&samples).0, &rows);
    }
    Ok(scorer)
}

/// Series with a label per row, in folders of `*.csv.gz`: alerts against runs of labels, and the number of rows.
pub fn labelled_series(folder: &Path) -> Result<(Tally, usize), LogsError> {
    let (mut tally, mut rows) = (Tally::default(), 0);
    for file in files(folder)? {
        let samples = read(&file)?;
        let (_, flags) = scored(&samples);
        let alerts: Vec<i64> =
            (0..).zip(flags).filter(|(_, is_anomaly)| *is_anomaly).map(|(row, _)| row).collect();
        tally.add(&runs(samples.iter().map(|sample| sample.is_labelled)), &alerts, 0);
        rows += samples.len();
    }
    Ok((tally, rows))
}

/// Grouping accuracy of each file of a folder, by name.
pub fn groupings(folder: &Path) -> Result<Vec<(String, Accuracy)>, LogsError> {
    let accuracy = |file: PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        grouping::accuracy(&file)
            .map(|accuracy| (name, accuracy))
            .map_err(|error| io::Error::other(error).into())
    };
    files(folder)?.into_iter().map(accuracy).collect()
}

fn read(path: &Path) -> Result<Vec<Sample>, LogsError> {
    series_csv::read(path).map_err(|error| LogsError::Io(io::Error::other(error)))
}

/// All `*.csv` and `*.csv.gz` below a folder, by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".csv") || name.ends_with(".csv.gz") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
