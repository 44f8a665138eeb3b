//! Every route there is, what it asks of its caller, and what an admin is answered. The order is that in which an admin asks:
//! what is made is there for those that follow.

use super::stores;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) method: &'static str,
    /// As the document names it.
    pub(crate) path: &'static str,
    /// As it is asked; `TOKEN` stands for the id of a token.
    pub(crate) target: &'static str,
    pub(crate) body: Option<&'static str>,
    pub(crate) asks: &'static str,
    /// The status of somebody who may; a refusal where success would change what must stay.
    pub(crate) status: u16,
}

const OPEN: &str = "open";
pub(crate) const SEND: &str = "send_records";
const READ: &str = "read_logs";
const METRICS: &str = "read_metrics";
const ALERTS: &str = "manage_alerts";
const USERS: &str = "manage_users";
const TOKENS: &str = "manage_tokens";
const CLUSTER: &str = "manage_cluster";
const VIEWS: &str = "save_views";
const BACKUP: &str = "take_backup";

pub(crate) const fn get(path: &'static str, asks: &'static str) -> Line {
    Line { method: "GET", path, target: path, body: None, asks, status: 200 }
}

pub(crate) const fn post(path: &'static str, body: &'static str, asks: &'static str) -> Line {
    Line { method: "POST", path, target: path, body: Some(body), asks, status: 200 }
}

const fn options(path: &'static str) -> Line {
    Line { method: "OPTIONS", ..get(path, OPEN) }
}

pub(crate) const fn put(path: &'static str, body: &'static str, asks: &'static str) -> Line {
    Line { method: "PUT", ..post(path, body, asks) }
}

const fn patch(path: &'static str, body: &'static str, asks: &'static str) -> Line {
    Line { method: "PATCH", ..post(path, body, asks) }
}

const fn delete(path: &'static str, asks: &'static str) -> Line {
    Line { method: "DELETE", status: 204, ..get(path, asks) }
}

impl Line {
    pub(crate) const fn at(self, target: &'static str) -> Line {
        Line { target, ..self }
    }

    pub(crate) const fn gives(self, status: u16) -> Line {
        Line { status, ..self }
    }

    /// Splunk's collector, which has words of its own.
    pub(crate) fn is_of_collector(&self) -> bool {
        self.path.starts_with("/services/collector")
    }

    pub(crate) const fn empty(self) -> Line {
        Line { body: None, ..self }
    }
}

const RECORD: &str = r#"{"service": "checkout", "level": "error", "message": "charge declined"}"#;
const EVENT: &str = r#"{"event": "charge declined", "source": "checkout"}"#;
const RULE: &str = r#"{"title": "Errors", "condition": {"query": {"is": ">", "threshold": 1000000}}}"#;
const PREVIEW: &str =
    r#"{"rule": {"title": "Errors", "condition": {"query": {"is": ">", "threshold": 1000000}}}}"#;
const CHANNEL: &str = r#"{"kind": {"webhook": {"url": "https://hooks.example.com/never"}}}"#;
const SILENCE: &str =
    r#"{"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z", "reason": "release"}"#;
const VIEW: &str = r#"{"title": "Slow", "page": "explore", "address": "q=latency_ms%3A%3E500"}"#;
const DETECTION: &str = r#"{"revision": 0, "masks": [], "alerts_per_day": 0.2}"#;
const DIFFERENCE: &str = "/api/query/patterns/difference?from=2026-01-01T00:00:00Z";

/// All lines.
pub(crate) fn lines() -> Vec<Line> {
    [LINES, &stores::lines()].concat()
}

const LINES: &[Line] = &[
    get("/api/openapi.json", OPEN),
    get("/healthz", OPEN),
    get("/readyz", OPEN),
    get("/metrics", METRICS),
    post("/api/logs", RECORD, SEND),
    get("/api/logs", READ),
    post("/v1/logs", "{}", SEND),
    // Journals have a media type of their own.
    post("/upload", "", SEND).empty().gives(415),
    post("/services/collector", EVENT, SEND),
    post("/services/collector/event", EVENT, SEND),
    post("/services/collector/event/1.0", EVENT, SEND),
    post("/services/collector/raw", "a line", SEND),
    post("/services/collector/raw/1.0", "a line", SEND),
    // Without a channel.
    post("/services/collector/ack", r#"{"acks": [0]}"#, SEND).gives(400),
    options("/services/collector"),
    options("/services/collector/event"),
    options("/services/collector/event/1.0"),
    get("/services/collector/health", OPEN),
    get("/services/collector/health/1.0", OPEN),
    post("/api/query", r#"{"query": "* | stats count() as n"}"#, READ),
    get("/api/query/export", READ),
    get("/api/query/histogram", READ),
    post("/api/query/histogram", "{}", READ),
    get("/api/query/heatmap", READ),
    post("/api/query/heatmap", "{}", READ),
    get("/api/query/fields", READ),
    post("/api/query/fields", "{}", READ),
    get("/api/query/patterns", READ),
    post("/api/query/patterns", "{}", READ),
    get("/api/query/patterns/difference", READ).at(DIFFERENCE),
    post("/api/query/patterns/difference", r#"{"from": "2026-01-01T00:00:00Z"}"#, READ),
    get("/api/query/different", READ).at("/api/query/different?selection=level:error"),
    post("/api/query/different", r#"{"selection": "level:error"}"#, READ),
    // Without an upgrade.
    get("/ws/logs", READ).gives(400),
    get("/ready", OPEN),
    get("/loki/api/v1/query", READ).at("/loki/api/v1/query?query=vector(1)"),
    post("/loki/api/v1/query", "", READ).empty().at("/loki/api/v1/query?query=vector(1)"),
    get("/loki/api/v1/query_range", READ).at("/loki/api/v1/query_range?query=%7B%7D"),
    post("/loki/api/v1/query_range", "", READ).empty().at("/loki/api/v1/query_range?query=%7B%7D"),
    get("/loki/api/v1/labels", READ),
    post("/loki/api/v1/labels", "", READ).empty(),
    get("/loki/api/v1/label/{name}/values", READ).at("/loki/api/v1/label/level/values"),
    post("/loki/api/v1/label/{name}/values", "", READ).empty().at("/loki/api/v1/label/level/values"),
    get("/loki/api/v1/series", READ),
    post("/loki/api/v1/series", "", READ).empty(),
    get("/loki/api/v1/index/stats", READ),
    post("/loki/api/v1/index/stats", "", READ).empty(),
    get("/loki/api/v1/index/volume", READ),
    post("/loki/api/v1/index/volume", "", READ).empty(),
    get("/loki/api/v1/index/volume_range", READ),
    post("/loki/api/v1/index/volume_range", "", READ).empty(),
    get("/loki/api/v1/patterns", READ),
    post("/loki/api/v1/patterns", "", READ).empty(),
    get("/loki/api/v1/detected_labels", READ),
    post("/loki/api/v1/detected_labels", "", READ).empty(),
    get("/loki/api/v1/detected_fields", READ),
    post("/loki/api/v1/detected_fields", "", READ).empty(),
    get("/loki/api/v1/detected_field/{name}/values", READ).at("/loki/api/v1/detected_field/status/values"),
    post("/loki/api/v1/detected_field/{name}/values", "", READ)
        .empty()
        .at("/loki/api/v1/detected_field/status/values"),
    // Without an upgrade.
    get("/loki/api/v1/tail", READ).at("/loki/api/v1/tail?query=%7B%7D").gives(400),
    get("/loki/api/v1/drilldown-limits", READ),
    get("/loki/api/v1/status/buildinfo", READ),
    get("/loki/api/v1/format_query", READ).at("/loki/api/v1/format_query?query=%7B%7D"),
    post("/loki/api/v1/format_query", "", READ).empty().at("/loki/api/v1/format_query?query=%7B%7D"),
    get("/api/aggregates", READ),
    get("/api/services", READ),
    get("/api/anomalies", READ),
    get("/api/anomalies/windows", READ).at("/api/anomalies/windows?service=checkout"),
    get("/api/anomalies/patterns", READ).at("/api/anomalies/patterns?service=checkout"),
    get("/api/anomalies/detectors", READ),
    post("/api/anomalies/{id}/verdict", r#"{"verdict": "real"}"#, "judge_anomalies")
        .at("/api/anomalies/18a3f00c2b400000-0003-payment/verdict")
        .gives(404),
    get("/api/dead-letters", READ),
    get("/api/dead-letters/summary", READ),
    get("/api/accounting", READ),
    post("/api/dead-letters/replay", "{}", "replay_dead_letters"),
    get("/api/alerts/rules", READ),
    post("/api/alerts/rules/preview", PREVIEW, READ),
    put("/api/alerts/rules/{name}", RULE, ALERTS).at("/api/alerts/rules/errors"),
    get("/api/alerts/rules/{name}", READ).at("/api/alerts/rules/errors"),
    delete("/api/alerts/rules/{name}", ALERTS).at("/api/alerts/rules/errors"),
    get("/api/alerts/channels", READ),
    put("/api/alerts/channels/{name}", CHANNEL, ALERTS).at("/api/alerts/channels/ops"),
    get("/api/alerts/channels/{name}", READ).at("/api/alerts/channels/ops"),
    delete("/api/alerts/channels/{name}", ALERTS).at("/api/alerts/channels/ops"),
    post("/api/alerts/channels/{name}/test", "", ALERTS)
        .empty()
        .at("/api/alerts/channels/ops/test")
        .gives(404),
    get("/api/alerts/deliveries", READ),
    get("/api/alerts/silences", READ),
    put("/api/alerts/silences/{name}", SILENCE, ALERTS).at("/api/alerts/silences/night"),
    delete("/api/alerts/silences/{name}", ALERTS).at("/api/alerts/silences/night"),
    get("/api/alerts/incidents", READ),
    get("/api/alerts/incidents/{id}", READ).at("/api/alerts/incidents/1").gives(404),
    post("/api/alerts/incidents/{id}/acknowledge", "{}", "acknowledge_alerts")
        .at("/api/alerts/incidents/1/acknowledge")
        .gives(404),
    get("/api/views", READ),
    put("/api/views/{name}", VIEW, VIEWS).at("/api/views/slow"),
    delete("/api/views/{name}", VIEWS).at("/api/views/none").gives(404),
    get("/api/cluster", READ),
    post("/api/cluster/nodes", r#"{"name": "", "http": "", "peer": "", "control": ""}"#, CLUSTER).gives(400),
    delete("/api/cluster/nodes/{name}", CLUSTER).at("/api/cluster/nodes/n1").gives(409),
    post("/api/cluster/nodes/{name}/drain", "", CLUSTER).empty().at("/api/cluster/nodes/n1/drain").gives(409),
    post("/api/cluster/nodes/{name}/undrain", "", CLUSTER).empty().at("/api/cluster/nodes/n1/undrain"),
    post("/api/cluster/partitions/{number}/leader", r#"{"node": "n9"}"#, CLUSTER)
        .at("/api/cluster/partitions/0/leader")
        .gives(404),
    post("/api/cluster/spread", r#"{"service": "checkout", "partitions": 2}"#, CLUSTER),
    get("/api/settings/retention", READ),
    put("/api/settings/retention", r#"{"default_days": 30, "services": {}}"#, "manage_retention"),
    get("/api/settings/detection", READ),
    put("/api/settings/detection", DETECTION, "manage_detection"),
    post("/api/admin/delete", r#"{"query": "*", "reason": "a count", "dry_run": true}"#, "delete_logs"),
    get("/api/admin/deletions", "delete_logs"),
    get("/api/backup", BACKUP),
    get("/api/backup/control", BACKUP),
    post("/api/backup/partitions/{number}", "", BACKUP).empty().at("/api/backup/partitions/0"),
    get("/api/backup/partitions/{number}/blocks/{name}", BACKUP)
        .at("/api/backup/partitions/0/blocks/none")
        .gives(404),
    post("/api/login", r#"{"user": "mallory", "password": "not a user's"}"#, OPEN).gives(401),
    get("/api/login", OPEN),
    // No provider is configured.
    get("/api/login/oidc", OPEN).gives(404),
    get("/api/login/oidc/callback", OPEN).gives(404),
    post("/api/session/refresh", "", OPEN).empty().gives(401),
    post("/api/logout", "", OPEN).empty(),
    get("/api/session", READ),
    post("/api/session/password", "{}", READ).gives(400),
    get("/api/users", USERS),
    post("/api/users", r#"{"name": "eve", "role": "viewer", "password": "a canary of a password"}"#, USERS)
        .gives(201),
    patch("/api/users/{name}", r#"{"role": "viewer"}"#, USERS).at("/api/users/eve").gives(204),
    delete("/api/users/{name}", USERS).at("/api/users/eve"),
    get("/api/tokens", TOKENS),
    post("/api/tokens", r#"{"service": "payment"}"#, TOKENS),
    post("/api/tokens/{id}/rotate", r#"{"overlap_secs": 600}"#, TOKENS).at("/api/tokens/TOKEN/rotate"),
    delete("/api/tokens/{id}", TOKENS).at("/api/tokens/TOKEN"),
    get("/api/audit", "read_audit"),
];
