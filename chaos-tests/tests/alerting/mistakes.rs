//! What people get wrong, and the field that the answer names.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::api::Api;
use serde_json::{Value, json};

/// A path, what is sent, and the field at fault.
type Mistake = (&'static str, Value, &'static str);

const RULE: &str = "/api/alerts/rules/x";
const CHANNEL: &str = "/api/alerts/channels/x";
const SILENCE: &str = "/api/alerts/silences/x";

fn rule(field: &str, value: Value) -> Value {
    let mut rule = json!({ "title": "a rule", "condition": { "error_rate": {} } });
    rule[field] = value;
    rule
}

fn of_rules() -> Vec<Mistake> {
    vec![
        ("/api/alerts/rules/A%20b", rule("title", json!("a")), "name"),
        (RULE, json!({ "condition": { "error_rate": {} } }), "title"),
        (RULE, json!({ "title": "a" }), "condition"),
        (RULE, rule("title", json!("")), "title"),
        (RULE, rule("title", json!("a\r\nBcc: b")), "title"),
        (RULE, rule("titel", json!("a")), "titel"),
        (RULE, rule("filter", json!("level:(")), "filter"),
        (RULE, rule("filter", json!("* | stats count()")), "filter"),
        (RULE, rule("window_secs", json!(9)), "window_secs"),
        (RULE, rule("window_secs", json!("a minute")), "window_secs"),
        (RULE, rule("for_secs", json!(86_401)), "for_secs"),
        (RULE, rule("resolve_after_secs", json!(-1)), "resolve_after_secs"),
        (RULE, rule("repeat_secs", json!(59)), "repeat_secs"),
        (RULE, rule("severity", json!("awful")), "severity"),
        (RULE, rule("group_by", json!(["a", "b", "c", "d", "e"])), "group_by"),
        (RULE, rule("group_by", json!(["a", "a"])), "group_by"),
        (RULE, rule("labels", json!({ "A b": "c" })), "labels"),
        (RULE, rule("labels", json!({ "a": "b\nc" })), "labels"),
        (RULE, rule("owner", json!("a\u{0}")), "owner"),
        (RULE, rule("channels", json!(["nobody"])), "channels"),
        (RULE, rule("channels", json!(["a b"])), "channels"),
        (RULE, rule("template", json!("{{observd}}")), "template"),
        (RULE, rule("template", json!("x".repeat(2_001))), "template"),
    ]
}

fn of_conditions() -> Vec<Mistake> {
    let condition = |condition: Value| rule("condition", condition);
    vec![
        (RULE, condition(json!({ "error_rate": { "factor": 0.1 } })), "factor"),
        (RULE, condition(json!({ "error_rate": { "history_mins": 4 } })), "history_mins"),
        (RULE, condition(json!({ "latency": { "statistic": "sum", "threshold_ms": 1 } })), "statistic"),
        (RULE, condition(json!({ "latency": { "statistic": "p101", "threshold_ms": 1 } })), "statistic"),
        (RULE, condition(json!({ "latency": { "statistic": "avg" } })), "condition.latency.threshold_ms"),
        (RULE, condition(json!({ "latency": { "statistic": "avg", "threshold_ms": -1 } })), "threshold_ms"),
        (
            RULE,
            condition(json!({ "latency": { "statistic": "avg", "threshold_ms": 1, "field": "a b" } })),
            "field",
        ),
        (RULE, condition(json!({ "query": { "value": "count(", "is": ">", "threshold": 1 } })), "value"),
        (
            RULE,
            condition(json!({ "query": { "value": "count()", "is": "=", "threshold": 1 } })),
            "condition.query.is",
        ),
        (RULE, condition(json!({ "query": { "is": ">", "threshold": 1e300 } })), "threshold"),
        (RULE, condition(json!({ "ratio": { "of": ")", "is": ">", "threshold": 1 } })), "of"),
        (RULE, condition(json!({ "ratio": { "of": "a", "to": "(", "is": ">", "threshold": 1 } })), "to"),
        (RULE, condition(json!({ "no_data": { "lookback_secs": 1 } })), "lookback_secs"),
        (RULE, condition(json!({ "new_pattern": { "records_min": 0 } })), "records_min"),
        (RULE, condition(json!({ "anomaly": { "episodes_max": 1_001 } })), "episodes_max"),
    ]
}

fn of_channels() -> Vec<Mistake> {
    let hook = |more: Value| json!({ "kind": { "webhook": more } });
    let mail = |field: &str, value: Value| {
        let mut mail = json!({ "host": "mail", "from": "a@b", "to": ["c@d"] });
        mail[field] = value;
        json!({ "kind": { "email": mail } })
    };
    vec![
        (CHANNEL, hook(json!({})), "kind.webhook.url"),
        (CHANNEL, hook(json!({ "url": "ftp://a" })), "url"),
        (CHANNEL, hook(json!({ "url": "(set)" })), "url"),
        (CHANNEL, hook(json!({ "url": "https://a", "headers": { "Host": "b" } })), "headers"),
        (CHANNEL, hook(json!({ "url": "https://a", "headers": { "X-A": "b\r\nX-B: c" } })), "headers"),
        (CHANNEL, hook(json!({ "url": "https://a", "secret": "" })), "secret"),
        (CHANNEL, json!({ "kind": { "slack": {} } }), "webhook_url"),
        (CHANNEL, json!({ "kind": { "slack": { "token": "x" } } }), "webhook_url"),
        (CHANNEL, mail("to", json!([])), "to"),
        (CHANNEL, mail("to", json!(["a@b\r\nBcc: c@d"])), "to"),
        (CHANNEL, mail("from", json!("nobody")), "from"),
        (CHANNEL, mail("security", json!("none")), "kind.email.security"),
    ]
}

fn of_silences() -> Vec<Mistake> {
    let silence = |field: &str, value: Value| {
        let mut silence =
            json!({ "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T01:00:00Z", "reason": "x" });
        silence[field] = value;
        silence
    };
    vec![
        (SILENCE, silence("ends_at", json!("2025-01-01T00:00:00Z")), "ends_at"),
        (SILENCE, silence("reason", json!("")), "reason"),
        (SILENCE, silence("matches", json!({ "rule": "A b" })), "rule"),
        (SILENCE, silence("again", json!("hourly")), "again"),
    ]
}

/// None of it is kept, and each answer says what is wrong with what.
pub(super) async fn are_named(api: &Api) -> Result<()> {
    let mistakes = [of_rules(), of_conditions(), of_channels(), of_silences()].concat();
    let mut faults = Vec::new();
    for (path, body, field) in &mistakes {
        let answer = api.put_json(path, body).await?;
        if answer.status != 400 || answer.error("field") != *field || answer.error("message").is_empty() {
            faults.push(format!("{body}: {field} at fault, {} {}", answer.status, answer.text));
        }
    }
    ensure!(faults.is_empty(), "\n{}", faults.join("\n"));
    println!("{} mistakes named", mistakes.len());
    Ok(())
}
