//! The stream of records over time: arrivals, deploys, incidents. Pure: time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::incident::Incident;
use super::record::DemoRecord;
use super::request::{World, deploy_banner, request};
use super::shop::{Service, records_per_request};
use crate::cli::prng::Prng;

/// Mean time between two deploys, s.
const DEPLOY_EVERY_SECS: f64 = 300.0;

/// The shop's traffic from a moment on.
#[derive(Debug)]
pub(super) struct Traffic {
    prng: Prng,
    requests_per_sec: f64,
    next_request: Timestamp,
    next_deploy: Timestamp,
    incident: Incident,
    versions: [u64; 6],
    /// Records that are written later: a slow call logs when it ends. Bounded by rate times 30 s.
    waiting: BinaryHeap<Reverse<Waiting>>,
    written: u64,
}

/// A record and its turn; the number keeps records of one moment in the order they were made.
#[derive(Debug)]
struct Waiting {
    turn: (Timestamp, u64),
    record: DemoRecord,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.turn == other.turn
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.turn.cmp(&other.turn)
    }
}

impl Traffic {
    pub(super) fn new(seed: u64, records_per_sec: f64, start: Timestamp) -> Traffic {
        let mut prng = Prng::new(seed);
        let incident = Incident::after(start, &mut prng);
        Traffic {
            prng,
            requests_per_sec: records_per_sec / records_per_request(),
            next_request: start,
            next_deploy: plus_secs(start, DEPLOY_EVERY_SECS / 4.0),
            incident,
            versions: [12, 40, 7, 23, 31, 18],
            waiting: BinaryHeap::new(),
            written: 0,
        }
    }

    /// Up to `max` records written until `until`, oldest first. Empty when there are no more.
    pub(super) fn take_until(&mut self, until: Timestamp, max: usize) -> Vec<DemoRecord> {
        let mut taken = Vec::new();
        while taken.len() < max {
            // A request must have arrived before a record of its time may leave: order is kept.
            let due = self.waiting.peek().map(|waiting| waiting.0.turn.0).filter(|due| *due <= until);
            let arrival = self.next_request.min(self.next_deploy);
            match due {
                Some(due) if due <= arrival => {
                    taken.extend(self.waiting.pop().map(|waiting| waiting.0.record))
                }
                _ if arrival <= until => self.arrive(),
                _ => break,
            }
        }
        taken
    }

    /// What is going on at this moment, for the line of progress.
    pub(super) fn news(&self, now: Timestamp) -> String {
        if !self.incident.is_on(now) {
            return String::new();
        }
        let left_secs = (self.incident.end.0 - now.0) / NANOS_PER_SEC;
        format!("; incident: {} ({left_secs} s more)", self.incident.kind.title())
    }

    fn arrive(&mut self) {
        if self.next_deploy < self.next_request {
            return self.deploy();
        }
        let now = self.next_request;
        if now >= self.incident.end {
            self.incident = Incident::after(self.incident.end, &mut self.prng);
        }
        let busy = busyness(now);
        let world =
            World { incident: &self.incident, load_factor: 0.8 + 0.4 * busy, versions: &self.versions };
        for record in request(now, &world, &mut self.prng) {
            self.wait(record);
        }
        let gap_secs = -(1.0 - self.prng.unit()).ln() / (self.requests_per_sec * busy);
        self.next_request = plus_secs(now, gap_secs);
    }

    fn deploy(&mut self) {
        let now = self.next_deploy;
        let service = self.prng.pick(&Service::ALL, Service::Search);
        if let Some(version) = self.versions.get_mut(service as usize) {
            *version += 1;
            let banner = deploy_banner(now, service, *version, &mut self.prng);
            self.wait(banner);
        }
        let gap_secs = -(1.0 - self.prng.unit()).ln() * DEPLOY_EVERY_SECS;
        self.next_deploy = plus_secs(now, gap_secs.max(1.0));
    }

    fn wait(&mut self, record: DemoRecord) {
        self.written += 1;
        self.waiting.push(Reverse(Waiting { turn: (record.timestamp, self.written), record }));
    }
}

/// How busy the shop is: 1 on average over a day, least at 04:00, most at 16:00 UTC.
fn busyness(now: Timestamp) -> f64 {
    let day_share = now.0.div_euclid(NANOS_PER_SEC).rem_euclid(86_400) as f64 / 86_400.0;
    1.0 - 0.4 * (std::f64::consts::TAU * (day_share - 4.0 / 24.0)).cos()
}

fn plus_secs(moment: Timestamp, secs: f64) -> Timestamp {
    Timestamp(moment.0.saturating_add((secs * NANOS_PER_SEC as f64) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        Timestamp::parse("2025-12-02T00:00:00Z").unwrap()
    }

    fn day(seed: u64, rate: f64) -> Vec<DemoRecord> {
        Traffic::new(seed, rate, start()).take_until(plus_secs(start(), 86_400.0), usize::MAX)
    }

    #[test]
    fn a_day_has_the_rate_that_was_asked_for() {
        let records = day(1, 2.0).len() as f64 / 86_400.0;
        assert!((records - 2.0).abs() < 0.15, "{records} records per second");
    }

    #[test]
    fn records_leave_in_the_order_of_their_time_however_they_are_taken() {
        let whole = day(2, 1.0);
        assert!(whole.is_sorted_by_key(|record| record.timestamp));
        let mut traffic = Traffic::new(2, 1.0, start());
        let mut parts = Vec::new();
        for second in 1..=86_400 {
            parts.extend(traffic.take_until(plus_secs(start(), f64::from(second)), usize::MAX));
        }
        assert_eq!(parts, whole);
    }

    #[test]
    fn a_day_brings_incidents_and_deploys() {
        let records = day(3, 2.0);
        let count = |words: &str| records.iter().filter(|record| record.message.contains(words)).count();
        assert!(count("Stripe timeout") > 100);
        assert!(count("HikariPool-1") > 100);
        assert!(count("starting ") > 50);
    }
}
