//! The Numenta Anomaly Benchmark's scorer (Lavin and Ahmad 2015), as published: sigmoid credit for early
//! detections inside a window, cost for those outside, three application profiles, one threshold for all series.

/// Weights of one application profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    pub name: &'static str,
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
}

/// The profiles of the benchmark's `config/profiles.json`.
pub const PROFILES: [Profile; 3] = [
    Profile { name: "standard", true_positive: 1.0, false_positive: 0.11, false_negative: 1.0 },
    Profile { name: "low false positives", true_positive: 1.0, false_positive: 0.22, false_negative: 1.0 },
    Profile { name: "low false negatives", true_positive: 1.0, false_positive: 0.11, false_negative: 2.0 },
];

/// Share and most rows of a series that are for learning only.
const PROBATION_SHARE: f64 = 0.15;
const PROBATION_ROWS_OF: usize = 5_000;
/// Relative distance behind a window from which a false alarm costs the full weight.
const FAR_BEHIND: f64 = 3.0;

/// What one row is worth when it is above the threshold.
#[derive(Debug, Clone, Copy)]
struct Point {
    score: f64,
    /// Credit in a window, cost (negative) outside, before a profile's weight.
    value: f64,
    /// Number of the window, over all series.
    window: Option<usize>,
}

/// Collects scored series, then answers for any profile and threshold.
#[derive(Debug, Default)]
pub struct Scorer {
    points: Vec<Point>,
    windows: usize,
    is_sorted: bool,
}

/// The outcome at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// 0 is a detector that says nothing, 100 one that is right at once and never wrong.
    pub score: f64,
    pub threshold: f64,
    pub windows_found: usize,
    pub false_positives: usize,
}

fn scaled_sigmoid(position: f64) -> f64 {
    if position >= FAR_BEHIND { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

/// Rows at the start that are not scored.
pub fn probation_rows(rows: usize) -> usize {
    (PROBATION_SHARE * rows.min(PROBATION_ROWS_OF) as f64).floor() as usize
}

impl Scorer {
    /// Adds a series: one score a row and the windows as first and last row, in order.
    pub fn add(&mut self, scores: &[f64], windows: &[(usize, usize)]) {
        let probation = probation_rows(scores.len());
        let best = scaled_sigmoid(-1.0);
        let mut last: Option<(usize, usize)> = None;
        for (row, score) in scores.iter().enumerate() {
            let inside = windows.iter().position(|(first, last)| (*first..=*last).contains(&row));
            let value = match inside.and_then(|at| windows.get(at)) {
                Some((first, end)) => {
                    scaled_sigmoid(-((end - row + 1) as f64) / (end - first + 1) as f64) / best
                }
                None => last.map_or(-1.0, |(first, end)| {
                    scaled_sigmoid((row - end) as f64 / (end - first).max(1) as f64)
                }),
            };
            if row >= probation {
                let window = inside.map(|at| self.windows + at);
                self.points.push(Point { score: *score, value, window });
            }
            if let Some(at) = inside
                && windows.get(at).is_some_and(|(_, end)| *end == row)
            {
                last = windows.get(at).copied();
            }
        }
        self.windows += windows.len();
        self.is_sorted = false;
    }

    /// The best outcome over all thresholds.
    pub fn optimised(&mut self, profile: Profile) -> Outcome {
        let mut best: Option<Outcome> = None;
        self.sweep(profile, |outcome| {
            if best.is_none_or(|best| outcome.score > best.score) {
                best = Some(outcome);
            }
            true
        });
        best.unwrap_or(Outcome { score: 0.0, threshold: f64::INFINITY, windows_found: 0, false_positives: 0 })
    }

    /// The outcome where a row is a detection from `threshold` on.
    pub fn at(&mut self, profile: Profile, threshold: f64) -> Outcome {
        let mut last = Outcome { score: 0.0, threshold, windows_found: 0, false_positives: 0 };
        self.sweep(profile, |outcome| {
            let is_above = outcome.threshold >= threshold;
            if is_above {
                last = Outcome { threshold, ..outcome };
            }
            is_above
        });
        last
    }

    /// Visits the outcome of every distinct threshold, highest first, until told to stop.
    fn sweep(&mut self, profile: Profile, mut visit: impl FnMut(Outcome) -> bool) {
        if !self.is_sorted {
            self.points.sort_by(|a, b| b.score.total_cmp(&a.score));
            self.is_sorted = true;
        }
        let mut parts: Vec<Option<f64>> = vec![None; self.windows];
        let nothing = -profile.false_negative * self.windows as f64;
        let perfect = profile.true_positive * self.windows as f64;
        let (mut total, mut windows_found, mut false_positives) = (nothing, 0, 0);
        for (at, point) in self.points.iter().enumerate() {
            match point.window.and_then(|window| parts.get_mut(window)) {
                Some(part) => {
                    let value = point.value * profile.true_positive;
                    windows_found += usize::from(part.is_none());
                    let before = part.unwrap_or(-profile.false_negative);
                    total += value.max(before) - before;
                    *part = Some(value.max(before));
                }
                None => {
                    total += point.value * profile.false_positive;
                    false_positives += 1;
                }
            }
            if self.points.get(at + 1).is_none_or(|next| next.score < point.score) {
                let score = 100.0 * (total - nothing) / (perfect - nothing);
                let outcome = Outcome { score, threshold: point.score, windows_found, false_positives };
                if !visit(outcome) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(alarms: &[usize]) -> Scorer {
        let mut scores = vec![0.0; 1_000];
        alarms.iter().for_each(|row| scores[*row] = 1.0);
        let mut scorer = Scorer::default();
        scorer.add(&scores, &[(400, 499), (700, 799)]);
        scorer
    }

    #[test]
    fn a_detector_that_is_right_at_once_has_100_and_a_silent_one_0() {
        assert!((scored(&[400, 700]).at(PROFILES[0], 0.5).score - 100.0).abs() < 1e-9);
        assert_eq!(scored(&[]).at(PROFILES[0], 0.5).score, 0.0);
        assert_eq!(scored(&[10, 100]).at(PROFILES[0], 0.5).score, 0.0, "probation is not scored");
    }

    #[test]
    fn late_and_false_alarms_cost_what_the_profile_says() {
        let early = scored(&[410, 700]).at(PROFILES[0], 0.5);
        let late = scored(&[490, 700]).at(PROFILES[0], 0.5);
        assert!(early.score > late.score && late.score > 75.0, "{early:?} {late:?}");
        let wrong = scored(&[200, 400, 700]);
        let [standard, strict, _] = PROFILES;
        let mut wrong = wrong;
        assert!((wrong.at(standard, 0.5).score - (100.0 - 100.0 * 0.11 / 4.0)).abs() < 1e-9);
        assert!((wrong.at(strict, 0.5).score - (100.0 - 100.0 * 0.22 / 4.0)).abs() < 1e-9);
        assert_eq!(wrong.at(standard, 0.5).false_positives, 1);
    }

    #[test]
    fn the_best_threshold_is_found() {
        let mut scores = vec![0.0; 1_000];
        (scores[200], scores[300], scores[400], scores[700]) = (0.3, 0.4, 0.5, 0.9);
        let mut scorer = Scorer::default();
        scorer.add(&scores, &[(400, 499), (700, 799)]);
        let best = scorer.optimised(PROFILES[0]);
        assert_eq!((best.threshold, best.windows_found, best.false_positives), (0.5, 2, 0));
    }
}
