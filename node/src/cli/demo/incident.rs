//! What goes wrong in the shop, for how long, and what it does to a service.

use super::shop::Service;
use crate::cli::prng::Prng;
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StripeTimeouts,
    PoolExhausted,
    SlowQueries,
    Silence,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::StripeTimeouts, Kind::PoolExhausted, Kind::SlowQueries, Kind::Silence];

    pub(super) fn title(self) -> &'static str {
        match self {
            Kind::StripeTimeouts => "Stripe times out",
            Kind::PoolExhausted => "inventory's database pool is exhausted",
            Kind::SlowQueries => "search queries are slow",
            Kind::Silence => "auth has fallen silent",
        }
    }
}

/// One incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Incident {
    pub(super) kind: Kind,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

/// What an incident does to one call of one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) latency_factor: f64,
    pub(super) error_share: f64,
    pub(super) silent: bool,
}

impl Effect {
    /// A calm day: one call in 250 fails all the same.
    const NONE: Effect = Effect { latency_factor: 1.0, error_share: 0.004, silent: false };
}

impl Incident {
    /// The next one: 90 to 150 s after `previous_end`, 30 to 60 s long.
    pub(super) fn after(previous_end: Timestamp, prng: &mut Prng) -> Incident {
        let pause_secs = 90 + prng.below(61) as i64;
        let length_secs = 30 + prng.below(31) as i64;
        let start = Timestamp(previous_end.0.saturating_add(pause_secs * NANOS_PER_SEC));
        let end = Timestamp(start.0.saturating_add(length_secs * NANOS_PER_SEC));
        Incident { kind: prng.pick(&Kind::ALL, Kind::StripeTimeouts), start, end }
    }

    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        (self.start..self.end).contains(&now)
    }

    pub(super) fn effect(&self, service: Service, now: Timestamp) -> Effect {
        if !self.is_on(now) {
            return Effect::NONE;
        }
        match (self.kind, service) {
            (Kind::StripeTimeouts, Service::Payment) => {
                Effect { latency_factor: 40.0, error_share: 0.65, ..Effect::NONE }
            }
            (Kind::PoolExhausted, Service::Inventory) => {
                Effect { latency_factor: 25.0, error_share: 0.45, ..Effect::NONE }
            }
            (Kind::SlowQueries, Service::Search) => {
                Effect { latency_factor: 30.0, error_share: 0.02, ..Effect::NONE }
            }
            (Kind::Silence, Service::Auth) => Effect { silent: true, ..Effect::NONE },
            _ => Effect::NONE,
        }
    }
}
