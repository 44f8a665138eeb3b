//! The moments a metric is worked out at.

/// Moments of one answer: more than any screen has room for.
pub const STEPS_MAX: usize = 11_000;

/// Evenly apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    pub start: i64,
    /// Nanoseconds, one or more.
    pub step: i64,
    /// One or more.
    pub count: usize,
}

impl Steps {
    /// One moment.
    pub fn at(moment: i64) -> Steps {
        Steps { start: moment, step: 1, count: 1 }
    }

    /// From the start to the end, which is met where it lies on a step; `None` where that is more than an answer may have.
    pub fn over(start: i64, end: i64, step: i64) -> Option<Steps> {
        let step = step.max(1);
        let more = end.saturating_sub(start).max(0) / step;
        let count = usize::try_from(more).ok()?.checked_add(1).filter(|count| *count <= STEPS_MAX)?;
        Some(Steps { start, step, count })
    }

    pub fn last(self) -> i64 {
        self.moment(self.count.saturating_sub(1))
    }

    pub fn moment(self, at: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(at as i64))
    }
}
