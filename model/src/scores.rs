//! What the detector says of the records of one batch, kept beside the batch so that the batch's
//! bytes are never rewritten.

use serde::{Deserialize, Serialize};

/// Scores of one batch, row by row. Empty vectors mean "not scored".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// 0 to 100; NaN where the scorer had nothing to say or did not answer.
    pub anomaly_score: Vec<f32>,
    /// Rows that are anomalies, ascending, each with a short reason.
    pub anomalies: Vec<(u32, String)>,
}

impl Scores {
    pub fn score(&self, row: usize) -> Option<f32> {
        self.anomaly_score.get(row).copied().filter(|score| !score.is_nan())
    }

    /// The scores of the given rows, which ascend.
    pub fn select(&self, rows: &[u32]) -> Scores {
        let scored = rows.iter().filter_map(|row| self.anomaly_score.get(*row as usize).copied());
        let anomalies = (0u32..).zip(rows).filter_map(|(place, row)| {
            let reason = self.reason(*row as usize)?;
            Some((place, reason.to_owned()))
        });
        Scores { anomaly_score: scored.collect(), anomalies: anomalies.collect() }
    }

    /// The reason if the row is an anomaly.
    pub fn reason(&self, row: usize) -> Option<&str> {
        let row = u32::try_from(row).ok()?;
        let at = self.anomalies.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        self.anomalies.get(at).map(|(_, reason)| reason.as_str())
    }
}
