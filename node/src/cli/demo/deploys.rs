//! Deploys: by day a service gets a new version now and then, and says so with sentences that are new each time.

use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, Timestamp};

use super::record::DemoRecord;
use super::shop::{REGIONS, SERVICES, Service};
use crate::cli::prng::Prng;

const HOUR_NANOS: i64 = 3_600 * NANOS_PER_SEC;
const DAY_NANOS: i64 = 24 * HOUR_NANOS;
/// Nobody deploys at night; hours of the day, UTC.
const FROM_HOUR: i64 = 7;
const TO_HOUR: i64 = 18;
/// Mean time between two deploys by day: about one a service and day.
const EVERY_SECS: f64 = 5_400.0;
/// Hosts are restarted one after the other.
const HOSTS: i64 = 3;
const HOST_NANOS: i64 = 20 * NANOS_PER_SEC;

/// What a version brings: the first two words of its sentence, so that hardly any two sentences are of one kind.
const HOW: [&str; 14] = [
    "faster",
    "smarter",
    "simpler",
    "safer",
    "shared",
    "hidden",
    "early",
    "nightly",
    "lazy",
    "parallel",
    "compact",
    "strict",
    "gentle",
    "automatic",
];
const WHAT: [&str; 14] = [
    "sorting", "caching", "pricing", "paging", "retries", "timeouts", "logins", "vouchers", "bundles",
    "ranking", "checks", "uploads", "labels", "refunds",
];

/// The deploys of the shop over time.
#[derive(Debug)]
pub(super) struct Deploys {
    prng: Prng,
    pub(super) next: Timestamp,
    pub(super) versions: [u64; SERVICES],
}

impl Deploys {
    pub(super) fn new(seed: u64, start: Timestamp) -> Deploys {
        let mut deploys =
            Deploys { prng: Prng::new(seed), next: start, versions: [12, 40, 7, 23, 31, 18, 4] };
        deploys.wait();
        deploys
    }

    /// What the next service to be deployed says, each record with its time.
    pub(super) fn deploy(&mut self) -> Vec<DemoRecord> {
        let start = self.next;
        self.wait();
        let service = self.prng.pick(&Service::ALL, Service::Search);
        let Some(version) = self.versions.get_mut(service as usize) else { return Vec::new() };
        *version += 1;
        let version = *version;
        let build = self.prng.below(1 << 28);
        let (how, what) = (self.prng.pick(&HOW, "faster"), self.prng.pick(&WHAT, "sorting"));
        let name = service.name();
        let mut records = Vec::new();
        for host in 0..HOSTS {
            let mut say = |after_nanos: i64, message: String| {
                let at = Timestamp(start.0 + host * HOST_NANOS + after_nanos);
                records.push(record(at, service, version, host, message, &mut self.prng));
            };
            say(0, format!("starting {name} 1.{version}.0 (build {build:07x})"));
            if host == 0 {
                say(2 * NANOS_PER_SEC, format!("{how} {what} of {name} is on for one user in ten"));
            }
            say(3 * NANOS_PER_SEC, format!("{name} 1.{version}.0 is ready for requests"));
        }
        records
    }

    fn wait(&mut self) {
        let gap_secs = -(1.0 - self.prng.unit()).ln() * EVERY_SECS;
        // Two versions of one service need time for their restarts.
        let gap_nanos = (gap_secs.max(120.0) * NANOS_PER_SEC as f64) as i64;
        let mut next = self.next.0.saturating_add(gap_nanos);
        let time = next.rem_euclid(DAY_NANOS);
        let midnight = next - time;
        if time < FROM_HOUR * HOUR_NANOS {
            next = midnight + FROM_HOUR * HOUR_NANOS + gap_nanos.min(HOUR_NANOS);
        } else if time >= TO_HOUR * HOUR_NANOS {
            next = midnight + DAY_NANOS + FROM_HOUR * HOUR_NANOS + gap_nanos.min(HOUR_NANOS);
        }
        self.next = Timestamp(next);
    }
}

fn record(
    at: Timestamp,
    service: Service,
    version: u64,
    host: i64,
    message: String,
    prng: &mut Prng,
) -> DemoRecord {
    DemoRecord {
        timestamp: Timestamp::from_millis(at.millis()),
        service: service.name(),
        level: Level::Info,
        message,
        latency_ms: None,
        trace_id: None,
        user_id: None,
        http: None,
        error: None,
        host: format!("{}-{}", service.name(), host + 1),
        region: prng.pick(&REGIONS, "eu-central-1"),
        version: format!("1.{version}.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_deployed_about_once_a_day_and_never_at_night() {
        let start = Timestamp::parse("2025-12-02T00:00:00Z").unwrap();
        let mut deploys = Deploys::new(4, start);
        let (mut count, mut hours) = (0, Vec::new());
        while deploys.next.0 < start.0 + 20 * DAY_NANOS {
            hours.push(deploys.next.0.rem_euclid(DAY_NANOS) / HOUR_NANOS);
            let records = deploys.deploy();
            assert!(records.is_sorted_by_key(|record| record.timestamp), "{records:?}");
            assert_eq!(records.len(), 7);
            count += 1;
        }
        assert!((100..=170).contains(&count), "{count} deploys of seven services in twenty days");
        assert!(hours.iter().all(|hour| (FROM_HOUR..TO_HOUR).contains(hour)), "{hours:?}");
    }
}
