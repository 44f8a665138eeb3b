//! Series as files: `timestamp,value` with an optional label, plain or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

/// One value of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// As the file spells it.
    pub text: String,
    /// Seconds since 1970.
    pub time_secs: i64,
    /// NaN where the file has none.
    pub value: f64,
    pub is_labelled: bool,
}

/// A file that is no series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    #[error("{path}: {error}")]
    File { path: String, error: io::Error },
    #[error("{path}:{line}: a line is timestamp,value; this is `{text}`")]
    Line { path: String, line: usize, text: String },
}

/// The lines of a file, inflated where its name ends in `.gz`.
pub fn lines(path: &Path) -> Result<Box<dyn BufRead>, SeriesError> {
    let file =
        File::open(path).map_err(|error| SeriesError::File { path: path.display().to_string(), error })?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if is_packed {
        Box::new(BufReader::new(GzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    })
}

/// Reads a series. The header line is passed over; an empty value is NaN.
pub fn read(path: &Path) -> Result<Vec<Sample>, SeriesError> {
    let name = || path.display().to_string();
    let mut samples = Vec::new();
    for (at, line) in lines(path)?.lines().enumerate() {
        let line = line.map_err(|error| SeriesError::File { path: name(), error })?;
        if line.trim().is_empty() {
            continue;
        }
        match sample(&line) {
            Some(sample) => samples.push(sample),
            None if at == 0 => {}
            None => return Err(SeriesError::Line { path: name(), line: at + 1, text: line }),
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Sample> {
    // Some exports quote each value; none of ours holds a comma.
    let mut parts = line.split(',').map(|part| part.trim().trim_matches('"'));
    let text = parts.next()?;
    let time_secs = moment(text)?.0.div_euclid(NANOS_PER_SEC);
    let value = match parts.next()? {
        "" => f64::NAN,
        value => value.replace(',', "").parse().ok()?,
    };
    let is_labelled = parts.next().is_some_and(|label| label == "1");
    Some(Sample { text: text.to_owned(), time_secs, value, is_labelled })
}

/// A timestamp, or the `YYYY-MM-DD HH:MM:SS` in UTC that benchmarks use.
pub fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{}Z", text.replacen(' ', "T", 1)))).ok()
}
