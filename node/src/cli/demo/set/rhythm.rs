//! When requests arrive within the day, and when what goes wrong. Pure.

use insighthub_model::Timestamp;

use super::services::Service;

pub(super) const DAY_MINUTES: usize = 1_440;
const NANOS_PER_MINUTE: f64 = 60e9;

/// A stretch in which a service is ill.
#[derive(Debug)]
pub(super) struct Incident {
    /// Minutes since the start of the set.
    from: f64,
    minutes: f64,
    service: Service,
    latency_factor: f64,
    failure_share: f64,
}

const fn incident(
    from: f64,
    minutes: f64,
    service: Service,
    latency_factor: f64,
    failure_share: f64,
) -> Incident {
    Incident { from, minutes, service, latency_factor, failure_share }
}

/// The day's incidents: a database that fails over, a provider that answers late, a bad deploy, a cold
/// cache, a broken mail server.
const INCIDENTS: [Incident; 6] = [
    incident(191.0, 9.0, Service::Inventory, 6.0, 0.30),
    incident(578.0, 27.0, Service::Payment, 4.0, 0.25),
    incident(869.0, 18.0, Service::Search, 1.2, 0.15),
    incident(1_012.0, 35.0, Service::Cart, 8.0, 0.01),
    incident(1_163.0, 12.0, Service::Auth, 2.0, 0.20),
    incident(1_290.0, 40.0, Service::Notification, 1.0, 0.50),
];

/// What an incident does to a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effect {
    pub(super) latency_factor: f64,
    pub(super) failure_share: f64,
}

/// How a service is so many minutes after the start of the set.
pub(super) fn effect(service: Service, minute: f64) -> Effect {
    let ill = INCIDENTS.iter().find(|incident| {
        incident.service == service && (incident.from..incident.from + incident.minutes).contains(&minute)
    });
    match ill {
        Some(Incident { latency_factor, failure_share, .. }) => {
            Effect { latency_factor: *latency_factor, failure_share: *failure_share }
        }
        None => Effect { latency_factor: 1.0, failure_share: service.failure_share() },
    }
}

/// The day's traffic: how much of it has passed at each minute.
#[derive(Debug)]
pub(super) struct Rhythm {
    from: Timestamp,
    /// Share of the day's traffic before each minute; the last is 1.
    passed: Vec<f64>,
}

impl Rhythm {
    pub(super) fn new(from: Timestamp) -> Rhythm {
        let busy: Vec<f64> = (0..DAY_MINUTES).map(|minute| busyness(from.minute() + minute as i64)).collect();
        let total: f64 = busy.iter().sum();
        let mut sum = 0.0;
        let mut passed: Vec<f64> = busy
            .iter()
            .map(|busy| {
                let before = sum / total;
                sum += busy;
                before
            })
            .collect();
        passed.push(1.0);
        Rhythm { from, passed }
    }

    /// When this share of the day's traffic has passed.
    pub(super) fn moment(&self, share: f64) -> Timestamp {
        let after = self.passed.partition_point(|passed| *passed <= share).clamp(1, DAY_MINUTES);
        let at = |index: usize| self.passed.get(index).copied().unwrap_or(1.0);
        let (low, high) = (at(after - 1), at(after));
        let minutes = (after - 1) as f64 + (share - low) / (high - low).max(f64::EPSILON);
        Timestamp(self.from.0 + (minutes * NANOS_PER_MINUTE) as i64)
    }

    /// Minutes since the start.
    pub(super) fn minute(&self, moment: Timestamp) -> f64 {
        (moment.0 - self.from.0) as f64 / NANOS_PER_MINUTE
    }
}

/// Least at 04:00, most at 16:00 UTC, with a bump at noon.
pub(super) fn busyness(minute: i64) -> f64 {
    let day_share = minute.rem_euclid(DAY_MINUTES as i64) as f64 / DAY_MINUTES as f64;
    let noon = (-((day_share - 0.5) * 24.0).powi(2)).exp();
    1.0 - 0.55 * (std::f64::consts::TAU * (day_share - 4.0 / 24.0)).cos() + 0.15 * noon
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_cover_the_day_in_order() {
        let from = Timestamp::parse("2026-01-30T00:00:00Z").unwrap();
        let rhythm = Rhythm::new(from);
        let moments: Vec<_> = (0..=1_000).map(|share| rhythm.moment(f64::from(share) / 1_000.0)).collect();
        assert!(moments.is_sorted());
        assert_eq!(moments[0], from);
        assert!((rhythm.minute(moments[1_000]) - DAY_MINUTES as f64).abs() < 1e-6);
    }

    #[test]
    fn an_incident_is_felt_by_its_service_while_it_lasts() {
        assert_eq!(effect(Service::Payment, 580.0).failure_share, 0.25);
        assert_eq!(effect(Service::Cart, 580.0).latency_factor, 1.0);
        assert_eq!(effect(Service::Payment, 605.5).latency_factor, 1.0);
    }
}
