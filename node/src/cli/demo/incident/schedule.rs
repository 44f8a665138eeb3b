//! When something goes wrong by chance: seldom in the past, often enough for a visitor of the live demo.

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::{Incident, Kind};
use crate::cli::prng::Prng;

const MINUTE_SECS: i64 = 60;
const HOUR_SECS: i64 = 3_600;
/// The past begins with a calm day, so that what is normal can be learned.
const CALM_SECS: i64 = 24 * HOUR_SECS;
/// Between two incidents of the past, at least and at most.
const PAST_SECS: (i64, i64) = (3 * HOUR_SECS, 5 * HOUR_SECS);
/// What happened in the past is over by now, the longest incident included.
const PAST_ENDS_SECS: i64 = 2 * HOUR_SECS;
/// From now to the first incident of the live demo.
const FIRST_SECS: (i64, i64) = (3 * MINUTE_SECS, 5 * MINUTE_SECS);
const LIVE_SECS: (i64, i64) = (20 * MINUTE_SECS, 30 * MINUTE_SECS);

/// Incidents by chance, without an end. Each kind comes once before one comes again.
#[derive(Debug)]
pub(super) struct Schedule {
    prng: Prng,
    /// Where the past ends.
    now: Timestamp,
    previous: Timestamp,
    is_past: bool,
    bag: Vec<Kind>,
}

impl Schedule {
    pub(super) fn new(seed: u64, start: Timestamp, now: Timestamp) -> Schedule {
        let previous = plus_secs(start, CALM_SECS - PAST_SECS.0);
        Schedule { prng: Prng::new(seed), now, previous, is_past: true, bag: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Incident {
        let start = self.next_start();
        self.previous = start;
        if self.bag.is_empty() {
            self.bag.extend(Kind::ALL);
        }
        let at = self.prng.below(self.bag.len() as u64) as usize;
        self.bag.swap_remove(at).at(start)
    }

    fn next_start(&mut self) -> Timestamp {
        if !self.is_past {
            return self.between(self.previous, LIVE_SECS);
        }
        let start = self.between(self.previous, PAST_SECS);
        if plus_secs(start, PAST_ENDS_SECS) < self.now {
            return start;
        }
        self.is_past = false;
        self.between(self.now, FIRST_SECS)
    }

    fn between(&mut self, from: Timestamp, (least, most): (i64, i64)) -> Timestamp {
        plus_secs(from, least + self.prng.below((most - least) as u64) as i64)
    }
}

fn plus_secs(moment: Timestamp, secs: i64) -> Timestamp {
    Timestamp(moment.0.saturating_add(secs * NANOS_PER_SEC))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000 * 86_400 * NANOS_PER_SEC);

    fn minutes_of(backfill_hours: i64, seed: u64) -> (Vec<Kind>, Vec<i64>) {
        let mut schedule = Schedule::new(seed, plus_secs(NOW, -backfill_hours * HOUR_SECS), NOW);
        let incidents: Vec<Incident> = (0..40).map(|_| schedule.next()).collect();
        let minutes = incidents.iter().map(|incident| (incident.start.0 - NOW.0) / NANOS_PER_SEC / 60);
        (incidents.iter().map(|incident| incident.kind).collect(), minutes.collect())
    }

    #[test]
    fn the_first_incident_comes_soon_and_the_others_about_twice_an_hour() {
        for backfill_hours in [0, 6, 25] {
            let (_, minutes) = minutes_of(backfill_hours, 1);
            assert!((3..=5).contains(&minutes[0]), "{minutes:?}");
            assert!(minutes.windows(2).all(|pair| (19..=30).contains(&(pair[1] - pair[0]))), "{minutes:?}");
        }
    }

    #[test]
    fn the_past_has_few_none_on_its_first_day_and_none_that_is_not_over() {
        for seed in 0..20 {
            let (_, minutes) = minutes_of(72, seed);
            let past: Vec<i64> = minutes.into_iter().filter(|minute| *minute < 0).collect();
            assert!((8..=16).contains(&past.len()), "{past:?}");
            assert!(past.iter().all(|minute| (-48 * 60..-2 * 60).contains(minute)), "{past:?}");
        }
    }

    #[test]
    fn every_kind_comes_before_one_comes_again() {
        let (kinds, _) = minutes_of(0, 3);
        for round in kinds.chunks(Kind::ALL.len()) {
            let mut round = round.to_vec();
            round.sort_unstable();
            assert_eq!(round, Kind::ALL);
        }
    }
}
