//! The stretch of time behind each moment, and how all of them are cut into buckets that records are counted in.

use super::steps::Steps;

/// Buckets that all windows of one range may be made of.
const BUCKETS_MAX: i64 = 100_000;

/// For each moment `t` the records of `(t - offset - range, t - offset]`, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    pub steps: Steps,
    /// Nanoseconds, one or more.
    pub range: i64,
    pub offset: i64,
}

/// Stretches of one length, one behind the other, of which every window is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// First nanosecond of the first.
    pub origin: i64,
    pub length: i64,
    /// Of a window.
    pub per_window: usize,
    /// From one window's first to the next one's.
    pub per_step: usize,
}

impl Windows {
    /// First nanosecond of all windows.
    pub fn first(&self) -> i64 {
        self.first_of(0)
    }

    /// Last nanosecond of all windows.
    pub fn last(&self) -> i64 {
        self.steps.last().saturating_sub(self.offset)
    }

    pub fn first_of(&self, at: usize) -> i64 {
        self.last_of(at).saturating_sub(self.range).saturating_add(1)
    }

    pub fn last_of(&self, at: usize) -> i64 {
        self.steps.moment(at).saturating_sub(self.offset)
    }

    /// Fails with a sentence where windows overlap so unevenly that the buckets would be too many.
    pub fn buckets(&self) -> Result<Buckets, String> {
        let Windows { steps, range, .. } = *self;
        let length = if steps.count == 1 { range } else { common_divisor(range, steps.step) };
        let (per_window, per_step) = (range / length, if steps.count == 1 { 0 } else { steps.step / length });
        let all = per_step.saturating_mul(steps.count as i64 - 1).saturating_add(per_window);
        if all > BUCKETS_MAX {
            return Err(format!(
                "the range and the step have so short a common divisor that they make {all} buckets, more than \
                 {BUCKETS_MAX}: use a step that divides the range, or a longer one"
            ));
        }
        Ok(Buckets {
            origin: self.first(),
            length,
            per_window: per_window as usize,
            per_step: per_step as usize,
        })
    }
}

impl Buckets {
    /// The number of the bucket that begins at this moment.
    pub fn number(&self, start: i64) -> usize {
        usize::try_from(start.saturating_sub(self.origin) / self.length).unwrap_or(usize::MAX)
    }

    /// Numbers of the buckets of a window.
    pub fn of_window(&self, at: usize) -> std::ops::Range<usize> {
        let first = at * self.per_step;
        first..first + self.per_window
    }
}

fn common_divisor(left: i64, right: i64) -> i64 {
    let (mut left, mut right) = (left, right);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000_000;

    fn windows(start: i64, step: i64, count: usize, range: i64) -> Windows {
        Windows { steps: Steps { start, step, count }, range, offset: 0 }
    }

    #[test]
    fn buckets_are_as_long_as_range_and_step_allow() {
        let buckets =
            |step: i64, range: i64| windows(0, step * SECOND, 10, range * SECOND).buckets().unwrap();
        let shape = |buckets: Buckets| (buckets.length / SECOND, buckets.per_window, buckets.per_step);
        assert_eq!(shape(buckets(60, 60)), (60, 1, 1));
        assert_eq!(shape(buckets(60, 300)), (60, 5, 1));
        assert_eq!(shape(buckets(300, 60)), (60, 1, 5));
        assert_eq!(shape(buckets(45, 60)), (15, 4, 3));
        assert_eq!(shape(windows(0, 7, 1, 60 * SECOND).buckets().unwrap()), (60, 1, 0));
        assert!(windows(0, 7 * SECOND + 1, 1_000, 60 * SECOND).buckets().is_err());
    }

    proptest! {
        #[test]
        fn a_window_is_its_buckets_to_the_nanosecond(
            start in -1_000_000i64..1_000_000, step in 1i64..50, range in 1i64..200, count in 1usize..20,
        ) {
            let windows = windows(start, step, count, range);
            let buckets = windows.buckets().unwrap();
            for at in 0..count {
                let numbers = buckets.of_window(at);
                let first = buckets.origin + numbers.start as i64 * buckets.length;
                let last = buckets.origin + numbers.end as i64 * buckets.length - 1;
                prop_assert_eq!((first, last), (windows.first_of(at), windows.last_of(at)));
                prop_assert_eq!((last - first + 1, last), (range, start + step * at as i64));
                prop_assert_eq!(buckets.number(first), numbers.start);
            }
        }
    }
}
