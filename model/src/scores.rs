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
    /// Hashes by which the detector knows the messages again, so that the node that scored them need not read them a
    /// second time; 0 where there is none. They follow from the messages alone: they are neither stored nor sent.
    #[serde(skip)]
    pub message_hashes: Vec<u64>,
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
        Scores { anomaly_score: scored.collect(), anomalies: anomalies.collect(), ..Scores::default() }
    }

    /// The scores of batches one after another, each with its number of rows.
    pub fn joined<'a>(parts: impl Iterator<Item = (&'a Scores, usize)> + Clone) -> Scores {
        let mut joined = Scores::default();
        if parts.clone().any(|(scores, _)| !scores.anomaly_score.is_empty()) {
            joined.anomaly_score.reserve_exact(parts.clone().map(|(_, rows)| rows).sum());
        }
        if parts.clone().any(|(scores, _)| !scores.message_hashes.is_empty()) {
            joined.message_hashes.reserve_exact(parts.clone().map(|(_, rows)| rows).sum());
        }
        let mut first_row = 0;
        for (scores, rows) in parts {
            if joined.anomaly_score.capacity() > 0 {
                joined.anomaly_score.extend(scores.anomaly_score.iter().take(rows));
                // Not scored, or only in part.
                joined.anomaly_score.resize(first_row + rows, f32::NAN);
            }
            if joined.message_hashes.capacity() > 0 {
                joined.message_hashes.extend(scores.message_hashes.iter().take(rows));
                joined.message_hashes.resize(first_row + rows, 0);
            }
            let anomalies = scores.anomalies.iter();
            joined.anomalies.extend(anomalies.map(|(row, reason)| (first_row as u32 + row, reason.clone())));
            first_row += rows;
        }
        joined
    }

    /// The reason if the row is an anomaly.
    pub fn reason(&self, row: usize) -> Option<&str> {
        let row = u32::try_from(row).ok()?;
        let at = self.anomalies.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        self.anomalies.get(at).map(|(_, reason)| reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_scores_stay_with_their_rows() {
        let scored = Scores {
            anomaly_score: vec![1.0, 2.0],
            anomalies: vec![(1, "slow".into())],
            message_hashes: vec![7, 9],
        };
        let unscored = Scores { anomalies: vec![(0, "odd".into())], ..Scores::default() };
        let joined = Scores::joined([(&unscored, 3), (&scored, 2), (&unscored, 1)].into_iter());
        let score = |row| joined.score(row);
        assert_eq!([0, 1, 2, 3, 4, 5].map(score), [None, None, None, Some(1.0), Some(2.0), None]);
        assert_eq!(joined.message_hashes, [0, 0, 0, 7, 9, 0]);
        assert_eq!(joined.anomalies, [(0, "odd".into()), (4, "slow".into()), (5, "odd".into())]);
        assert_eq!(Scores::joined([(&unscored, 3)].into_iter()), unscored);
    }
}
