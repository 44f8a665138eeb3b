//! What goes wrong in the shop, when, and what it does to a call and to the demand. Pure: time is an argument.

pub(super) mod args;
mod kind;
mod schedule;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

pub(super) use self::kind::Kind;
use self::schedule::Schedule;
use super::shop::{Route, Service};

/// How long a drift builds up.
const DRIFT_NANOS: f64 = 45.0 * 60.0 * NANOS_PER_SEC as f64;
/// What it adds to a call in the end, ms: less than half of what a call takes, so that no single call is odd.
const DRIFT_MS: f64 = 9.0;

/// One incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Incident {
    pub(super) kind: Kind,
    pub(super) start: Timestamp,
    /// The first moment after it.
    pub(super) end: Timestamp,
}

/// What is done to one call of one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) latency_factor: f64,
    /// Standard deviation of the logarithm of latency.
    pub(super) latency_spread: f64,
    /// Every call waits this long first.
    pub(super) added_ms: f64,
    /// Calls that fail as one fails on any day, and calls that fail in a way never seen before; both at once.
    pub(super) failure_share: f64,
    pub(super) novel_failure_share: f64,
    /// Nothing is logged, and callers are refused.
    pub(super) silent: bool,
    /// Calls with a warning never seen before.
    pub(super) novel_warning_share: f64,
    /// Calls that say what a call says once in a hundred times.
    pub(super) rare_news_share: f64,
}

impl Effect {
    /// A calm day: one call in 250 fails all the same.
    pub(super) const NONE: Effect = Effect {
        latency_factor: 1.0,
        latency_spread: 0.45,
        added_ms: 0.0,
        failure_share: 0.004,
        novel_failure_share: 0.0,
        silent: false,
        novel_warning_share: 0.0,
        rare_news_share: 0.01,
    };
}

impl Incident {
    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        (self.start..self.end).contains(&now)
    }

    fn change(&self, effect: &mut Effect, now: Timestamp) {
        match self.kind {
            // Nothing comes from the cache: all calls are slow, none much slower than the slowest of any day.
            Kind::LatencySpike => (effect.latency_factor, effect.latency_spread) = (2.2, 0.12),
            Kind::LatencyDrift => {
                effect.added_ms = DRIFT_MS * ((now.0 - self.start.0) as f64 / DRIFT_NANOS).min(1.0);
                // All wait alike, so calls differ less than usual.
                effect.latency_spread = 0.25;
            }
            Kind::ErrorBurst => (effect.failure_share, effect.novel_failure_share) = (0.46, 0.14),
            Kind::Silence => effect.silent = true,
            Kind::NewMessage => effect.novel_warning_share = 0.15,
            Kind::MessageShift => effect.rare_news_share = 0.6,
            Kind::TrafficDrop | Kind::TrafficSurge => {}
        }
    }

    /// How much more of these requests arrive.
    fn demand_factor(&self, route: &Route) -> f64 {
        match self.kind {
            Kind::TrafficDrop if route.calls.contains(&Service::Checkout) => 0.05,
            Kind::TrafficSurge if route.path == "/api/login" => 9.0,
            _ => 1.0,
        }
    }
}

/// What goes wrong over time: what was named, or by chance.
#[derive(Debug)]
pub(super) struct Incidents {
    /// What is on, and what may be on soon.
    near: Vec<Incident>,
    /// What is named and lies ahead, the last first.
    named: Vec<Incident>,
    chance: Option<(Schedule, Incident)>,
}

impl Incidents {
    /// These, and nothing else.
    pub(super) fn named(mut incidents: Vec<Incident>) -> Incidents {
        incidents.sort_by_key(|incident| std::cmp::Reverse(incident.start));
        Incidents { near: Vec::new(), named: incidents, chance: None }
    }

    /// Seldom from `start` on, about twice an hour from `now` on.
    pub(super) fn by_chance(seed: u64, start: Timestamp, now: Timestamp) -> Incidents {
        let mut schedule = Schedule::new(seed, start, now);
        let first = schedule.next();
        Incidents { near: Vec::new(), named: Vec::new(), chance: Some((schedule, first)) }
    }

    /// Lets time pass: what is over is forgotten, what begins is on. Time never goes back.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.near.retain(|incident| incident.end > now);
        while let Some(begun) = self.named.pop_if(|next| next.start <= now) {
            self.near.push(begun);
        }
        let Some((schedule, next)) = &mut self.chance else { return };
        while next.start <= now {
            self.near.push(*next);
            *next = schedule.next();
        }
    }

    pub(super) fn effect(&self, service: Service, now: Timestamp) -> Effect {
        let mut effect = Effect::NONE;
        for incident in self.near.iter().filter(|incident| incident.is_on(now)) {
            if incident.kind.service() == service {
                incident.change(&mut effect, now);
            }
        }
        effect
    }

    pub(super) fn demand_factor(&self, route: &Route, now: Timestamp) -> f64 {
        let on = self.near.iter().filter(|incident| incident.is_on(now));
        on.map(|incident| incident.demand_factor(route)).product()
    }

    /// What is going on at this moment, for the line of progress.
    pub(super) fn news(&self, now: Timestamp) -> String {
        let on = self.near.iter().filter(|incident| incident.is_on(now));
        let said = on.map(|incident| {
            let left_secs = (incident.end.0 - now.0) / NANOS_PER_SEC;
            format!("; {}: {} ({left_secs} s more)", incident.kind.name(), incident.kind.title())
        });
        said.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_incidents_are_on_at_their_time_and_may_overlap() {
        let secs = |secs: i64| Timestamp(secs * NANOS_PER_SEC);
        let named = vec![Kind::Silence.at(secs(100)), Kind::LatencySpike.at(secs(50))];
        let mut incidents = Incidents::named(named);
        for (now, spike, silent) in
            [(49, false, false), (50, true, false), (120, true, true), (409, true, true), (411, false, true)]
        {
            incidents.advance(secs(now));
            incidents.advance(secs(now));
            let factor = incidents.effect(Service::Search, secs(now)).latency_factor;
            assert_eq!(factor > 1.0, spike, "spike at {now}");
            assert_eq!(incidents.effect(Service::Auth, secs(now)).silent, silent, "silence at {now}");
            assert_eq!(incidents.news(secs(now)).contains("latency-spike"), spike);
        }
        assert_eq!(incidents.effect(Service::Payment, secs(120)), Effect::NONE);
    }

    #[test]
    fn a_drift_builds_up_slowly() {
        let drift = Kind::LatencyDrift.at(Timestamp(0));
        let added_ms = |minutes: i64| {
            let mut effect = Effect::NONE;
            drift.change(&mut effect, Timestamp(minutes * 60 * NANOS_PER_SEC));
            effect.added_ms
        };
        assert_eq!([0, 15, 45, 80].map(added_ms), [0.0, DRIFT_MS / 3.0, DRIFT_MS, DRIFT_MS]);
    }
}
