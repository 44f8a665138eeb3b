//! Which stretch of time another is held against.

use crate::state::range::Span;

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
}

impl Against {
    pub const ALL: [Against; 4] =
        [Against::Before, Against::HourBefore, Against::DayBefore, Against::WeekBefore];

    pub fn name(self) -> &'static str {
        match self {
            Against::Before => "before",
            Against::HourBefore => "hour",
            Against::DayBefore => "day",
            Against::WeekBefore => "week",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Against::Before => "the period right before",
            Against::HourBefore => "an hour earlier",
            Against::DayBefore => "the same time yesterday",
            Against::WeekBefore => "the same time a week ago",
        }
    }

    pub fn from_name(name: &str) -> Against {
        Against::ALL.into_iter().find(|against| against.name() == name).unwrap_or_default()
    }

    pub fn of(self, span: Span) -> Span {
        let back = match self {
            Against::Before => return span.before(),
            Against::HourBefore => HOUR_MS,
            Against::DayBefore => DAY_MS,
            Against::WeekBefore => 7 * DAY_MS,
        };
        Span { from_ms: span.from_ms - back, to_ms: span.to_ms - back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_time_is_as_long() {
        let span = Span { from_ms: 10 * DAY_MS, to_ms: 10 * DAY_MS + HOUR_MS };
        for against in Against::ALL {
            assert_eq!(against.of(span).length_ms(), HOUR_MS);
            assert_eq!(Against::from_name(against.name()), against);
        }
        assert_eq!(Against::WeekBefore.of(span).from_ms, 3 * DAY_MS);
        assert_eq!(Against::Before.of(span).to_ms, span.from_ms);
    }
}
