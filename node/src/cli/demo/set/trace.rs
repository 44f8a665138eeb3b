//! The records of one request: what each service it crosses writes, and when.

use std::io::Write;

use insighthub_model::{Level, Timestamp};

use super::queue::ArrivalQueue;
use super::rhythm::{Rhythm, busyness, effect};
use super::services::{REGIONS, ROUTES, Route, Service};
use super::template::{Kind, Template, Templates};
use super::variable::{COUNTRIES, Values};
use crate::cli::prng::Prng;

/// What no record of the set differs in.
#[derive(Debug)]
pub(super) struct World {
    pub(super) templates: Templates,
    pub(super) rhythm: Rhythm,
    /// No record is as late as this.
    pub(super) until: Timestamp,
    /// Records after which none is made.
    pub(super) records: u64,
}

const NANOS_PER_MS: f64 = 1e6;
/// Calls slower than this are logged as warnings.
const SLOW_MS: f64 = 1_500.0;
/// Nothing waits longer than the gateway does.
const LATENCY_MAX_MS: f64 = 30_000.0;
/// One call in 60 meets a pause, a lock or a cold cache.
const TAIL_SHARE: f64 = 0.0165;
const TAIL_FACTOR: f64 = 12.0;
/// A call that fails was waited for.
const FAILURE_FACTOR: f64 = 9.0;
/// Users there are; DESIGN's figures for peers are of about as many.
const USERS: u64 = 200_000;
/// The busiest of them, and the share of requests that are theirs.
const BUSY_USERS: u64 = 3_000;
const BUSY_USERS_SHARE: f64 = 0.08;
/// Requests of somebody who has not signed in.
const GUEST_SHARE: f64 = 0.06;
/// Records arrive up to this long after they were written, ms ...
const SHIPPING_MS: u64 = 100;
/// ... and some, of a shipper that was busy, up to this long.
const LATE_SHIPPING_MS: u64 = 3_000;
const LATE_SHIPPING_SHARE: f64 = 0.01;
/// Steps a call writes on average.
const STEPS_PER_CALL: f64 = 0.55;

/// A request on its way.
struct Passage<'a> {
    world: &'a World,
    queue: &'a mut ArrivalQueue,
    prng: &'a mut Prng,
    now: Timestamp,
    trace_id: Option<(u64, u64)>,
    is_guest: bool,
    region: &'static str,
    values: Values<'static>,
}

/// What makes one record differ from the others of its trace.
struct Saying<'a> {
    service: Service,
    template: &'a Template,
    latency_ms: Option<f64>,
    status: Option<u16>,
}

/// Makes the records of a request that arrives at `start`.
pub(super) fn request(
    world: &World,
    start: Timestamp,
    route: &'static Route,
    trace_id: Option<(u64, u64)>,
    queue: &mut ArrivalQueue,
    prng: &mut Prng,
) {
    let trace_id = trace_id.unwrap_or_else(|| (prng.next(), prng.next()));
    let mut passage = Passage::new(world, start, Some(trace_id), queue, prng);
    (passage.values.method, passage.values.path) = (route.method, route.path);
    passage.cross(route);
}

/// Makes one record that belongs to no request.
pub(super) fn idle(world: &World, now: Timestamp, queue: &mut ArrivalQueue, prng: &mut Prng) {
    let service = prng.pick(&Service::ALL, Service::Search);
    let mut passage = Passage::new(world, now, None, queue, prng);
    passage.say_of(service, Kind::Idle, None, None);
}

/// Makes one record of the payment service with this message.
pub(super) fn planted(
    world: &World,
    now: Timestamp,
    message: &Template,
    queue: &mut ArrivalQueue,
    prng: &mut Prng,
) {
    let mut passage = Passage::new(world, now, None, queue, prng);
    passage.say(&Saying { service: Service::Payment, template: message, latency_ms: None, status: None });
}

pub(super) fn route(prng: &mut Prng) -> &'static Route {
    let mut at = prng.below(ROUTES.iter().map(|route| route.weight).sum());
    for route in &ROUTES {
        if at < route.weight {
            return route;
        }
        at -= route.weight;
    }
    &ROUTES[0]
}

impl<'a> Passage<'a> {
    fn new(
        world: &'a World,
        now: Timestamp,
        trace_id: Option<(u64, u64)>,
        queue: &'a mut ArrivalQueue,
        prng: &'a mut Prng,
    ) -> Passage<'a> {
        let users = if prng.chance(BUSY_USERS_SHARE) { BUSY_USERS } else { USERS };
        let values = Values {
            latency_ms: 0.0,
            user_id: 100_000 + prng.below(users),
            order: prng.below(1 << 32),
            sku: prng.below(40_000),
            ip: prng.next() as u32,
            country: prng.pick(&COUNTRIES, "DE"),
            method: "GET",
            path: "/",
            status: 200,
            callee: Service::Catalog,
            hostname: "",
        };
        let is_guest = trace_id.is_none() || prng.chance(GUEST_SHARE);
        let region = prng.pick(&REGIONS, "eu-central-1");
        Passage { world, queue, prng, now, trace_id, is_guest, region, values }
    }

    fn cross(&mut self, route: &'static Route) {
        let start = self.now;
        self.values.callee = route.calls.first().copied().unwrap_or(Service::Catalog);
        if self.prng.chance(0.25) {
            self.say_of(Service::WebGateway, Kind::Step, None, None);
        }
        let mut fails = false;
        for service in route.calls {
            self.values.callee = *service;
            fails = self.call(*service, route);
            if fails {
                break;
            }
        }
        self.answer(route, start, fails);
    }

    /// One call behind the gateway; says whether it failed.
    fn call(&mut self, service: Service, route: &Route) -> bool {
        let minute = self.world.rhythm.minute(self.now);
        let effect = effect(service, minute);
        let fails = self.prng.chance(effect.failure_share);
        let mut steps = 0;
        while steps < 4 && self.prng.chance(STEPS_PER_CALL / (1.0 + STEPS_PER_CALL)) {
            let step_ms = self.prng.log_normal(1.5, 0.8);
            self.pass(step_ms);
            self.say_of(service, Kind::Step, None, None);
            steps += 1;
        }
        let load = 0.75 + 0.25 * busyness(self.now.minute());
        let tail = if self.prng.chance(TAIL_SHARE) { TAIL_FACTOR } else { 1.0 };
        let patience = if fails { FAILURE_FACTOR } else { 1.0 };
        let median =
            service.median_ms() * route.latency_factor * load * effect.latency_factor * tail * patience;
        let latency_ms = rounded(self.prng.log_normal(median, service.spread()));
        self.pass(latency_ms);
        let (kind, status) = match (fails, latency_ms > SLOW_MS) {
            (true, _) => (Kind::Fail, self.prng.pick(&[500, 502, 503, 504, 409, 422], 500)),
            (false, true) => (Kind::Slow, 200),
            (false, false) => (Kind::Done, 200),
        };
        self.say_of(service, kind, Some(latency_ms), Some(status));
        fails
    }

    /// The gateway's record, when everything else is done.
    fn answer(&mut self, route: &Route, start: Timestamp, fails: bool) {
        let own_ms = self.prng.log_normal(Service::WebGateway.median_ms(), Service::WebGateway.spread());
        self.pass(own_ms);
        let latency_ms = rounded((self.now.0 - start.0) as f64 / NANOS_PER_MS);
        // What failed behind the gateway is an error there once in three times; else it degrades.
        let fails = (fails && self.prng.chance(0.33))
            || self.prng.chance(effect(Service::WebGateway, 0.0).failure_share);
        let (kind, status) = match fails {
            true => (Kind::Fail, self.prng.pick(&[502, 503, 504], 502)),
            false if latency_ms > 2.0 * SLOW_MS => (Kind::Slow, 200),
            false if route.method == "POST" => (Kind::Done, self.prng.pick(&[200, 201, 201, 400, 409], 200)),
            false => (Kind::Done, self.prng.pick(&[200, 200, 200, 200, 200, 200, 304, 304, 404], 200)),
        };
        self.say_of(Service::WebGateway, kind, Some(latency_ms), Some(status));
    }

    fn pass(&mut self, ms: f64) {
        self.now = Timestamp(self.now.0 + (ms * NANOS_PER_MS) as i64);
    }

    fn say_of(&mut self, service: Service, kind: Kind, latency_ms: Option<f64>, status: Option<u16>) {
        let world = self.world;
        if let Some(template) = world.templates.pick(service, kind, self.prng) {
            self.say(&Saying { service, template, latency_ms, status });
        }
    }

    fn say(&mut self, saying: &Saying<'_>) {
        if self.queue.made() >= self.world.records {
            return;
        }
        let mut line = self.queue.buffer();
        // The end of the set is sharp: what would be later is written at its last moment.
        let last = Timestamp(self.world.until.0 - NANOS_PER_MS as i64);
        let moment = Timestamp::from_millis(self.now.min(last).millis());
        let written = self.write(&mut line, moment, saying);
        debug_assert!(written.is_ok(), "a vector takes every text");
        let late = self.prng.chance(LATE_SHIPPING_SHARE);
        let delay_ms = self.prng.below(if late { LATE_SHIPPING_MS } else { SHIPPING_MS });
        self.queue.put(Timestamp(moment.0 + delay_ms as i64 * NANOS_PER_MS as i64), line);
    }

    fn write(&mut self, line: &mut Vec<u8>, moment: Timestamp, saying: &Saying<'_>) -> std::io::Result<()> {
        let Saying { service, template, latency_ms, status } = *saying;
        let (name, level): (&str, Level) = (service.name(), template.level);
        let host = format!("{name}-{}", self.prng.below(service.hosts()));
        write!(
            line,
            r#"{{"timestamp":"{moment}","service":"{name}","level":"{}","message":""#,
            level.name()
        )?;
        let mut values = Values { hostname: &host, ..self.values.clone() };
        values.latency_ms = latency_ms.unwrap_or_default();
        values.status = status.unwrap_or(200);
        template.render(line, &values, self.prng);
        if let Some(style) = template.stack {
            style.render(line, service, self.prng);
        }
        line.push(b'"');
        if let Some(latency_ms) = latency_ms {
            write!(line, r#","latency_ms":{latency_ms}"#)?;
        }
        if let Some((high, low)) = self.trace_id {
            write!(line, r#","trace_id":"{high:016x}{low:016x}""#)?;
        }
        if !self.is_guest {
            write!(line, r#","userId":{}"#, values.user_id)?;
        }
        if let Some(status) = status {
            let (method, path) = (values.method, values.path);
            write!(line, r#","method":"{method}","route":"{path}","status":{status}"#)?;
        }
        let (region, version) = (self.region, self.version(service, moment));
        write!(line, r#","region":"{region}","host":"{host}","version":"v2.{version}.0"}}"#)?;
        line.push(b'\n');
        Ok(())
    }

    /// Each service is deployed once in the day, one every two hours.
    fn version(&self, service: Service, moment: Timestamp) -> u64 {
        let deployed_at = 60.0 + 120.0 * (service as u64 as f64);
        service.minor_version() + u64::from(self.world.rhythm.minute(moment) >= deployed_at)
    }
}

/// Two digits behind the point, as a logger prints it.
fn rounded(latency_ms: f64) -> f64 {
    (latency_ms.clamp(0.05, LATENCY_MAX_MS) * 100.0).round() / 100.0
}
