//! One request to the shop: what each service it reaches logs about it.

use insighthub_model::{Level, Timestamp};

use super::incident::{Effect, Incidents};
use super::record::{DemoRecord, ErrorDetail, Http};
use super::shop::{REGIONS, ROUTES, Route, SERVICES, Service};
use super::stack_trace::{Failure, failure, novel_failure};
use crate::cli::prng::Prng;

/// Extra DEBUG and WARN records per record of a request.
pub(super) const SMALL_TALK_SHARE: f64 = 0.25;
/// A failing call takes this many times as long as a good one.
const FAILURE_LATENCY_FACTOR: f64 = 8.0;
/// Calls slower than this are logged as warnings.
const SLOW_MS: f64 = 1_500.0;
const NANOS_PER_MS: f64 = 1e6;

/// What a request needs to know of the world at its time.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) incidents: &'a Incidents,
    /// Everything is slower when the shop is busy; 1 on a quiet night.
    pub(super) load_factor: f64,
    /// Minor version of each service, by its number.
    pub(super) versions: &'a [u64; SERVICES],
}

/// A request on its way through the shop.
struct Passage<'a> {
    world: &'a World<'a>,
    route: &'static Route,
    now: Timestamp,
    trace_id: Option<String>,
    user_id: Option<u64>,
    region: &'static str,
    records: Vec<DemoRecord>,
}

/// The records of one request that arrives at `start`, each with the time it is written.
pub(super) fn request(start: Timestamp, world: &World<'_>, prng: &mut Prng) -> Vec<DemoRecord> {
    let mut passage = Passage {
        world,
        route: route(start, world.incidents, prng),
        now: start,
        trace_id: Some(format!("{:016x}{:016x}", prng.next(), prng.next())),
        // A few users are very busy: the square of a uniform deviate leans to the small numbers.
        user_id: Some(1_000 + (prng.unit().powi(2) * 5_000.0) as u64),
        region: prng.pick(&REGIONS, "eu-central-1"),
        records: Vec::new(),
    };
    let mut status = 200;
    for service in passage.route.calls {
        status = passage.call(*service, prng);
        if status >= 500 {
            break;
        }
    }
    passage.answer(start, status, prng);
    passage.records
}

/// How much of the usual demand there is.
pub(super) fn demand_factor(incidents: &Incidents, now: Timestamp) -> f64 {
    let usual: u64 = ROUTES.iter().map(|route| route.weight).sum();
    ROUTES.iter().map(|route| demand(route, incidents, now)).sum::<f64>() / usual as f64
}

fn demand(route: &Route, incidents: &Incidents, now: Timestamp) -> f64 {
    route.weight as f64 * incidents.demand_factor(route, now)
}

fn route(now: Timestamp, incidents: &Incidents, prng: &mut Prng) -> &'static Route {
    let total: f64 = ROUTES.iter().map(|route| demand(route, incidents, now)).sum();
    let mut at = prng.unit() * total;
    for route in &ROUTES {
        let weight = demand(route, incidents, now);
        if at < weight {
            return route;
        }
        at -= weight;
    }
    &ROUTES[0]
}

/// What a service logs about a job that no request asked for.
pub(super) fn job(start: Timestamp, service: Service, world: &World<'_>, prng: &mut Prng) -> Vec<DemoRecord> {
    let mut passage = Passage {
        world,
        route: &ROUTES[0],
        now: start,
        trace_id: None,
        user_id: None,
        region: "eu-central-1",
        records: Vec::new(),
    };
    passage.call(service, prng);
    passage.records
}

impl Passage<'_> {
    /// One call behind the gateway; returns the status the gateway sees.
    fn call(&mut self, service: Service, prng: &mut Prng) -> u16 {
        let effect = self.world.incidents.effect(service, self.now);
        let outcome = outcome(&effect, prng);
        let failure = match outcome {
            Outcome::Good => None,
            Outcome::Failed => Some(failure(service, prng)),
            Outcome::FailedAnew => Some(novel_failure(service, prng)),
        };
        // A call is given up only after a wait; what is refused is refused at once.
        let patience =
            if failure.as_ref().is_some_and(|failure| failure.waits) { FAILURE_LATENCY_FACTOR } else { 1.0 };
        let median = service.median_ms() * effect.latency_factor.max(patience);
        let latency_ms = self.spend(median, effect.latency_spread, effect.added_ms, prng);
        if effect.silent {
            return 502;
        }
        if prng.chance(SMALL_TALK_SHARE) {
            self.small_talk(service, prng);
        }
        if prng.chance(effect.novel_warning_share) {
            let warning = filled(service.novel_warning(), 500, prng);
            let record = self.record(service, Level::Warn, warning, prng);
            self.records.push(record);
        }
        if let Some(failure) = failure {
            return self.fail(service, latency_ms, failure, prng);
        }
        let is_rare = prng.chance(effect.rare_news_share);
        let news = if is_rare { service.rare_news() } else { prng.pick(service.good_news(), "done") };
        let news = filled(news, 100_000, prng);
        let is_slow = latency_ms > SLOW_MS;
        let message = if is_slow { format!("slow call: {news}, took {latency_ms} ms") } else { news };
        let level = if is_slow { Level::Warn } else { Level::Info };
        let mut record = self.record(service, level, message, prng);
        record.latency_ms = Some(latency_ms);
        self.records.push(record);
        200
    }

    /// The gateway's access log, written when everything else is done.
    fn answer(&mut self, start: Timestamp, status: u16, prng: &mut Prng) {
        let Effect { latency_spread, .. } = Effect::NONE;
        self.spend(Service::WebGateway.median_ms(), latency_spread, 0.0, prng);
        let latency_ms = ((self.now.0 - start.0) as f64 / NANOS_PER_MS).round();
        let level = match status {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ => Level::Info,
        };
        let Route { method, path: route, .. } = *self.route;
        let message = match status {
            502 => format!("{method} {route} {status}: connect to auth failed: connection refused"),
            _ => format!("{method} {route} {status} in {latency_ms} ms"),
        };
        let mut record = self.record(Service::WebGateway, level, message, prng);
        record.latency_ms = Some(latency_ms);
        record.http = Some(Http { method, route, status });
        self.records.push(record);
    }

    /// Logs it; returns the status of a failed call.
    fn fail(&mut self, service: Service, latency_ms: f64, failure: Failure, prng: &mut Prng) -> u16 {
        let waited = latency_ms.round().to_string();
        let sentence = failure.message.replace("{waited}", &waited);
        let (message, stack) = if failure.stack_in_message {
            (format!("{sentence}\n{}", failure.stack), None)
        } else {
            (sentence, Some(failure.stack))
        };
        let mut record = self.record(service, Level::Error, message, prng);
        record.latency_ms = Some(latency_ms);
        record.error = Some(ErrorDetail { kind: failure.kind, stack });
        self.records.push(record);
        if service == Service::Auth { 401 } else { 504 }
    }

    fn small_talk(&mut self, service: Service, prng: &mut Prng) {
        let message = filled(service.small_talk(), 500, prng);
        let level = if prng.chance(0.1) { Level::Warn } else { Level::Debug };
        let record = self.record(service, level, message, prng);
        self.records.push(record);
    }

    /// Lets the time of one call pass; `median_ms` is that of a quiet night.
    fn spend(&mut self, median_ms: f64, spread: f64, added_ms: f64, prng: &mut Prng) -> f64 {
        let median_ms = median_ms * self.world.load_factor;
        // Nothing waits longer than the gateway's own limit of half a minute.
        let latency_ms = (prng.log_normal(median_ms, spread) + added_ms).clamp(0.2, 30_000.0);
        let rounded = (latency_ms * 10.0).round() / 10.0;
        self.now = Timestamp(self.now.0 + (rounded * NANOS_PER_MS) as i64);
        rounded
    }

    fn record(&self, service: Service, level: Level, message: String, prng: &mut Prng) -> DemoRecord {
        let version = self.world.versions.get(service as usize).copied().unwrap_or(0);
        DemoRecord {
            // Milliseconds, as most logging libraries write them.
            timestamp: Timestamp::from_millis(self.now.millis()),
            service: service.name(),
            level,
            message,
            latency_ms: None,
            trace_id: self.trace_id.clone(),
            user_id: self.user_id,
            http: None,
            error: None,
            host: format!("{}-{}", service.name(), prng.below(3) + 1),
            region: self.region,
            version: format!("1.{version}.0"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Failed,
    FailedAnew,
}

fn outcome(effect: &Effect, prng: &mut Prng) -> Outcome {
    let drawn = prng.unit();
    if drawn < effect.novel_failure_share {
        Outcome::FailedAnew
    } else if drawn < effect.novel_failure_share + effect.failure_share {
        Outcome::Failed
    } else {
        Outcome::Good
    }
}

/// A sentence with a number below `bound` in the place of `{}`.
fn filled(sentence: &str, bound: u64, prng: &mut Prng) -> String {
    sentence.replace("{}", &prng.below(bound).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::incident::Kind;
    use super::*;

    fn during(kind: Kind) -> Vec<DemoRecord> {
        let mut incidents = Incidents::named(vec![kind.at(Timestamp(0))]);
        incidents.advance(Timestamp(0));
        let world = World { incidents: &incidents, load_factor: 1.0, versions: &[1; SERVICES] };
        let mut prng = Prng::new(3);
        (0..2_000).flat_map(|_| request(Timestamp(1_000_000), &world, &mut prng)).collect()
    }

    fn count(records: &[DemoRecord], words: &str) -> usize {
        records.iter().filter(|record| record.message.contains(words)).count()
    }

    #[test]
    fn one_trace_crosses_the_services_of_a_request() {
        let records = during(Kind::LatencySpike);
        let payment = records.iter().find(|record| record.service == "payment-service").unwrap();
        let mut services: Vec<_> = records
            .iter()
            .filter(|record| record.trace_id == payment.trace_id)
            .map(|record| record.service)
            .collect();
        services.dedup();
        assert_eq!(services, ["auth", "inventory", "checkout", "payment-service", "web-gateway"]);
    }

    #[test]
    fn declined_payments_raise_old_errors_and_a_new_one() {
        let (calm, burst) = (during(Kind::LatencySpike), during(Kind::ErrorBurst));
        assert_eq!(count(&calm, "does not match account currency"), 0);
        let payments = burst.iter().filter(|record| record.service == "payment-service").count();
        let (old, new) = (count(&burst, "Stripe timeout"), count(&burst, "does not match account currency"));
        assert!(old * 30 > payments && new * 20 > payments, "{old} old and {new} new of {payments}");
        assert!(burst.iter().any(|record| {
            record.message.contains("Stripe timeout") && record.message.contains("\n\tat ")
        }));
    }

    #[test]
    fn a_silent_service_logs_nothing_and_is_missed_by_the_gateway() {
        let records = during(Kind::Silence);
        assert!(records.iter().all(|record| record.service != "auth"));
        assert!(records.iter().any(|record| record.message.contains("connection refused")));
    }

    #[test]
    fn messages_are_new_or_more_frequent_in_their_incidents_only() {
        let calm = during(Kind::LatencySpike);
        assert_eq!(count(&calm, "falling back to table"), 0);
        assert!(count(&during(Kind::NewMessage), "falling back to table") > 8);
        let (before, after) = (
            count(&calm, "read from the replica"),
            count(&during(Kind::MessageShift), "read from the replica"),
        );
        assert!(after > 20 * before && before > 0, "{before} and {after}");
    }

    #[test]
    fn demand_falls_and_rises() {
        let of = |kind: Kind, service: &str| {
            during(kind).iter().filter(|record| record.service == service).count()
        };
        assert!(of(Kind::TrafficDrop, "checkout") * 8 < of(Kind::LatencySpike, "checkout"));
        let mut incidents = Incidents::named(vec![Kind::TrafficSurge.at(Timestamp(0))]);
        assert_eq!(demand_factor(&incidents, Timestamp(0)), 1.0);
        incidents.advance(Timestamp(0));
        assert!((1.9..2.1).contains(&demand_factor(&incidents, Timestamp(0))));
    }
}
