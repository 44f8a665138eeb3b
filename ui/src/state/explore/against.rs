//! Which stretch of time another is held against.

use crate::state::range::{Range, Span};
use crate::state::url::Pairs;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// As long, right before.
    #[default]
    Before,
    HourBefore,
    /// The same hours, so that the time of day explains nothing.
    DayBefore,
    WeekBefore,
    /// One of its own, of any length.
    Other(Range),
}

/// How the one that is chosen freely is called.
pub const OTHER: &str = "other";

impl Against {
    /// Those that need nothing more.
    pub const OFFERED: [Against; 4] =
        [Against::Before, Against::HourBefore, Against::DayBefore, Against::WeekBefore];

    pub fn name(self) -> &'static str {
        match self {
            Against::Before => "before",
            Against::HourBefore => "hour",
            Against::DayBefore => "day",
            Against::WeekBefore => "week",
            Against::Other(_) => OTHER,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Against::Before => "the period right before",
            Against::HourBefore => "an hour earlier",
            Against::DayBefore => "the same time yesterday",
            Against::WeekBefore => "the same time a week ago",
            Against::Other(_) => "another time",
        }
    }

    pub fn from_name(name: &str) -> Option<Against> {
        Against::OFFERED.into_iter().find(|against| against.name() == name)
    }

    /// `against=day`, or `against_from` and `against_to` as the page's own range is written.
    pub fn from_pairs(pairs: &Pairs) -> Option<Against> {
        let other = pairs.get("against_from").and_then(|from| Range::of_words(from, pairs.get("against_to")));
        other.map(Against::Other).or_else(|| pairs.get("against").and_then(Against::from_name))
    }

    pub fn add_to(self, pairs: &mut Vec<(&'static str, String)>) {
        let Against::Other(range) = self else {
            return pairs.push(("against", self.name().to_owned()));
        };
        let (from, to) = range.words();
        pairs.push(("against_from", from));
        pairs.extend(to.map(|to| ("against_to", to)));
    }

    pub fn of(self, span: Span, now_ms: f64) -> Span {
        let back = match self {
            Against::Before => return span.before(),
            Against::HourBefore => HOUR_MS,
            Against::DayBefore => DAY_MS,
            Against::WeekBefore => 7 * DAY_MS,
            Against::Other(range) => return range.at(now_ms),
        };
        Span { from_ms: span.from_ms - back, to_ms: span.to_ms - back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::url;

    const SPAN: Span = Span { from_ms: 10 * DAY_MS, to_ms: 10 * DAY_MS + HOUR_MS };

    #[test]
    fn the_other_time_is_as_long() {
        for against in Against::OFFERED {
            assert_eq!(against.of(SPAN, 0.0).length_ms(), HOUR_MS);
            assert_eq!(Against::from_name(against.name()), Some(against));
        }
        assert_eq!(Against::WeekBefore.of(SPAN, 0.0).from_ms, 3 * DAY_MS);
        assert_eq!(Against::Before.of(SPAN, 0.0).to_ms, SPAN.from_ms);
    }

    #[test]
    fn a_time_of_its_own_has_the_length_that_was_chosen() {
        let last = Against::Other(Range::Last(60)).of(SPAN, 100_000.0);
        assert_eq!(last, Span { from_ms: 40_000, to_ms: 100_000 });
        let fixed = Against::Other(Range::between(7, 9)).of(SPAN, 100_000.0);
        assert_eq!(fixed, Span { from_ms: 7, to_ms: 9 });
    }

    #[test]
    fn each_is_read_from_the_address_it_is_written_to() {
        let free = [Range::default(), Range::Last(86_400), Range::between(1_000, 2_000)];
        for against in Against::OFFERED.into_iter().chain(free.map(Against::Other)) {
            let mut pairs = Vec::new();
            against.add_to(&mut pairs);
            assert_eq!(Against::from_pairs(&Pairs::of(&url::encode(&pairs))), Some(against), "{pairs:?}");
        }
        for nothing in ["", "against=other", "against=never", "against_from=soon"] {
            assert_eq!(Against::from_pairs(&Pairs::of(nothing)), None, "{nothing}");
        }
    }
}
