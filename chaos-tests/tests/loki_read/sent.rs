//! The known records: three services, a message of another kind each, fields of every type, moments to the nanosecond.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_model::Timestamp;
use serde_json::{Value, json};

pub(crate) const RECORDS: usize = 1_500;
const START: &str = "2026-01-31T10:00:00Z";
const EVERY_SECS: u64 = 2;
pub(crate) const SECOND: i64 = 1_000_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) number: usize,
    /// Nanoseconds since 1970.
    pub(crate) at: i64,
    pub(crate) service: &'static str,
    /// In lower case.
    pub(crate) level: &'static str,
    pub(crate) region: &'static str,
    pub(crate) host: String,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) status: i64,
    pub(crate) took_ms: u64,
    pub(crate) message: String,
    pub(crate) user: String,
}

pub(crate) fn start() -> i64 {
    Timestamp::parse(START).map(|start| start.0).unwrap_or_default()
}

/// Behind the last record.
pub(crate) fn end() -> i64 {
    start() + RECORDS as i64 * EVERY_SECS as i64 * SECOND
}

pub(crate) fn sent() -> Vec<Sent> {
    (0..RECORDS).map(one).collect()
}

/// Every third lies right on a second, every third a nanosecond behind one.
fn one(number: usize) -> Sent {
    let service = ["checkout", "auth", "search"][number % 3];
    let user = format!("u{}", number % 7);
    let ms = number % 50;
    let message = match service {
        "checkout" if number.is_multiple_of(4) => format!("order {number} refused: Card declined"),
        "checkout" => format!("order {number} paid"),
        "auth" => json!({ "user": user, "ok": !number.is_multiple_of(5), "ms": ms, "deep": { "n": number } })
            .to_string(),
        _ => format!("found={number} user={user} note=\"all of it\""),
    };
    Sent {
        number,
        at: start() + number as i64 * EVERY_SECS as i64 * SECOND + [0, 1, SECOND / 2][number % 3],
        service,
        level: ["info", "info", "warn", "error", "debug"][number / 3 % 5],
        region: ["eu", "us", "ap", "sa"][number / 2 % 4],
        host: format!("web-{}", number % 6),
        latency_ms: (!number.is_multiple_of(5)).then_some(1.5 * (number % 97) as f64),
        status: [200, 200, 404, 500][number % 4],
        took_ms: (number % 90) as u64,
        message,
        user,
    }
}

fn body(sent: &Sent) -> String {
    let mut record = json!({
        "timestamp": nanos_text(sent.at), "service": sent.service, "level": sent.level.to_uppercase(),
        "message": sent.message, "region": sent.region, "host": sent.host, "http.status": sent.status,
        "took": format!("{}ms", sent.took_ms), "size": format!("{}KB", sent.number % 3), "number": sent.number,
        "flag": sent.number.is_multiple_of(2), "ratio": sent.number as f64 + 0.5, "Case": if sent.number.is_multiple_of(2) { "Ab" } else { "aB" },
    });
    if let Some(latency_ms) = sent.latency_ms {
        record["latency_ms"] = json!(latency_ms);
    }
    format!("{record}\n")
}

fn nanos_text(at: i64) -> String {
    let whole = Timestamp(at.div_euclid(SECOND) * SECOND).to_string();
    let (secs, _) = whole.split_once('.').unwrap_or((&whole, ""));
    format!("{secs}.{:09}Z", at.rem_euclid(SECOND))
}

/// Sends all of it, taking turns among the nodes.
pub(crate) async fn send(apis: &[Api], sent: &[Sent]) -> Result<()> {
    let lines: Vec<String> = sent.iter().map(body).collect();
    for (turn, batch) in lines.chunks(250).enumerate() {
        let api = apis.get(turn % apis.len()).context("no node")?;
        let headers = [("content-type", "application/x-ndjson")];
        let answer = api.ingest(&headers, batch.concat().into_bytes()).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
        ensure!(answer.json.get("rejected").and_then(Value::as_u64).unwrap_or(0) == 0, "{}", answer.text);
    }
    Ok(())
}
