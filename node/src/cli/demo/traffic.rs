//! The stream of records over time: requests, jobs, deploys, incidents. Pure: time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::deploys::Deploys;
use super::incident::Incidents;
use super::nightly::{self, Nightly};
use super::record::DemoRecord;
use super::request::{World, demand_factor, job, request};
use super::shop::{Service, records_per_request};
use crate::cli::prng::Prng;

/// Each process has dice of its own, so that an incident changes nothing but what it is about.
const DEPLOYS: u64 = 0x6465_706c_6f79;
const NIGHTLY: u64 = 0x6e69_6768_746c;

/// The shop's traffic from a moment on.
#[derive(Debug)]
pub(super) struct Traffic {
    prng: Prng,
    requests_per_sec: f64,
    next_request: Timestamp,
    deploys: Deploys,
    nightly: Nightly,
    incidents: Incidents,
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
    pub(super) fn new(seed: u64, records_per_sec: f64, start: Timestamp, incidents: Incidents) -> Traffic {
        Traffic {
            prng: Prng::new(seed),
            requests_per_sec: records_per_sec * (1.0 - nightly::SHARE) / records_per_request(),
            next_request: start,
            deploys: Deploys::new(seed ^ DEPLOYS, start),
            nightly: Nightly::new(seed ^ NIGHTLY, records_per_sec, start),
            incidents,
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
            let arrival = self.next_request.min(self.deploys.next).min(self.nightly.next);
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

    /// Appends the next record written until `until` as a line of NDJSON; `false` when there are no more.
    pub(super) fn next_line(&mut self, until: Timestamp, text: &mut Vec<u8>) -> bool {
        let Some(record) = self.take_until(until, 1).pop() else { return false };
        // A record of the demo holds nothing that JSON cannot say.
        let is_written = serde_json::to_writer(&mut *text, &record).is_ok();
        text.push(b'\n');
        is_written
    }

    /// What is going on at this moment, for the line of progress.
    pub(super) fn news(&self, now: Timestamp) -> String {
        self.incidents.news(now)
    }

    fn arrive(&mut self) {
        if self.deploys.next < self.next_request.min(self.nightly.next) {
            for record in self.deploys.deploy() {
                self.wait(record);
            }
            return;
        }
        let now = self.next_request.min(self.nightly.next);
        self.incidents.advance(now);
        let busy = busyness(now);
        let world = World {
            incidents: &self.incidents,
            load_factor: 0.8 + 0.4 * busy,
            versions: &self.deploys.versions,
        };
        let records = if self.nightly.next < self.next_request {
            self.nightly.wait();
            job(now, Service::Reports, &world, &mut self.prng)
        } else {
            let per_sec = self.requests_per_sec * busy * demand_factor(&self.incidents, now);
            self.next_request = plus_secs(now, -(1.0 - self.prng.unit()).ln() / per_sec);
            request(now, &world, &mut self.prng)
        };
        for record in records {
            self.wait(record);
        }
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
    use super::super::incident::Kind;
    use super::*;

    fn start() -> Timestamp {
        Timestamp::parse("2025-12-02T00:00:00Z").unwrap()
    }

    fn traffic(seed: u64, rate: f64, named: &[(Kind, f64)]) -> Traffic {
        let incidents = named.iter().map(|(kind, secs)| kind.at(plus_secs(start(), *secs)));
        Traffic::new(seed, rate, start(), Incidents::named(incidents.collect()))
    }

    fn day(seed: u64, rate: f64, named: &[(Kind, f64)]) -> Vec<DemoRecord> {
        traffic(seed, rate, named).take_until(plus_secs(start(), 86_400.0), usize::MAX)
    }

    #[test]
    fn a_day_has_the_rate_that_was_asked_for() {
        let records = day(1, 2.0, &[]).len() as f64 / 86_400.0;
        assert!((records - 2.0).abs() < 0.15, "{records} records per second");
    }

    #[test]
    fn records_leave_in_the_order_of_their_time_however_they_are_taken() {
        let named = [(Kind::Silence, 30_000.0), (Kind::LatencySpike, 30_100.0)];
        let whole = day(2, 1.0, &named);
        assert!(whole.is_sorted_by_key(|record| record.timestamp));
        let mut traffic = traffic(2, 1.0, &named);
        let mut parts = Vec::new();
        for second in 1..=86_400 {
            parts.extend(traffic.take_until(plus_secs(start(), f64::from(second)), usize::MAX));
        }
        assert_eq!(parts, whole);
    }

    #[test]
    fn a_day_brings_deploys_a_nightly_run_and_the_incident_that_was_named() {
        let records = day(3, 2.0, &[(Kind::NewMessage, 40_000.0)]);
        let times = |words: &str| -> Vec<f64> {
            let matching = records.iter().filter(|record| record.message.contains(words));
            matching.map(|record| (record.timestamp.0 - start().0) as f64 / NANOS_PER_SEC as f64).collect()
        };
        let hours = |words: &str| times(words).into_iter().map(|secs| (secs / 3_600.0) as u32);
        assert!((9..60).contains(&times("is ready for requests").len()));
        assert!(hours("merchant").filter(|hour| *hour == 2).count() > 900);
        assert!((50..300).contains(&hours("merchant").filter(|hour| *hour == 12).count()));
        let named = times("falling back to table");
        assert!(
            !named.is_empty() && named.iter().all(|secs| (40_000.0..40_400.0).contains(secs)),
            "{named:?}"
        );
    }
}
