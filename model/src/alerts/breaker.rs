//! The circuit breaker of a channel: after failures in a row it is left alone for a while, then one message tries it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A receiver that fails so often in a row is down.
const FAILURES_UNTIL_OPEN: u32 = 5;
const PAUSE_FIRST_SECS: u64 = 30;
const PAUSE_MAX_SECS: u64 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    Open,
    /// The pause is over: one message may try.
    HalfOpen,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It may work later: no answer, 5xx, 429.
    Passing,
    /// It will not work before somebody changes something.
    Refused,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Breaker {
    /// In a row.
    pub failures: u32,
    pub open_until: Option<Timestamp>,
    /// Times it has opened since the last success; each pause is twice as long.
    pub openings: u32,
}

impl Breaker {
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match self.open_until {
            None => BreakerState::Closed,
            Some(until) if now < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    pub fn succeeded(&mut self) {
        *self = Breaker::default();
    }

    pub fn failed(&mut self, at: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let is_probe = self.open_until.is_some_and(|until| at >= until);
        let opens = self.open_until.is_none() && self.failures >= FAILURES_UNTIL_OPEN;
        if is_probe || opens {
            let pause = PAUSE_FIRST_SECS << self.openings.min(10);
            self.openings = self.openings.saturating_add(1);
            self.open_until = Some(at.plus_secs(pause.min(PAUSE_MAX_SECS)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp(0).plus_secs(secs)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_one_success() {
        let mut breaker = Breaker::default();
        for second in 0..4 {
            breaker.failed(at(second));
            assert_eq!(breaker.state(at(second)), BreakerState::Closed);
        }
        breaker.failed(at(4));
        assert_eq!(breaker.state(at(33)), BreakerState::Open);
        assert_eq!(breaker.state(at(34)), BreakerState::HalfOpen);
        breaker.failed(at(34));
        assert_eq!(breaker.state(at(93)), BreakerState::Open, "the second pause is twice as long");
        assert_eq!(breaker.state(at(94)), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn pauses_have_an_end() {
        let mut breaker = Breaker { failures: 99, open_until: Some(at(0)), openings: 60 };
        breaker.failed(at(1));
        assert_eq!(breaker.open_until, Some(at(601)));
        breaker.failed(at(2));
        assert_eq!(
            breaker.open_until,
            Some(at(601)),
            "what was under way when it opened does not lengthen the pause"
        );
    }
}
