//! One request to the shop: what each service it reaches logs about it.

use insighthub_model::{Level, Timestamp};

use super::incident::Incident;
use super::record::{DemoRecord, ErrorDetail, Http};
use super::shop::{REGIONS, ROUTES, Route, Service};
use super::stack_trace::failure;
use crate::cli::prng::Prng;

/// Extra DEBUG and WARN records per record of a request.
pub(super) const SMALL_TALK_SHARE: f64 = 0.25;
/// A failing call takes this many times as long as a good one.
const FAILURE_LATENCY_FACTOR: f64 = 25.0;
/// Calls slower than this are logged as warnings.
const SLOW_MS: f64 = 1_500.0;
const NANOS_PER_MS: f64 = 1e6;

/// What a request needs to know of the world at its time.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) incident: &'a Incident,
    /// Everything is slower when the shop is busy; 1 on a quiet night.
    pub(super) load_factor: f64,
    /// Minor version of each service, by its number.
    pub(super) versions: &'a [u64; 6],
}

/// A request on its way through the shop.
struct Passage<'a> {
    world: &'a World<'a>,
    route: &'static Route,
    now: Timestamp,
    trace_id: String,
    user_id: u64,
    region: &'static str,
    records: Vec<DemoRecord>,
}

/// The records of one request that arrives at `start`, each with the time it is written.
pub(super) fn request(start: Timestamp, world: &World<'_>, prng: &mut Prng) -> Vec<DemoRecord> {
    let mut passage = Passage {
        world,
        route: route(prng),
        now: start,
        trace_id: format!("{:016x}{:016x}", prng.next(), prng.next()),
        // A few users are very busy: the square of a uniform deviate leans to the small numbers.
        user_id: 1_000 + (prng.unit().powi(2) * 5_000.0) as u64,
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

fn route(prng: &mut Prng) -> &'static Route {
    let total: u64 = ROUTES.iter().map(|route| route.weight).sum();
    let mut at = prng.below(total);
    for route in &ROUTES {
        if at < route.weight {
            return route;
        }
        at -= route.weight;
    }
    &ROUTES[0]
}

impl Passage<'_> {
    /// One call behind the gateway; returns the status the gateway sees.
    fn call(&mut self, service: Service, prng: &mut Prng) -> u16 {
        let effect = self.world.incident.effect(service, self.now);
        let fails = prng.chance(effect.error_share);
        // A call is given up only after a wait; a bad token is refused at once.
        let patience = if fails && service != Service::Auth { FAILURE_LATENCY_FACTOR } else { 1.0 };
        let latency_ms = self.spend(service, effect.latency_factor.max(patience), prng);
        if effect.silent {
            return 502;
        }
        if prng.chance(SMALL_TALK_SHARE) {
            self.small_talk(service, prng);
        }
        if fails {
            self.fail(service, latency_ms, prng);
            return if service == Service::Auth { 401 } else { 504 };
        }
        let is_slow = latency_ms > SLOW_MS;
        let news = prng.pick(service.good_news(), "done").replace("{}", &prng.below(100_000).to_string());
        let message = if is_slow { format!("slow call: {news}, took {latency_ms} ms") } else { news };
        let level = if is_slow { Level::Warn } else { Level::Info };
        let mut record = self.record(service, level, message, prng);
        record.latency_ms = Some(latency_ms);
        self.records.push(record);
        200
    }

    /// The gateway's access log, written when everything else is done.
    fn answer(&mut self, start: Timestamp, status: u16, prng: &mut Prng) {
        self.spend(Service::WebGateway, 1.0, prng);
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

    fn fail(&mut self, service: Service, latency_ms: f64, prng: &mut Prng) {
        let failure = failure(service, latency_ms, prng);
        let (message, stack) = if failure.stack_in_message {
            (format!("{}\n{}", failure.message, failure.stack), None)
        } else {
            (failure.message, Some(failure.stack))
        };
        let mut record = self.record(service, Level::Error, message, prng);
        record.latency_ms = Some(latency_ms);
        record.error = Some(ErrorDetail { kind: failure.kind, stack });
        self.records.push(record);
    }

    fn small_talk(&mut self, service: Service, prng: &mut Prng) {
        let message = service.small_talk().replace("{}", &prng.below(500).to_string());
        let level = if prng.chance(0.1) { Level::Warn } else { Level::Debug };
        let record = self.record(service, level, message, prng);
        self.records.push(record);
    }

    /// Lets the time of one call pass.
    fn spend(&mut self, service: Service, latency_factor: f64, prng: &mut Prng) -> f64 {
        let median = service.median_ms() * self.world.load_factor * latency_factor;
        // Nothing waits longer than the gateway's own limit of half a minute.
        let latency_ms = prng.log_normal(median, 0.45).clamp(0.2, 30_000.0);
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
            trace_id: Some(self.trace_id.clone()),
            user_id: Some(self.user_id),
            http: None,
            error: None,
            host: format!("{}-{}", service.name(), prng.below(3) + 1),
            region: self.region,
            version: format!("1.{version}.0"),
        }
    }
}

/// The banner a service prints when a new version starts.
pub(super) fn deploy_banner(now: Timestamp, service: Service, version: u64, prng: &mut Prng) -> DemoRecord {
    DemoRecord {
        timestamp: Timestamp::from_millis(now.millis()),
        service: service.name(),
        level: Level::Info,
        message: format!("starting {} 1.{version}.0 (build {:07x})", service.name(), prng.below(1 << 28)),
        latency_ms: None,
        trace_id: None,
        user_id: None,
        http: None,
        error: None,
        host: format!("{}-{}", service.name(), prng.below(3) + 1),
        region: prng.pick(&REGIONS, "eu-central-1"),
        version: format!("1.{version}.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::incident::Kind;
    use super::*;

    fn during(kind: Kind) -> Vec<DemoRecord> {
        let incident = Incident { kind, start: Timestamp(0), end: Timestamp::MAX };
        let world = World { incident: &incident, load_factor: 1.0, versions: &[1; 6] };
        let mut prng = Prng::new(3);
        (0..2_000).flat_map(|_| request(Timestamp(1_000_000), &world, &mut prng)).collect()
    }

    #[test]
    fn one_trace_crosses_the_services_of_a_request() {
        let records = during(Kind::SlowQueries);
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
    fn stripe_timeouts_raise_errors_with_multi_line_traces() {
        let records = during(Kind::StripeTimeouts);
        let payments: Vec<_> = records.iter().filter(|record| record.service == "payment-service").collect();
        let errors = payments.iter().filter(|record| record.level == Level::Error).count();
        assert!(errors * 2 > payments.len() / 2, "{errors} of {}", payments.len());
        assert!(payments.iter().any(|record| record.message.contains("Stripe timeout") && record.message.contains("\n\tat ")));
    }

    #[test]
    fn a_silent_service_logs_nothing_and_is_missed_by_the_gateway() {
        let records = during(Kind::Silence);
        assert!(records.iter().all(|record| record.service != "auth"));
        assert!(records.iter().any(|record| record.message.contains("connection refused")));
    }
}
