//! When to try again, and how many messages a channel is sent in a storm. Pure: time and chance are arguments.

use insighthub_model::Timestamp;
use insighthub_model::alerts::Failure;
use insighthub_model::timestamp::NANOS_PER_SEC;

const PAUSE_FIRST_SECS: u64 = 5;
const PAUSE_MAX_SECS: u64 = 900;
/// What was refused is tried again in case somebody mends the channel, but not often.
const REFUSED_PAUSE_SECS: u64 = 300;
/// A receiver may ask for an hour of peace, not for more.
pub(crate) const RETRY_AFTER_SECS_MAX: u64 = 3_600;
/// Messages at once, and then one every so often.
const BURST: f64 = 10.0;
const EVERY_SECS: f64 = 3.0;

/// When a message is tried again; `chance` is 0 to 1 and spreads messages that failed together over half of the pause.
pub(crate) fn retry_at(
    now: Timestamp,
    attempts: u32,
    failure: Failure,
    retry_after_secs: Option<u64>,
    chance: f64,
) -> Timestamp {
    let doubled = PAUSE_FIRST_SECS.saturating_mul(1 << attempts.min(20)).min(PAUSE_MAX_SECS);
    let pause = match failure {
        Failure::Passing => doubled,
        Failure::Refused => doubled.max(REFUSED_PAUSE_SECS),
    };
    let spread = pause as f64 * (0.5 + chance.clamp(0.0, 1.0) / 2.0);
    let asked = retry_after_secs.unwrap_or(0).min(RETRY_AFTER_SECS_MAX);
    let nanos = (spread * NANOS_PER_SEC as f64) as i64;
    Timestamp(now.0.saturating_add(nanos)).max(now.plus_secs(asked))
}

/// How many messages a channel may be sent at this moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    left: f64,
    at: Timestamp,
    /// The receiver asked for peace: not this message alone waits, all to it do.
    rests_until: Timestamp,
}

impl Pace {
    pub(crate) fn new(now: Timestamp) -> Pace {
        Pace { left: BURST, at: now, rests_until: Timestamp::MIN }
    }

    pub(crate) fn rest_until(&mut self, until: Timestamp) {
        self.rests_until = self.rests_until.max(until);
    }

    /// It has taken a message since, or is another receiver by now.
    pub(crate) fn rest_no_more(&mut self) {
        self.rests_until = Timestamp::MIN;
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let secs = now.0.saturating_sub(self.at.0).max(0) as f64 / NANOS_PER_SEC as f64;
        self.left = (self.left + secs / EVERY_SECS).min(BURST);
        self.at = now;
        let may = self.left >= 1.0 && now >= self.rests_until;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause_secs(attempts: u32, failure: Failure, asked: Option<u64>, chance: f64) -> i64 {
        retry_at(Timestamp(0), attempts, failure, asked, chance).0 / NANOS_PER_SEC
    }

    #[test]
    fn pauses_double_are_spread_and_have_an_end() {
        let pauses = [0, 1, 2, 8, 99].map(|attempts| pause_secs(attempts, Failure::Passing, None, 1.0));
        assert_eq!(pauses, [5, 10, 20, 900, 900]);
        assert_eq!(pause_secs(1, Failure::Passing, None, 0.0), 5);
        assert_eq!(pause_secs(0, Failure::Refused, None, 1.0), 300);
        assert_eq!(pause_secs(0, Failure::Passing, Some(120), 1.0), 120);
        assert_eq!(pause_secs(0, Failure::Passing, Some(u64::MAX), 1.0), 3_600);
    }

    #[test]
    fn a_storm_is_sent_in_a_trickle() {
        let mut pace = Pace::new(Timestamp(0));
        let taken =
            |pace: &mut Pace, secs| (0..100).filter(|_| pace.take(Timestamp(0).plus_secs(secs))).count();
        assert_eq!(taken(&mut pace, 0), 10);
        assert_eq!(taken(&mut pace, 30), 10);
        assert_eq!(taken(&mut pace, 36), 2);
        assert_eq!(taken(&mut pace, 20), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn a_receiver_that_asks_for_peace_has_it_from_all_messages() {
        let mut pace = Pace::new(Timestamp(0));
        pace.rest_until(Timestamp(0).plus_secs(20));
        pace.rest_until(Timestamp(0).plus_secs(5));
        let may = [0, 19, 20].map(|secs| pace.take(Timestamp(0).plus_secs(secs)));
        assert_eq!(may, [false, false, true]);
        pace.rest_until(Timestamp(0).plus_secs(60));
        pace.rest_no_more();
        assert!(pace.take(Timestamp(0).plus_secs(21)));
    }
}
