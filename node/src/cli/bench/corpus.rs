//! The records of a measurement, made before the clock starts: requests ready to be written.
//!
//! Records average 321 bytes as NDJSON, the size the project's published figures use. Messages,
//! trace ids and user ids differ from record to record, so neither a cache nor a codec gets a gift.

use std::fmt::Write as _;

use insighthub_model::Timestamp;

use super::prepared::{BodyFormat, PreparedRequest, RequestForm};
use crate::cli::error::CliError;
use crate::cli::prng::Prng;

/// What to make.
#[derive(Debug, Clone)]
pub(super) struct CorpusPlan {
    pub(super) records: u64,
    pub(super) batch: u64,
    pub(super) connections: u64,
    pub(super) form: RequestForm,
    pub(super) services: u64,
    pub(super) seed: u64,
    /// Timestamps run evenly from the first to the last.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

const SERVICES: [&str; 8] =
    ["checkout", "payment", "auth", "search", "inventory", "gateway", "shipping", "notification"];
const ROUTES: [&str; 6] =
    ["/api/orders", "/api/cart/items", "/api/products/search", "/api/login", "/api/stock", "/api/refunds"];
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// The name of a benchmark's service; no real service is called so.
pub(super) fn service_name(number: u64) -> String {
    let name = SERVICES.get((number % 8) as usize).unwrap_or(&"checkout");
    if number < 8 { format!("bench-{name}") } else { format!("bench-{name}-{}", number / 8) }
}

/// The requests of one connection: every `connections`-th batch, so that all of them advance in time together.
pub(super) fn requests_of(plan: &CorpusPlan, connection: u64) -> Result<Vec<PreparedRequest>, CliError> {
    let batches = plan.records.div_ceil(plan.batch);
    let mut requests = Vec::new();
    for (turn, batch) in (connection..batches).step_by(plan.connections.max(1) as usize).enumerate() {
        requests.push(prepare(plan, connection, turn as u64 + 1, batch)?);
    }
    Ok(requests)
}

fn prepare(
    plan: &CorpusPlan,
    connection: u64,
    sequence: u64,
    batch: u64,
) -> Result<PreparedRequest, CliError> {
    let first = batch * plan.batch;
    let records = plan.batch.min(plan.records - first);
    plan.form.prepare(connection, sequence, records, body(plan, first, records))
}

fn body(plan: &CorpusPlan, first: u64, records: u64) -> Vec<u8> {
    let mut text = String::with_capacity(records as usize * 330 + 2);
    let (open, between, close) = match plan.form.format {
        BodyFormat::Ndjson => ("", "\n", "\n"),
        BodyFormat::Json => ("[", ",", "]"),
    };
    text.push_str(open);
    for number in first..first + records {
        if number > first {
            text.push_str(between);
        }
        push_record(&mut text, plan, number);
    }
    text.push_str(close);
    text.into_bytes()
}

/// Everything about a record follows from the seed and its number, whatever batch it lands in.
fn push_record(text: &mut String, plan: &CorpusPlan, number: u64) {
    let mut prng = Prng::new(plan.seed ^ number.wrapping_mul(0xa076_1d64_78bd_642f));
    let service_number = prng.below(plan.services);
    let service = service_name(service_number);
    let span = i128::from(plan.to.0 - plan.from.0);
    let nanos = span * i128::from(number) / i128::from(plan.records.max(1));
    // Never past the last moment, so the cast cannot cut.
    let moment = Timestamp::from_millis(Timestamp(plan.from.0 + nanos as i64).millis());
    let roll = prng.below(1_000);
    let level = match roll {
        0..20 => "ERROR",
        20..70 => "WARN",
        70..200 => "DEBUG",
        _ => "INFO",
    };
    let latency_ms = (prng.log_normal(80.0, 0.8) * 100.0).round() / 100.0;
    let route = prng.pick(&ROUTES, "/api/orders");
    let method = prng.pick(&METHODS, "GET");
    let status = if roll < 20 { 500 } else { 200 };
    let user = prng.below(200_000);
    let (trace_high, trace_low, host) = (prng.next(), prng.next(), prng.below(12));
    // Writing into a String cannot fail.
    let written = write!(
        text,
        r#"{{"timestamp":"{moment}","service":"{service}","level":"{level}","message":"{}","latency_ms":{latency_ms},"userId":"u{user}","trace_id":"{trace_high:016x}{trace_low:016x}","host":"node-{host}.eu-1","http":{{"method":"{method}","route":"{route}","status":{status}}}}}"#,
        message(level, route, latency_ms, &mut prng)
    );
    debug_assert!(written.is_ok(), "a string takes every text");
}

fn message(level: &str, route: &str, latency_ms: f64, prng: &mut Prng) -> String {
    let number = prng.below(1_000_000);
    match level {
        "ERROR" if number.is_multiple_of(2) => {
            format!("Stripe timeout after {latency_ms} ms: charge ch_{number:06x} is not confirmed")
        }
        "ERROR" => {
            format!("connection to 10.0.{}.{} refused on attempt 3 of {route}", number % 250, number % 97)
        }
        "WARN" => format!("slow query {number} took {latency_ms} ms while serving {route}"),
        "DEBUG" => format!("cache miss for key item:{number} in region eu-central-1, loading it for {route}"),
        _ => format!("{route}/{number} completed in {latency_ms} ms with {} rows", prng.below(500)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepared::Encoding;
    use super::*;

    fn plan(format: BodyFormat, encoding: Encoding) -> CorpusPlan {
        CorpusPlan {
            records: 2_500,
            batch: 1_000,
            connections: 2,
            form: RequestForm {
                format,
                encoding,
                producer: "bench".to_owned(),
                head_lines: "host: n\r\n".to_owned(),
            },
            services: 8,
            seed: 1,
            from: Timestamp::parse("2025-12-02T00:00:00Z").unwrap(),
            to: Timestamp::parse("2025-12-03T00:00:00Z").unwrap(),
        }
    }

    fn all(plan: &CorpusPlan) -> Vec<PreparedRequest> {
        (0..2).flat_map(|connection| requests_of(plan, connection).unwrap()).collect()
    }

    #[test]
    fn records_have_the_size_the_published_figures_use() {
        let requests = all(&plan(BodyFormat::Ndjson, Encoding::None));
        let bytes: u64 = requests.iter().map(|request| request.raw_bytes).sum();
        let mean = bytes as f64 / 2_500.0;
        assert!((mean - 321.0).abs() < 4.0, "{mean} bytes a record");
    }

    #[test]
    fn every_record_is_in_one_request_and_unlike_the_others() {
        let requests = all(&plan(BodyFormat::Json, Encoding::None));
        assert_eq!(requests.iter().map(|request| request.records).sum::<u64>(), 2_500);
        let mut traces = std::collections::HashSet::new();
        for request in &requests {
            let head_end = request.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let records: Vec<serde_json::Value> = serde_json::from_slice(&request.bytes[head_end..]).unwrap();
            traces.extend(records.iter().map(|record| record["trace_id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(traces.len(), 2_500);
    }

    #[test]
    fn compressed_requests_hold_the_same_records() {
        let plain = all(&plan(BodyFormat::Ndjson, Encoding::None));
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let packed = all(&plan(BodyFormat::Ndjson, encoding));
            let raw = |requests: &[PreparedRequest]| requests.iter().map(|r| r.raw_bytes).sum::<u64>();
            assert_eq!(raw(&packed), raw(&plain));
            assert!(packed[0].bytes.len() * 2 < plain[0].bytes.len());
        }
    }
}
