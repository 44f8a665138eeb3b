//! Equal steps of whole minutes over a range. Whole minutes are answered from aggregates, which costs minutes and not records.

use insighthub_model::Timestamp;

use crate::state::range::Span;

pub const MINUTE_MS: i64 = 60_000;
/// Records take so long at most, as a rule: the minute before that is not complete, and would look like a drop.
const SETTLE_MS: i64 = 15_000;

/// Lengths of a step, minutes. All divide a day, as stretches of the query language begin at midnight UTC.
const STEPS_MINUTES: [i64; 13] = [1, 2, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];

/// Whole steps from a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    pub start_ms: i64,
    pub step_ms: i64,
    pub steps: usize,
    /// What comes later is not asked for: the last step may be longer than what is known of it.
    pub known_ms: i64,
}

/// An answer, and the steps it is of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OfGrid<T> {
    pub grid: Grid,
    pub value: T,
}

impl Grid {
    /// The steps of a span, at most `steps_max`; the first holds its beginning. The minute that is not over at `now_ms` is left
    /// out.
    pub fn over(span: Span, now_ms: f64, steps_max: usize) -> Grid {
        let this_minute = floor(now_ms as i64 - SETTLE_MS, MINUTE_MS);
        let end_ms =
            ceil(span.to_ms, MINUTE_MS).min(this_minute).max(floor(span.from_ms, MINUTE_MS) + MINUTE_MS);
        let length_ms = end_ms - span.from_ms;
        let fits = |minutes: &i64| length_ms <= minutes * MINUTE_MS * steps_max.max(1) as i64;
        let step_ms = STEPS_MINUTES.into_iter().find(fits).unwrap_or_else(|| {
            // Longer than all: whole days.
            let days = length_ms / (steps_max.max(1) as i64 * 1_440 * MINUTE_MS) + 1;
            days * 1_440
        }) * MINUTE_MS;
        let start_ms = floor(span.from_ms, step_ms);
        let steps = (ceil(end_ms, step_ms) - start_ms).max(step_ms) / step_ms;
        Grid { start_ms, step_ms, steps: steps as usize, known_ms: end_ms }
    }

    /// Steps of this length that cover the last `minutes` whole minutes.
    pub fn last_minutes(now_ms: f64, minutes: usize) -> Grid {
        let end_ms = floor(now_ms as i64 - SETTLE_MS, MINUTE_MS);
        let start_ms = end_ms - minutes as i64 * MINUTE_MS;
        Grid { start_ms, step_ms: MINUTE_MS, steps: minutes, known_ms: end_ms }
    }

    pub fn end_ms(self) -> i64 {
        self.start_ms + self.step_ms * self.steps as i64
    }

    /// As long, so much earlier.
    pub fn earlier(self, by_ms: i64) -> Grid {
        Grid { start_ms: self.start_ms - by_ms, known_ms: self.known_ms - by_ms, ..self }
    }

    /// Seconds that were looked at in all.
    pub fn known_secs(self) -> f64 {
        (self.known_ms - self.start_ms).max(MINUTE_MS) as f64 / 1_000.0
    }

    /// How many minutes of a step were looked at.
    pub fn known_minutes(self, step: usize) -> f64 {
        let start_ms = self.start_ms + self.step_ms * step as i64;
        ((self.known_ms - start_ms).clamp(MINUTE_MS, self.step_ms.max(MINUTE_MS))) as f64 / MINUTE_MS as f64
    }

    /// The step a moment lies in.
    pub fn step_of(self, at_ms: i64) -> Option<usize> {
        let step = (at_ms - self.start_ms).div_euclid(self.step_ms.max(1));
        usize::try_from(step).ok().filter(|step| *step < self.steps)
    }

    /// First and last moment as a question to the node says them: the last nanosecond belongs to the last minute, so that no
    /// minute is cut.
    pub fn bounds(self) -> [(&'static str, String); 2] {
        let last = Timestamp(self.known_ms.saturating_mul(1_000_000) - 1);
        [("from", Timestamp::from_millis(self.start_ms).to_string()), ("to", last.to_string())]
    }

    /// As the query language writes the length of a step.
    pub fn bucket(self) -> String {
        format!("{}m", self.step_ms / MINUTE_MS)
    }
}

fn floor(at_ms: i64, step_ms: i64) -> i64 {
    at_ms.div_euclid(step_ms) * step_ms
}

fn ceil(at_ms: i64, step_ms: i64) -> i64 {
    floor(at_ms + step_ms - 1, step_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::range::Range;

    const NOW_MS: f64 = 1_767_261_630_500.0; // 2026-01-01T10:00:30.5Z

    fn over(secs: u64) -> Grid {
        Grid::over(Range::Last(secs).at(NOW_MS), NOW_MS, 90)
    }

    #[test]
    fn an_hour_is_minutes_up_to_the_last_that_is_over() {
        let grid = over(3_600);
        assert_eq!((grid.step_ms, grid.steps), (MINUTE_MS, 60));
        assert_eq!(
            grid.bounds(),
            [
                ("from", "2026-01-01T09:00:00.000Z".to_owned()),
                ("to", "2026-01-01T09:59:59.999999999Z".to_owned())
            ]
        );
    }

    #[test]
    fn steps_grow_with_the_range_and_never_exceed_the_bound() {
        for secs in [300, 900, 21_600, 86_400, 604_800, 30 * 86_400, 400 * 86_400] {
            let grid = over(secs);
            assert!(grid.steps >= 5 && grid.steps <= 91, "{secs} s: {grid:?}");
            assert_eq!(grid.start_ms % grid.step_ms, 0, "{secs} s: {grid:?}");
            assert!(grid.start_ms <= NOW_MS as i64 - secs as i64 * 1_000, "{secs} s: {grid:?}");
        }
        assert_eq!((over(21_600).bucket(), over(86_400).bucket()), ("5m".to_owned(), "30m".to_owned()));
    }

    #[test]
    fn a_step_that_is_not_over_counts_for_what_is_known_of_it() {
        let grid = over(21_600);
        assert_eq!((grid.step_ms, grid.end_ms() - grid.known_ms), (5 * MINUTE_MS, 0));
        let later = Grid { known_ms: grid.known_ms - 2 * MINUTE_MS, ..grid };
        assert_eq!((later.known_minutes(0), later.known_minutes(later.steps - 1)), (5.0, 3.0));
        assert_eq!(later.known_secs(), grid.known_secs() - 120.0);
    }

    #[test]
    fn a_range_shorter_than_a_minute_still_has_a_step() {
        let grid = Grid::over(Range::Last(5).at(NOW_MS), NOW_MS, 90);
        assert_eq!((grid.steps, grid.step_ms), (1, MINUTE_MS));
    }

    #[test]
    fn a_moment_is_found_in_its_step() {
        let grid = Grid::last_minutes(NOW_MS, 10);
        assert_eq!(grid.step_of(grid.start_ms), Some(0));
        assert_eq!(grid.step_of(grid.end_ms() - 1), Some(9));
        assert_eq!([grid.step_of(grid.end_ms()), grid.step_of(grid.start_ms - 1)], [None, None]);
        assert_eq!(grid.earlier(86_400_000).start_ms, grid.start_ms - 86_400_000);
    }
}
