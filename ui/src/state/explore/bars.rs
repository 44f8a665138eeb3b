//! Counts over time as bars, beside those of the period before.

use insighthub_model::query::{Bars as Lengths, TimeSpan};
use insighthub_model::{Level, Timestamp};

use crate::api::explore::Histogram;
use crate::state::range::Span;

pub const LEVELS: usize = Level::ALL.len();

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    pub start_ms: i64,
    /// By level, the least severe first.
    pub levels: [u64; LEVELS],
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    pub bars: Vec<Bar>,
    pub bar_ms: i64,
    /// Starts and counts of the period before, moved to where this one is; empty: not asked.
    pub before: Vec<(i64, u64)>,
}

/// The shortest round length that needs no more than so many bars.
pub fn bar_length(span: Span, bars_max: usize) -> TimeSpan {
    let (from, to) = (Timestamp::from_millis(span.from_ms), Timestamp::from_millis(span.to_ms));
    Lengths::at_most(bars_max, from, to).length
}

impl Bar {
    pub fn count(&self) -> u64 {
        self.levels.iter().sum()
    }
}

impl Bars {
    /// `shift_ms`: how far the period before lies back.
    pub fn of(histogram: &Histogram, before: Option<&Histogram>, shift_ms: i64) -> Bars {
        let bars = histogram.buckets.iter().map(|bucket| {
            let mut levels = [0; LEVELS];
            for (level, count) in Level::ALL.iter().zip(&mut levels) {
                *count = bucket.levels.get(level).copied().unwrap_or(0);
            }
            Bar { start_ms: bucket.start.millis(), levels }
        });
        let moved = |histogram: &Histogram| {
            histogram.buckets.iter().map(|bucket| (bucket.start.millis() + shift_ms, bucket.count)).collect()
        };
        Bars {
            bars: bars.collect(),
            bar_ms: i64::try_from(histogram.bucket_ms).unwrap_or(i64::MAX),
            before: before.map(moved).unwrap_or_default(),
        }
    }

    pub fn total(&self) -> u64 {
        self.bars.iter().map(Bar::count).sum()
    }

    pub fn total_before(&self) -> u64 {
        self.before.iter().map(|(_, count)| count).sum()
    }

    pub fn level_totals(&self) -> [u64; LEVELS] {
        self.bars.iter().fold([0; LEVELS], |mut totals, bar| {
            for (total, count) in totals.iter_mut().zip(bar.levels) {
                *total += count;
            }
            totals
        })
    }

    /// The highest bar of either period.
    pub fn most(&self) -> u64 {
        let now = self.bars.iter().map(Bar::count).max().unwrap_or(0);
        now.max(self.before.iter().map(|(_, count)| *count).max().unwrap_or(0))
    }

    /// What the bars from one to another cover, within the span.
    pub fn range(&self, from: usize, to: usize, span: Span) -> Option<Span> {
        let first = self.bars.get(from.min(to))?.start_ms;
        let last = self.bars.get(from.max(to))?.start_ms;
        let (from_ms, to_ms) = (first.max(span.from_ms), (last + self.bar_ms).min(span.to_ms));
        (from_ms < to_ms).then_some(Span { from_ms, to_ms })
    }

    /// The bar that a moment lies in.
    pub fn at(&self, at_ms: i64) -> Option<usize> {
        let first = self.bars.first()?.start_ms;
        let place = (at_ms - first).div_euclid(self.bar_ms.max(1));
        usize::try_from(place).ok().map(|place| place.min(self.bars.len() - 1)).or(Some(0))
    }

    /// The count of the period before in the stretch of a bar.
    pub fn before_at(&self, start_ms: i64) -> Option<u64> {
        let middle = start_ms + self.bar_ms / 2;
        let holds = |(start, _): &&(i64, u64)| (*start..*start + self.bar_ms).contains(&middle);
        self.before.iter().find(holds).map(|(_, count)| *count)
    }
}

/// How much more or less in words: `+12 %`, `-40 %`, `as before`.
pub fn change(now: u64, before: u64) -> String {
    if now == before {
        return "as many as before".to_owned();
    }
    if before == 0 {
        return "none before".to_owned();
    }
    let share = now as f64 / before as f64;
    if share >= 10.0 {
        return format!("{share:.0} times as many as before");
    }
    let percent = (share - 1.0) * 100.0;
    let sign = if percent > 0.0 { "+" } else { "−" };
    let digits = usize::from(percent.abs() < 10.0);
    format!("{sign}{:.digits$} % against the period before", percent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(starts: &[i64]) -> Histogram {
        let buckets: Vec<String> = starts
            .iter()
            .map(|start| {
                let start = Timestamp::from_millis(*start);
                format!(r#"{{"start":"{start}","count":5,"levels":{{"INFO":3,"ERROR":2}}}}"#)
            })
            .collect();
        let text = format!(
            r#"{{"range":null,"bucket":"1m","bucket_ms":60000,"buckets":[{}],"coverage":{{}},"stats":{{}}}}"#,
            buckets.join(",")
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn bars_stack_levels_and_know_the_period_before() {
        let bars = Bars::of(&histogram(&[60_000, 120_000]), Some(&histogram(&[0])), 60_000);
        assert_eq!((bars.total(), bars.total_before(), bars.most()), (10, 5, 5));
        assert_eq!(bars.level_totals(), [0, 0, 6, 0, 4, 0]);
        assert_eq!((bars.before_at(60_000), bars.before_at(120_000)), (Some(5), None));
    }

    #[test]
    fn a_drag_over_bars_is_a_stretch_of_time_within_the_span() {
        let bars = Bars::of(&histogram(&[60_000, 120_000, 180_000]), None, 0);
        let span = Span { from_ms: 70_000, to_ms: 200_000 };
        assert_eq!(bars.range(1, 0, span), Some(Span { from_ms: 70_000, to_ms: 180_000 }));
        assert_eq!(bars.range(2, 2, span), Some(Span { from_ms: 180_000, to_ms: 200_000 }));
        assert_eq!(bars.range(0, 7, span), None);
        assert_eq!((bars.at(0), bars.at(125_000), bars.at(900_000)), (Some(0), Some(1), Some(2)));
        assert_eq!(Bars::default().at(5), None);
    }

    #[test]
    fn a_change_is_said_in_words() {
        assert_eq!(change(5, 5), "as many as before");
        assert_eq!(change(5, 0), "none before");
        assert_eq!(change(150, 100), "+50 % against the period before");
        assert_eq!(change(95, 100), "−5.0 % against the period before");
        assert_eq!(change(2_000, 100), "20 times as many as before");
    }

    #[test]
    fn bars_have_a_round_length() {
        assert_eq!(bar_length(Span { from_ms: 0, to_ms: 3_600_000 }, 90).to_string(), "1m");
    }
}
