//! How many different services a partition takes: each costs a detector and a shard, so names made up by the million must not pass.

use std::collections::HashSet;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

/// A service that sends nothing for one to two of these is no longer counted.
const GENERATION_SECS: i64 = 1_800;

/// Services of the last hour, in two generations of half an hour; on a clock that is an argument.
#[derive(Debug)]
pub(super) struct ServiceCount {
    services_max: usize,
    current: HashSet<String>,
    previous: HashSet<String>,
    began: Timestamp,
}

/// A service that is one too many, and when to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneTooMany {
    pub(super) service: String,
    pub(super) services_max: usize,
    pub(super) retry_after_secs: u64,
}

impl ServiceCount {
    pub(super) fn new(services_max: usize) -> ServiceCount {
        ServiceCount {
            services_max,
            current: HashSet::new(),
            previous: HashSet::new(),
            began: Timestamp(i64::MIN),
        }
    }

    /// Counts all of the services, or, where they are too many, none.
    pub(super) fn take<'a>(
        &mut self,
        services: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<(), OneTooMany> {
        self.turn(now);
        let mut fresh = HashSet::new();
        for service in services {
            if self.current.contains(service) {
                continue;
            }
            if !self.previous.contains(service) && fresh.insert(service) {
                let counted = self.current.len() + self.previous.len() + fresh.len();
                if counted > self.services_max {
                    return Err(OneTooMany {
                        service: service.to_owned(),
                        services_max: self.services_max,
                        retry_after_secs: self.secs_left(now),
                    });
                }
            } else if let Some(known) = self.previous.take(service) {
                self.current.insert(known);
            }
        }
        self.current.extend(fresh.into_iter().map(str::to_owned));
        Ok(())
    }

    fn turn(&mut self, now: Timestamp) {
        let passed = now.0.saturating_sub(self.began.0) / NANOS_PER_SEC;
        if (0..GENERATION_SECS).contains(&passed) {
            return;
        }
        // After two of them, or where the clock went backwards, nobody of before counts.
        let current = std::mem::take(&mut self.current);
        self.previous = if (0..2 * GENERATION_SECS).contains(&passed) { current } else { HashSet::new() };
        self.began = now;
    }

    fn secs_left(&self, now: Timestamp) -> u64 {
        let passed = now.0.saturating_sub(self.began.0) / NANOS_PER_SEC;
        (GENERATION_SECS - passed).max(1).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp(1_764_670_202_000_000_000 + secs * NANOS_PER_SEC)
    }

    fn take(count: &mut ServiceCount, services: &[&str], secs: i64) -> Result<(), String> {
        count.take(services.iter().copied(), at(secs)).map_err(|refused| refused.service)
    }

    #[test]
    fn services_that_are_known_pass_and_one_too_many_does_not() {
        let mut count = ServiceCount::new(3);
        assert_eq!(take(&mut count, &["a", "b", "a"], 0), Ok(()));
        assert_eq!(take(&mut count, &["c", "d", "a"], 1), Err("d".to_owned()));
        assert_eq!(take(&mut count, &["d"], 1), Ok(()), "what was refused took no place");
        assert_eq!(take(&mut count, &["c"], 1), Err("c".to_owned()));
        assert_eq!(take(&mut count, &["a", "b", "d"], 2), Ok(()));
    }

    #[test]
    fn silent_services_make_room_and_speaking_ones_stay() {
        let mut count = ServiceCount::new(2);
        assert_eq!(take(&mut count, &["a", "b"], 0), Ok(()));
        assert_eq!(take(&mut count, &["a"], GENERATION_SECS), Ok(()));
        assert_eq!(take(&mut count, &["c"], GENERATION_SECS + 1), Err("c".to_owned()));
        let refused = count.take(["c"].into_iter(), at(GENERATION_SECS + 100)).unwrap_err();
        assert_eq!(refused.retry_after_secs, GENERATION_SECS as u64 - 100);
        assert_eq!(take(&mut count, &["c"], 2 * GENERATION_SECS), Ok(()), "b was silent for an hour");
        assert_eq!(take(&mut count, &["a"], 2 * GENERATION_SECS), Ok(()));
        assert_eq!(take(&mut count, &["b"], 2 * GENERATION_SECS), Err("b".to_owned()));
    }
}
