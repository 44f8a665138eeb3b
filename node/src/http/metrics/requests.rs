//! Requests by what they are for: how many with which answer, how long until it began, and why they were refused.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use insighthub_storage::durations::Durations;

use super::super::AppState;
use super::page::{Kind, Page};

/// What requests are for. Never a path: strangers choose those.
const CLASSES: [&str; 10] =
    ["ingest", "query", "explore", "tail", "anomalies", "alerts", "cluster", "access", "health", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Why a request is refused that may be sent again: the codes of such answers. Others are counted as the last.
const REASONS: [&str; 8] = [
    "busy",
    "disk_full",
    "stopping",
    "rate_limited",
    "too_many_services",
    "unavailable",
    "outcome_unknown",
    "other",
];

/// How paths begin, and what they are for; the first that fits counts.
const PATHS: [(&str, &str); 33] = [
    ("/api/logs", "query"),
    ("/api/query/export", "query"),
    ("/api/query/", "explore"),
    ("/api/query", "query"),
    ("/api/aggregates", "explore"),
    ("/api/services", "explore"),
    ("/api/dead-letters", "query"),
    ("/api/accounting", "query"),
    ("/ws/", "tail"),
    ("/loki/api/v1/push", "ingest"),
    ("/loki/api/v1/tail", "tail"),
    ("/loki/", "query"),
    ("/v1/logs", "ingest"),
    ("/services/collector", "ingest"),
    ("/upload", "ingest"),
    ("/api/anomalies", "anomalies"),
    ("/api/settings/detection", "anomalies"),
    ("/api/alerts", "alerts"),
    ("/api/cluster", "cluster"),
    ("/api/backup", "cluster"),
    ("/api/settings", "cluster"),
    ("/api/admin", "cluster"),
    ("/api/session", "access"),
    ("/api/login", "access"),
    ("/api/logout", "access"),
    ("/api/users", "access"),
    ("/api/tokens", "access"),
    ("/api/audit", "access"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/ready", "health"),
    ("/metrics", "health"),
    ("/", "other"),
];

/// Why an answer refuses; travels with the answer to where it is counted.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Refused(pub(in crate::http) &'static str);

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct RequestCounts {
    classes: [ClassCounts; CLASSES.len()],
    refusals: [AtomicU64; REASONS.len()],
}

#[derive(Debug, Default)]
struct ClassCounts {
    statuses: [AtomicU64; STATUSES.len()],
    durations: Durations,
}

/// Counts every request that is answered.
pub(in crate::http) async fn count(State(node): State<AppState>, request: Request, next: Next) -> Response {
    let class = class_of(request.method(), request.uri().path());
    let begun = Instant::now();
    let response = next.run(request).await;
    let counts = &node.requests;
    let place = CLASSES.iter().position(|known| *known == class);
    if let Some(counts) = place.and_then(|place| counts.classes.get(place)) {
        counts.durations.note(begun.elapsed());
        let status = usize::from(response.status().as_u16() / 100).saturating_sub(1);
        if let Some(count) = counts.statuses.get(status) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    if let Some(Refused(reason)) = response.extensions().get() {
        let place = REASONS.iter().position(|known| known == reason).unwrap_or(REASONS.len() - 1);
        if let Some(count) = counts.refusals.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    response
}

fn class_of(method: &Method, path: &str) -> &'static str {
    let takes_in = *method == Method::POST || *method == Method::PUT;
    if takes_in && (path == "/api/logs" || path.ends_with("/_bulk")) {
        return "ingest";
    }
    let found = PATHS.iter().find(|(beginning, _)| path.starts_with(beginning));
    found.map_or("other", |(_, class)| class)
}

impl RequestCounts {
    pub(super) fn write(&self, page: &mut Page) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        let help = "Requests answered, by what they are for and the class of the answer's status.";
        let mut family = page.family(Kind::Counter, "insighthub_http_requests_total", help);
        for (class, counts) in CLASSES.iter().zip(&self.classes) {
            for (status, count) in STATUSES.iter().zip(&counts.statuses) {
                family.sample(&[("class", class), ("status", status)], read(count));
            }
        }
        let help = "Time from the head of a request to the head of its answer.";
        let mut family = page.family(Kind::Histogram, "insighthub_http_request_duration_seconds", help);
        for (class, counts) in CLASSES.iter().zip(&self.classes) {
            family.histogram(&[("class", class)], &counts.durations.lengths());
        }
        let help = "Requests refused that may be sent again (429, 503), by the code of the answer.";
        let mut family = page.family(Kind::Counter, "insighthub_http_refusals_total", help);
        for (reason, count) in REASONS.iter().zip(&self.refusals) {
            family.sample(&[("reason", reason)], read(count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_they_are_for() {
        for (method, path, class) in [
            (Method::POST, "/api/logs", "ingest"),
            (Method::GET, "/api/logs", "query"),
            (Method::PUT, "/logs-2026/_bulk", "ingest"),
            (Method::GET, "/api/query/export", "query"),
            (Method::POST, "/api/query/histogram", "explore"),
            (Method::POST, "/api/query", "query"),
            (Method::GET, "/ws/logs", "tail"),
            (Method::POST, "/loki/api/v1/push", "ingest"),
            (Method::GET, "/loki/api/v1/query_range", "query"),
            (Method::GET, "/readyz", "health"),
            (Method::GET, "/assets/app.wasm", "other"),
            (Method::GET, "/wp-login.php", "other"),
        ] {
            assert_eq!(class_of(&method, path), class, "{method} {path}");
        }
        assert!(PATHS.iter().all(|(_, class)| CLASSES.contains(class)));
    }
}
