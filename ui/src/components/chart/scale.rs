//! From values to places and back, and where the marks of an axis stand. Pure.

/// A stretch of values drawn over a stretch of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub from: f64,
    pub to: f64,
    pub px_from: f64,
    pub px_to: f64,
}

impl Scale {
    pub fn px(self, value: f64) -> f64 {
        let length = self.to - self.from;
        if length == 0.0 {
            return self.px_from;
        }
        self.px_from + (value - self.from) / length * (self.px_to - self.px_from)
    }

    /// The value at a place, within the stretch.
    pub fn value(self, px: f64) -> f64 {
        let length = self.px_to - self.px_from;
        if length == 0.0 {
            return self.from;
        }
        let share = ((px - self.px_from) / length).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }
}

/// The smallest round number (1, 2, 2.5 or 5 times a power of ten) that is no less: where an axis of values ends.
pub fn round_up(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let rounded = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|round| *round >= value * 0.999_999);
    rounded.unwrap_or(value)
}

/// Lengths between marks of a time axis, seconds.
const TIME_STEPS_SECS: [i64; 19] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
];

/// At most `count` moments of a round local time within the span, milliseconds since 1970.
pub fn time_marks(from_ms: i64, to_ms: i64, offset_ms: i64, count: usize) -> Vec<i64> {
    let length_secs = (to_ms - from_ms) / 1_000;
    let count = count.max(1) as i64;
    let step = TIME_STEPS_SECS.into_iter().find(|step| length_secs / step < count);
    let step_ms = step.unwrap_or_else(|| (length_secs / count / 604_800 + 1) * 604_800) * 1_000;
    let first = (from_ms + offset_ms).div_euclid(step_ms) * step_ms - offset_ms;
    let marks = (0..=count + 1).map(|number| first + number * step_ms);
    marks.filter(|mark| (from_ms..=to_ms).contains(mark)).collect()
}

/// What stands at a mark: the time of day, or the day where the marks are days or the day begins.
pub fn time_label(at_ms: i64, offset_ms: i64, span_ms: i64) -> String {
    use crate::state::format::{Precision, day_and_time};
    let precision = if span_ms <= 300_000 { Precision::Second } else { Precision::Minute };
    let (day, time) = day_and_time(at_ms, offset_ms, precision);
    if time.starts_with("00:00") && span_ms > 43_200_000 { day } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values_belong_together() {
        let scale = Scale { from: 10.0, to: 20.0, px_from: 100.0, px_to: 0.0 };
        assert_eq!(scale.px(15.0), 50.0);
        assert_eq!(scale.value(25.0), 17.5);
        assert_eq!((scale.value(-9.0), scale.value(900.0)), (20.0, 10.0));
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        assert_eq!([0.0, 0.7, 1.0, 3.0, 21.0, 260.0].map(round_up), [1.0, 1.0, 1.0, 5.0, 25.0, 500.0]);
    }

    #[test]
    fn marks_are_round_where_the_reader_is() {
        let hour = 3_600_000;
        let marks = time_marks(10, 6 * hour, 0, 8);
        assert_eq!(marks, [1, 2, 3, 4, 5, 6].map(|number| number * hour));
        let days = time_marks(0, 10 * 24 * hour, 2 * hour, 12);
        assert!(days.len() >= 9 && days.iter().all(|day| (day + 2 * hour) % (24 * hour) == 0), "{days:?}");
        assert!(time_marks(0, 400 * 24 * hour, 0, 8).len() <= 8);
    }
}
