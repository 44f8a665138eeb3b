//! What a chart of lines shows, and where its parts stand. Pure.

use std::rc::Rc;

use super::scale::{Scale, round_up};
use super::stacked_bars;
use crate::state::format;

/// There are as many colours for series.
pub const TONES: usize = 8;

/// What the values of a chart are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    #[default]
    Count,
    PerMinute,
    Milliseconds,
    /// 0 to 1.
    Share,
    /// 1 is the threshold of detection.
    Score,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub name: String,
    /// One for each step; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
    /// Its colour, counted from 0.
    pub tone: usize,
    /// Something to hold the others against, not a thing of its own.
    pub is_faint: bool,
}

/// What is usual, from least to most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    pub name: String,
    pub values: Vec<Option<(f64, f64)>>,
}

/// From this value on something is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub name: String,
    pub value: f64,
}

/// A stretch of time that stands out, as an incident does.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub from_ms: i64,
    pub to_ms: i64,
    pub name: String,
    /// Its colour, that of the series it belongs to.
    pub tone: usize,
    pub is_chosen: bool,
}

/// A chart of lines over equal steps of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub start_ms: i64,
    pub step_ms: i64,
    pub steps: usize,
    pub unit: Unit,
    pub series: Vec<Series>,
    pub band: Option<Band>,
    pub threshold: Option<Threshold>,
    pub marks: Vec<Mark>,
    /// Drawn as bars on top of each other: values that add up.
    pub is_stacked: bool,
}

/// Pixels of a chart, and of the room its axes take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    pub width: f64,
    pub height: f64,
}

impl Unit {
    /// With its unit, for reading.
    pub fn text(self, value: f64) -> String {
        match self {
            Unit::Count => format::short_count(value),
            Unit::PerMinute => format!("{} / min", format::short_count(round(value))),
            Unit::Milliseconds => format::duration_ms(value),
            Unit::Share => format::percent(value),
            Unit::Score => format!("{value:.2}"),
        }
    }

    /// At a mark of an axis.
    pub fn mark(self, value: f64) -> String {
        match self {
            Unit::Count | Unit::PerMinute => format::short_count(value),
            Unit::Milliseconds if value >= 60_000.0 => format!("{:.0} min", value / 60_000.0),
            Unit::Milliseconds if value >= 1_000.0 => format!("{} s", value / 1_000.0),
            Unit::Milliseconds => format!("{value} ms"),
            Unit::Share => format!("{} %", (value * 1e4).round() / 100.0),
            Unit::Score => format!("{value}"),
        }
    }

    /// Where a value stands on the axis. Scores reach from 0 to hundreds, and what counts is whether they reach 1: their axis
    /// is one of powers.
    pub fn place(self, value: f64) -> f64 {
        if self == Unit::Score { (1.0 + value.max(0.0)).log10() } else { value }
    }

    fn is_whole(self) -> bool {
        matches!(self, Unit::Count | Unit::PerMinute)
    }
}

/// Two places are enough to read, and keep what is rare from looking like nothing.
fn round(value: f64) -> f64 {
    if value.abs() < 10.0 { (value * 10.0).round() / 10.0 } else { value.round() }
}

impl Lines {
    pub fn end_ms(&self) -> i64 {
        self.start_ms + self.step_ms * self.steps as i64
    }

    /// First and last moment of the steps from one to another, in any order.
    pub fn stretch(&self, a: usize, b: usize) -> (i64, i64) {
        let edge = |step: usize| self.start_ms + self.step_ms * step as i64;
        (edge(a.min(b)), edge(a.max(b) + 1))
    }

    /// The axis of values ends here: a round number above all that is shown.
    pub fn top(&self, hidden: &[String]) -> f64 {
        let shown = self.series.iter().filter(|series| !hidden.contains(&series.name));
        if self.is_stacked {
            return round_up(stacked_bars::highest(shown));
        }
        let values = shown.flat_map(|series| series.values.iter().flatten().copied());
        let band = self.band.iter().filter(|band| !hidden.contains(&band.name));
        let bands = band.flat_map(|band| band.values.iter().flatten().map(|(_, most)| *most));
        let threshold = self.threshold.iter().map(|threshold| threshold.value * 1.15);
        let most = values.chain(bands).chain(threshold).filter(|value| value.is_finite()).fold(0.0, f64::max);
        round_up(most)
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.values.iter().all(Option::is_none))
    }

    /// The step at a place, from the left edge of the frame.
    pub fn step_at(&self, frame: Frame, px: f64) -> Option<usize> {
        (self.steps > 0).then(|| {
            let step = frame.across(self.steps).value(px).floor().max(0.0) as usize;
            step.min(self.steps - 1)
        })
    }
}

impl Frame {
    pub const LEFT: f64 = 54.0;
    pub const RIGHT: f64 = 10.0;
    pub const TOP: f64 = 8.0;
    pub const BOTTOM: f64 = 22.0;

    /// From steps to pixels; a step's own place is half a step further on.
    pub fn across(self, steps: usize) -> Scale {
        Scale { from: 0.0, to: steps as f64, px_from: Frame::LEFT, px_to: self.width - Frame::RIGHT }
    }

    pub fn time(self, from_ms: i64, to_ms: i64) -> Scale {
        Scale {
            from: from_ms as f64,
            to: to_ms as f64,
            px_from: Frame::LEFT,
            px_to: self.width - Frame::RIGHT,
        }
    }

    pub fn up(self, top: f64) -> Scale {
        Scale { from: 0.0, to: top, px_from: self.height - Frame::BOTTOM, px_to: Frame::TOP }
    }
}

/// Values at the marks of an axis that ends at `top`, a round number: 0, some between, and itself.
pub fn value_marks(top: f64, unit: Unit) -> Vec<f64> {
    if unit == Unit::Score {
        let powers = (0..6).flat_map(|power| [1.0, 3.0].map(|digit| digit * 10_f64.powi(power)));
        return std::iter::once(0.0).chain(powers).filter(|mark| *mark <= top).collect();
    }
    let digits = top / 10_f64.powf(top.log10().floor());
    let mut parts = if digits < 2.2 { 4.0 } else { 5.0 };
    // Of things that are counted there are no halves.
    if unit.is_whole() && top <= 5.0 {
        parts = top.round().max(1.0);
    }
    (0..=parts as usize)
        .map(|part| top * part as f64 / parts)
        .map(|value| (value * 1e6).round() / 1e6)
        .collect()
}

/// A line through the middle of each step, broken where a value is missing; one alone is a dot.
pub fn line_path(values: &[Option<f64>], across: Scale, up: Scale) -> String {
    let (mut text, mut is_down) = (String::new(), false);
    for (step, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            is_down = false;
            continue;
        };
        let (x, y) = (across.px(step as f64 + 0.5), up.px(value));
        let is_alone = !is_down && !matches!(values.get(step + 1), Some(Some(_)));
        text.push_str(&format!("{}{x:.1} {y:.1}", if is_down { "L" } else { "M" }));
        if is_alone {
            text.push_str("h0.01");
        }
        is_down = true;
    }
    text
}

/// An area from least to most, one piece for each run of known values.
pub fn band_path(values: &[Option<(f64, f64)>], across: Scale, up: Scale) -> String {
    let mut text = String::new();
    let mut run: Vec<(f64, f64, f64)> = Vec::new();
    for step in 0..=values.len() {
        match values.get(step).copied().flatten() {
            Some((least, most)) => run.push((across.px(step as f64 + 0.5), up.px(least), up.px(most))),
            None if run.len() > 1 => {
                let above = run.iter().map(|(x, _, most)| format!("{x:.1} {most:.1}"));
                let below = run.iter().rev().map(|(x, least, _)| format!("{x:.1} {least:.1}"));
                text.push_str(&format!("M{}Z", above.chain(below).collect::<Vec<_>>().join("L")));
                run.clear();
            }
            None => run.clear(),
        }
    }
    text
}

/// Least, most and last of a series, and the step of the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    pub least: f64,
    pub most: f64,
    pub most_step: usize,
    pub last: f64,
}

pub fn extremes(values: &[Option<f64>]) -> Option<Extremes> {
    let mut found: Option<Extremes> = None;
    for (step, value) in values.iter().enumerate().filter_map(|(step, value)| Some((step, (*value)?))) {
        let known = found.get_or_insert(Extremes { least: value, most: value, most_step: step, last: value });
        known.last = value;
        known.least = known.least.min(value);
        if value > known.most {
            (known.most, known.most_step) = (value, step);
        }
    }
    found
}

/// Where the reader points at, and from where on they drag; on one axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: Option<usize>,
    pub anchor: Option<usize>,
}

impl Cursor {
    /// One step back or on, at the end of an axis of so many steps where there was none; `extends` keeps the other end.
    pub fn stepped(self, by: isize, steps: usize, extends: bool) -> Cursor {
        let last = steps.saturating_sub(1);
        let at = self.at.map_or(last, |at| at.saturating_add_signed(by).min(last));
        let anchor = if extends { self.anchor.or(self.at) } else { None };
        Cursor { at: Some(at), anchor }
    }

    /// From the one end to the other, the lesser first.
    pub fn chosen(self) -> Option<(usize, usize)> {
        let at = self.at?;
        let other = self.anchor.unwrap_or(at);
        Some((at.min(other), at.max(other)))
    }
}

/// Lines are large and are drawn again only when they are others.
pub type SharedLines = Rc<Lines>;

#[cfg(test)]
mod tests {
    use super::*;

    const ACROSS: Scale = Scale { from: 0.0, to: 4.0, px_from: 0.0, px_to: 40.0 };
    const UP: Scale = Scale { from: 0.0, to: 10.0, px_from: 100.0, px_to: 0.0 };

    fn lines() -> Lines {
        let values = vec![Some(3.0), None, Some(8.0), Some(1.0)];
        let series = vec![Series { name: "a".to_owned(), values, ..Series::default() }];
        Lines { start_ms: 60_000, step_ms: 60_000, steps: 4, series, ..Lines::default() }
    }

    #[test]
    fn a_gap_stays_a_gap_and_a_value_alone_is_seen() {
        assert_eq!(
            line_path(&[Some(0.0), None, Some(10.0), Some(5.0)], ACROSS, UP),
            "M5.0 100.0h0.01M25.0 0.0L35.0 50.0"
        );
        assert_eq!(line_path(&[Some(f64::NAN), None], ACROSS, UP), "");
    }

    #[test]
    fn a_band_is_closed_around_each_run() {
        let values = [Some((1.0, 2.0)), Some((2.0, 4.0)), None, Some((5.0, 6.0))];
        assert_eq!(band_path(&values, ACROSS, UP), "M5.0 80.0L15.0 60.0L15.0 80.0L5.0 90.0Z");
    }

    #[test]
    fn what_is_hidden_does_not_stretch_the_axis() {
        let mut lines = lines();
        lines.series.push(Series {
            name: "b".to_owned(),
            values: vec![Some(900.0)],
            tone: 1,
            is_faint: false,
        });
        assert_eq!(lines.top(&[]), 1_000.0);
        assert_eq!(lines.top(&["b".to_owned()]), 10.0);
        lines.threshold = Some(Threshold { name: "limit".to_owned(), value: 20.0 });
        assert_eq!(lines.top(&["b".to_owned()]), 25.0);
    }

    #[test]
    fn steps_and_places_belong_together() {
        let (lines, frame) = (lines(), Frame { width: Frame::LEFT + Frame::RIGHT + 40.0, height: 100.0 });
        assert_eq!(lines.step_at(frame, Frame::LEFT + 15.0), Some(1));
        assert_eq!(lines.step_at(frame, 0.0), Some(0));
        assert_eq!(lines.step_at(frame, 900.0), Some(3));
        assert_eq!(Lines::default().step_at(frame, 60.0), None);
        assert_eq!(lines.stretch(2, 1), (120_000, 240_000));
        assert_eq!(lines.end_ms(), 300_000);
    }

    #[test]
    fn marks_of_an_axis_are_round_and_counted_things_are_whole() {
        assert_eq!(value_marks(2.0, Unit::Share), [0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(value_marks(2.0, Unit::Count), [0.0, 1.0, 2.0]);
        assert_eq!(value_marks(500.0, Unit::Milliseconds), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(value_marks(2.5, Unit::Milliseconds), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(value_marks(50.0, Unit::Score), [0.0, 1.0, 3.0, 10.0, 30.0]);
        assert_eq!(value_marks(25.0, Unit::Count), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
    }

    #[test]
    fn a_series_is_told_by_its_extremes() {
        let found = extremes(&[None, Some(3.0), Some(9.0), Some(1.0), None]);
        assert_eq!(found, Some(Extremes { least: 1.0, most: 9.0, most_step: 2, last: 1.0 }));
        assert_eq!(extremes(&[None]), None);
    }

    #[test]
    fn a_cursor_walks_within_the_axis_and_drags_along() {
        let at_end = Cursor::default().stepped(-1, 4, false);
        assert_eq!(at_end.chosen(), Some((3, 3)));
        let back = at_end.stepped(-1, 4, true).stepped(-1, 4, true);
        assert_eq!(back.chosen(), Some((1, 3)));
        assert_eq!(back.stepped(5, 4, false).chosen(), Some((3, 3)));
        assert_eq!(Cursor::default().chosen(), None);
    }

    #[test]
    fn the_alarm_is_seen_below_the_highest_score() {
        let (place, top) = (Unit::Score.place(1.0), Unit::Score.place(100.0));
        assert!(place / top > 0.1, "{place} of {top}");
        assert_eq!(Unit::Milliseconds.place(7.0), 7.0);
    }

    #[test]
    fn values_carry_their_units() {
        assert_eq!(Unit::Milliseconds.text(1_320.0), "1.32 s");
        assert_eq!(Unit::PerMinute.text(3.12), "3.1 / min");
        assert_eq!(Unit::Share.mark(0.025), "2.5 %");
        assert_eq!(Unit::Milliseconds.mark(2_500.0), "2.5 s");
    }
}
