//! The records that every form carries: a line of a web shop, 320 bytes as NDJSON.

use insighthub_model::prng::SplitMix64;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const SERVICES: usize = 4;
const ROUTES: [&str; 5] =
    ["/api/orders", "/api/cart/items", "/api/products/search", "/api/login", "/api/stock"];
/// INFO mostly, as in a shop that works.
const LEVELS: [&str; 10] = ["INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"];

/// One record, in no form yet.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub(super) nanos: u64,
    pub(super) service: String,
    pub(super) level: &'static str,
    pub(super) message: String,
    pub(super) latency_ms: f64,
    pub(super) user: String,
    /// 32 hex digits.
    pub(super) trace_id: String,
    pub(super) host: String,
    pub(super) route: &'static str,
    pub(super) status: u64,
}

impl Logged {
    pub(super) fn timestamp(&self) -> String {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.nanos)).ok();
        at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
    }
}

/// So many records, a millisecond apart, the last one now.
pub(super) fn records(prefix: &str, count: usize, now: OffsetDateTime) -> Vec<Logged> {
    let mut dice = SplitMix64::new(1);
    let now = u64::try_from(now.unix_timestamp_nanos() / 1_000_000 * 1_000_000).unwrap_or(0);
    let at = |number: usize| now - (count - number) as u64 * 1_000_000;
    (0..count).map(|number| record(prefix, at(number), &mut dice)).collect()
}

fn record(prefix: &str, nanos: u64, dice: &mut SplitMix64) -> Logged {
    let level = LEVELS[dice.index(LEVELS.len())];
    let route = ROUTES[dice.index(ROUTES.len())];
    let latency_ms = 1.0 + dice.below(40_000) as f64 / 100.0;
    let order = dice.below(1_000_000);
    let message = match level {
        "ERROR" => format!("Stripe timeout after {latency_ms} ms: charge ch_{order:06x} is not confirmed"),
        "WARN" => format!("slow query {order} took {latency_ms} ms while serving {route}"),
        _ => format!("{route}/{order} completed in {latency_ms} ms with {} rows", dice.below(500)),
    };
    Logged {
        nanos,
        service: format!("{prefix}-{}", dice.index(SERVICES)),
        level,
        message,
        latency_ms,
        user: format!("u{}", dice.below(200_000)),
        trace_id: format!("{:016x}{:016x}", dice.next_u64(), dice.next_u64()),
        host: format!("node-{}.eu-1", dice.below(12)),
        route,
        status: if level == "ERROR" { 500 } else { 200 },
    }
}
