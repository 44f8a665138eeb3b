//! The batch service: a job now and then by day, hundreds of them at a fixed hour each night.

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::request::SMALL_TALK_SHARE;
use crate::cli::prng::Prng;

/// Its share of all records.
pub(super) const SHARE: f64 = 0.03;
/// The night's run, in seconds of the day, UTC.
const RUN_FROM_SECS: i64 = 2 * 3_600;
const RUN_SECS: i64 = 45 * 60;
/// Times as many jobs in the run.
const RUN_FACTOR: f64 = 12.0;
const DAY_SECS: i64 = 86_400;

/// The jobs over time.
#[derive(Debug)]
pub(super) struct Nightly {
    prng: Prng,
    pub(super) next: Timestamp,
    /// By day.
    jobs_per_sec: f64,
}

impl Nightly {
    /// `records_per_sec` are those of the whole shop, on average over a day.
    pub(super) fn new(seed: u64, records_per_sec: f64, start: Timestamp) -> Nightly {
        let run_share = RUN_SECS as f64 / DAY_SECS as f64;
        let mean_factor = 1.0 + run_share * (RUN_FACTOR - 1.0);
        let jobs_per_sec = records_per_sec * SHARE / (1.0 + SMALL_TALK_SHARE) / mean_factor;
        let mut nightly = Nightly { prng: Prng::new(seed), next: start, jobs_per_sec };
        nightly.wait();
        nightly
    }

    /// Goes on to the job after the next one.
    pub(super) fn wait(&mut self) {
        let factor = if is_run(self.next) { RUN_FACTOR } else { 1.0 };
        let gap_secs = -(1.0 - self.prng.unit()).ln() / (self.jobs_per_sec * factor);
        let next = Timestamp(self.next.0.saturating_add((gap_secs * NANOS_PER_SEC as f64) as i64));
        let begins = run_begins(self.next);
        // A long pause by day does not reach into the run; waiting has no memory, so it may begin anew there.
        self.next = if self.next < begins && begins < next { begins } else { next };
    }
}

fn is_run(now: Timestamp) -> bool {
    let secs = now.0.div_euclid(NANOS_PER_SEC).rem_euclid(DAY_SECS);
    (RUN_FROM_SECS..RUN_FROM_SECS + RUN_SECS).contains(&secs)
}

/// The beginning of the run on the day of this moment.
fn run_begins(now: Timestamp) -> Timestamp {
    let day = now.0.div_euclid(DAY_SECS * NANOS_PER_SEC);
    Timestamp((day * DAY_SECS + RUN_FROM_SECS) * NANOS_PER_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_night_has_a_run_and_each_day_little() {
        let start = Timestamp::parse("2025-12-02T00:00:00Z").unwrap();
        let mut nightly = Nightly::new(5, 10.0, start);
        let (mut run, mut all) = ([0; 4], 0);
        while nightly.next.0 < start.0 + 4 * DAY_SECS * NANOS_PER_SEC {
            let day = ((nightly.next.0 - start.0) / (DAY_SECS * NANOS_PER_SEC)) as usize;
            run[day] += usize::from(is_run(nightly.next));
            all += 1;
            nightly.wait();
        }
        let records_per_sec = f64::from(all) * (1.0 + SMALL_TALK_SHARE) / (4 * DAY_SECS) as f64;
        assert!((records_per_sec - 0.3).abs() < 0.02, "{records_per_sec}");
        assert!(run.iter().all(|jobs| (4_500..7_000).contains(jobs)), "{run:?}");
    }
}
