//! Every kind of rule on a real node, all at once: what fires, what does not, what is said of it, and what holds it back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::receivers::{HttpReceiver, MailServer};
use insighthub_model::Timestamp;
use serde_json::{Value, json};

use super::{mistakes, node, now_millis, put, sent};

const FIRES_WITHIN: Duration = Duration::from_secs(40);
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// Of every rule here: as short as it may be.
const WINDOW_SECS: u64 = 10;
const SECRET: &str = "a-secret-of-a-channel";
/// Lines that a mail server, or a reader, could take for something else.
const TEMPLATE: &str =
    "{{service}} fails: {{observed}} {{measure}}, {{labels.team}}\n.\nQUIT\n<!channel> {{cause}} {{owner}}";

/// Rules with their condition, and whether they fire. Each looks at a service of its own name.
fn conditions() -> Vec<(&'static str, Value, bool)> {
    let latency = |statistic: &str, threshold_ms: u64| json!({ "latency": { "statistic": statistic, "threshold_ms": threshold_ms } });
    let query = |value: &str, is: &str, threshold: f64| json!({ "query": { "value": value, "is": is, "threshold": threshold } });
    let ratio = |is: &str, threshold: f64| json!({ "ratio": { "of": "status:>=500", "to": "status:*", "is": is, "threshold": threshold } });
    // A hundred records in the window: latencies 10, 20 ... 1000 ms, one in four with status 500, bytes 1 to 100.
    vec![
        ("spike", json!({ "error_rate": {} }), true),
        ("spike-not", json!({ "error_rate": { "factor": 10_000 } }), false),
        ("avg", latency("avg", 500), true),
        ("avg-not", latency("avg", 510), false),
        ("p50", latency("p50", 470), true),
        ("p50-not", latency("p50", 540), false),
        ("p90", latency("p90", 870), true),
        ("p90-not", latency("p90", 940), false),
        ("p95", latency("p95", 920), true),
        ("p95-not", latency("p95", 990), false),
        ("p99", latency("p99", 960), true),
        ("p99-not", latency("p99", 1_010), false),
        (
            "few-not",
            json!({ "latency": { "statistic": "p50", "threshold_ms": 1, "records_min": 101 } }),
            false,
        ),
        ("count", query("count()", ">=", 100.0), true),
        ("count-not", query("count()", ">", 100.0), false),
        ("below", query("count()", "<", 101.0), true),
        ("below-not", query("count()", "<=", 99.0), false),
        ("mean", query("avg(bytes)", "<=", 50.5), true),
        ("mean-not", query("avg(bytes)", "<", 50.5), false),
        ("bad", query("count() if (status:>=500)", ">", 24.0), true),
        ("bad-not", query("count() if (status:>=500)", ">", 25.0), false),
        ("ratio", ratio(">=", 0.25), true),
        ("ratio-not", ratio(">", 0.25), false),
        ("pattern", json!({ "new_pattern": { "lookback_secs": 600, "records_min": 100 } }), true),
        ("pattern-not", json!({ "new_pattern": { "lookback_secs": 600, "records_min": 101 } }), false),
        ("silent", json!({ "no_data": { "lookback_secs": 600 } }), true),
        ("silent-not", json!({ "no_data": { "lookback_secs": 60 } }), false),
    ]
}

fn rule(name: &str, condition: &Value) -> Value {
    json!({
        "title": format!("rule {name}"), "filter": format!("service:{name}"), "condition": condition,
        "window_secs": WINDOW_SECS, "resolve_after_secs": 0, "repeat_secs": 0, "channels": ["hook"],
    })
}

/// Rules that differ in what surrounds their condition; all of them count the records of their service.
fn surroundings() -> Vec<(&'static str, Value)> {
    let counts = json!({ "query": { "value": "count()", "is": ">=", "threshold": 10 } });
    let with = |name: &'static str, more: Value| {
        let mut rule = rule(name, &counts);
        for (field, value) in more.as_object().into_iter().flatten() {
            rule[field] = value.clone();
        }
        (name, rule)
    };
    vec![
        with("waits", json!({ "for_secs": 4 })),
        with("waits-long", json!({ "for_secs": 3_600 })),
        with("groups", json!({ "group_by": ["service", "region"] })),
        with("all", json!({ "group_by": [] })),
        with(
            "a-mail",
            json!({ "channels": ["mail"], "template": TEMPLATE, "owner": "Ann", "severity": "critical",
                               "labels": { "team": "payments" } }),
        ),
        with("ends-untold", json!({ "notify_resolved": false })),
        with("hushed-label", json!({ "labels": { "env": "test" } })),
        with("hushed-daily", json!({})),
        with("hushed-severity", json!({ "severity": "info" })),
        with("not-hushed", json!({ "severity": "critical" })),
        with("off", json!({ "enabled": false })),
    ]
}

fn silences(now: Timestamp) -> Vec<(&'static str, Value)> {
    let at = |secs: i64| Timestamp::from_millis(now.millis() + secs * 1_000).to_string();
    let silence = |matches: Value, from: i64, to: i64, again: &str| json!({ "matches": matches, "starts_at": at(from), "ends_at": at(to), "again": again, "reason": "a test" });
    vec![
        ("by-label", silence(json!({ "labels": { "env": "test" } }), -60, 3_600, "never")),
        ("by-rule-daily", silence(json!({ "rule": "hushed-daily" }), -86_460, -82_800, "daily")),
        (
            "by-severity",
            silence(json!({ "rule": "hushed-severity", "severity": "warning" }), -60, 3_600, "never"),
        ),
        ("lesser", silence(json!({ "rule": "not-hushed", "severity": "warning" }), -60, 3_600, "never")),
        ("past", silence(json!({ "rule": "not-hushed" }), -120, -60, "never")),
        ("to-come", silence(json!({ "rule": "not-hushed" }), 3_600, 7_200, "never")),
        ("another", silence(json!({ "service": "hushed-nowhere" }), -60, 3_600, "never")),
        (
            "weekly-over",
            silence(json!({ "rule": "not-hushed" }), -7 * 86_400 - 120, -7 * 86_400 - 60, "weekly"),
        ),
    ]
}

/// What was before: normal errors, and kinds of messages that are known.
fn history(now: i64) -> String {
    let mut lines = String::new();
    for minute in 2..16 {
        for (service, message) in [("spike", "as ever"), ("spike-not", "as ever")] {
            for (second, level) in [(0, "ERROR"), (1, "INFO"), (2, "INFO")] {
                let at = now - minute * 60_000 + second * 1_000;
                let record =
                    json!({ "timestamp": at, "level": level, "service": service, "message": message });
                lines.push_str(&format!("{record}\n"));
            }
        }
    }
    for service in ["silent", "silent-not", "pattern", "pattern-not"] {
        let at = now - 300_000;
        let record =
            json!({ "timestamp": at, "level": "INFO", "service": service, "message": "known for long" });
        lines.push_str(&format!("{record}\n"));
    }
    lines
}

/// A hundred records of each service that is to have some.
fn records(now: i64, services: &BTreeSet<&str>) -> String {
    let mut lines = String::new();
    for service in services.iter().filter(|service| !service.starts_with("silent")) {
        for number in 1..=100 {
            let (status, region) = (if number % 4 == 0 { 500 } else { 200 }, ["eu", "us"][number % 2]);
            let record = json!({
                "timestamp": now, "level": "ERROR", "service": service, "region": region,
                "message": format!("{service}-is-new {service}-now"), "latency_ms": number * 10,
                "status": status, "bytes": number,
            });
            lines.push_str(&format!("{record}\n"));
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_rule_fires_when_it_should_and_says_what_it_saw() -> Result<()> {
    let (directory, http, mail) =
        (tempfile::tempdir()?, HttpReceiver::start().await?, MailServer::start().await?);
    let node = node(directory.path()).await?;
    let api = node.admin_api()?;
    super::tell(&api, &[]).await?;
    api.delete("/api/alerts/rules/error-spike").await?;
    let hook = json!({ "kind": { "webhook": { "url": http.url("/hook"), "secret": SECRET } } });
    put(&api, "/api/alerts/channels/hook", hook).await?;
    let mailbox = json!({ "kind": { "email": { "host": "127.0.0.1", "port": mail.address.port(),
        "security": "plain", "from": "hub@example.com", "to": ["ops@example.com"] } } });
    put(&api, "/api/alerts/channels/mail", mailbox).await?;
    for (name, silence) in silences(Timestamp::from_millis(now_millis())) {
        put(&api, &format!("/api/alerts/silences/{name}"), silence).await?;
    }
    sent(&api, history(now_millis())).await?;
    let (conditions, surroundings) = (conditions(), surroundings());
    let simple = conditions.iter().map(|(name, condition, _)| (*name, rule(name, condition)));
    let rules: Vec<(&str, Value)> = simple.chain(surroundings.clone()).collect();
    for (name, rule) in &rules {
        put(&api, &format!("/api/alerts/rules/{name}"), rule.clone()).await?;
    }
    let services: BTreeSet<&str> = rules.iter().map(|(name, _)| *name).collect();
    sent(&api, records(now_millis(), &services)).await?;
    let due: BTreeSet<&str> = conditions
        .iter()
        .filter(|(.., fires)| *fires)
        .map(|(name, ..)| *name)
        .chain(
            surroundings.iter().map(|(name, _)| *name).filter(|name| !["waits-long", "off"].contains(name)),
        )
        .collect();
    let all_fire = || async {
        let known = incidents(&api).await.unwrap_or_default();
        due.iter().all(|name| known.contains_key(*name))
    };
    let fired = wait_until("all rules that should fire do", FIRES_WITHIN, all_fire).await;
    let known = incidents(&api).await?;
    fired.with_context(|| {
        format!("missing: {:?}", due.iter().filter(|name| !known.contains_key(**name)).collect::<Vec<_>>())
    })?;
    let waiting = api.get("/api/alerts/rules/waits-long", &[]).await?.json;
    ensure!(waiting["pending"] == 1 && waiting["firing"] == 0, "{waiting}");
    acknowledges(&api, &known).await?;
    let all_end =
        || async { incidents(&api).await.is_ok_and(|known| known.values().flatten().all(has_ended)) };
    wait_until("all incidents end", ENDS_WITHIN, all_end).await?;
    let known = incidents(&api).await?;
    let fired: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    ensure!(fired == due, "not due: {:?}", fired.difference(&due).collect::<Vec<_>>());
    check_said(&known)?;
    check_held_back(&known)?;
    check_told(&http, &mail).await?;
    mistakes::are_named(&api).await?;
    println!("{} rules, {} fired, {} did not", rules.len(), fired.len(), rules.len() - fired.len());
    keeps_secrets(&api, &node).await
}

/// Incidents by rule. `silent` stays as it is: it has nothing to say.
async fn incidents(api: &Api) -> Result<BTreeMap<String, Vec<Value>>> {
    let answer = api.get("/api/alerts/incidents", &[("limit", "500")]).await?;
    let mut by_rule: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for incident in answer.json["incidents"].as_array().context("no incidents")? {
        let rule = incident["rule"].as_str().unwrap_or_default().to_owned();
        by_rule.entry(rule).or_default().push(incident.clone());
    }
    Ok(by_rule)
}

fn has_ended(incident: &Value) -> bool {
    let stays = ["silent", "below"].iter().any(|rule| incident["rule"] == *rule);
    stays || incident["state"] == "resolved"
}

fn one<'a>(known: &'a BTreeMap<String, Vec<Value>>, rule: &str) -> Result<&'a Value> {
    let of_rule = known.get(rule).with_context(|| format!("{rule} did not fire"))?;
    ensure!(of_rule.len() == 1, "{rule} fired {} times: {of_rule:?}", of_rule.len());
    Ok(&of_rule[0])
}

fn check_said(known: &BTreeMap<String, Vec<Value>>) -> Result<()> {
    for (rule, low, high) in [
        ("avg", 505.0, 505.0),
        ("p50", 490.0, 520.0),
        ("p90", 880.0, 920.0),
        ("p95", 930.0, 970.0),
        ("p99", 970.0, 1_000.0),
        ("count", 100.0, 100.0),
        ("mean", 50.5, 50.5),
        ("bad", 25.0, 25.0),
        ("ratio", 0.25, 0.25),
        ("pattern", 100.0, 100.0),
        ("silent", 0.0, 0.0),
        ("spike", 600.0, 600.0),
    ] {
        let evidence = &one(known, rule)?["evidence"];
        let observed = evidence["observed"].as_f64().context("no figure")?;
        ensure!((low..=high).contains(&observed), "{rule}: {evidence}");
    }
    ensure!(one(known, "spike")?["evidence"]["normal"] == 1.0, "{:?}", known["spike"]);
    let cause = one(known, "pattern")?["evidence"]["cause"].as_str().unwrap_or_default();
    ensure!(cause.contains("pattern-is-new"), "{cause}");
    let waits = one(known, "waits")?;
    let at =
        |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok()).map(|at| at.millis());
    let (opened, told) = (at(&waits["opened_at"]), at(&waits["transitions"][0]["at"]));
    let waited = told.zip(opened).map(|(told, opened)| told - opened).context("no times")?;
    ensure!((4_000..9_000).contains(&waited), "waited {waited} ms: {waits}");
    let regions: BTreeSet<String> =
        known["groups"].iter().map(|incident| incident["group"].to_string()).collect();
    ensure!(regions.len() == 2 && regions.iter().all(|group| group.contains("region")), "{regions:?}");
    let all = one(known, "all")?;
    ensure!(all["group"] == json!([]), "{all}");
    Ok(())
}

fn check_held_back(known: &BTreeMap<String, Vec<Value>>) -> Result<()> {
    for (rule, silence) in
        [("hushed-label", "by-label"), ("hushed-daily", "by-rule-daily"), ("hushed-severity", "by-severity")]
    {
        let transitions = &one(known, rule)?["transitions"];
        ensure!(transitions[0]["untold"] == silence && transitions[0]["told"] == json!([]), "{transitions}");
    }
    let told = &one(known, "not-hushed")?["transitions"];
    ensure!(told[0]["told"] == json!(["hook"]) && told[1]["kind"] == "resolved", "{told}");
    let untold = &one(known, "ends-untold")?["transitions"];
    let reason = untold[1]["untold"].as_str().unwrap_or_default();
    ensure!(untold[0]["told"] == json!(["hook"]) && reason.contains("does not say"), "{untold}");
    let acknowledged = &one(known, "count")?["acknowledged"];
    ensure!(
        acknowledged["note"] == "looking <b>at</b> it" && acknowledged["by"] == "admin",
        "{acknowledged}"
    );
    Ok(())
}

/// Every message of every rule arrives; those of a storm in one.
async fn check_told(http: &HttpReceiver, mail: &MailServer) -> Result<()> {
    let told = || {
        let bodies: Vec<Value> = http.taken("/hook").iter().map(|received| received.json()).collect();
        let also = bodies.iter().flat_map(|body| body["also"].as_array().cloned().unwrap_or_default());
        let all: Vec<Value> = also.chain(bodies.clone()).collect();
        let pair = |notice: &Value| format!("{} {}", notice["rule"], notice["kind"]).replace('"', "");
        all.iter().map(pair).collect::<Vec<String>>()
    };
    let is_told = || async {
        let told = told();
        ["not-hushed resolved", "ends-untold fired", "avg resolved"]
            .iter()
            .all(|pair| told.contains(&(*pair).to_owned()))
    };
    wait_until("messages arrive", ENDS_WITHIN, is_told).await?;
    let told = told();
    ensure!(
        !told.iter().any(|pair| pair.starts_with("hushed") || pair == "ends-untold resolved"),
        "{told:?}"
    );
    let mailed = || async { mail.mails().len() == 2 };
    wait_until("beginning and end are mailed", ENDS_WITHIN, mailed).await?;
    let [first, last] = &mail.mails()[..] else { anyhow::bail!("{:?}", mail.mails()) };
    ensure!(first.header("Subject") == "a-mail fails: 100 count(), payments", "{}", first.data);
    ensure!(last.header("Subject") == "Resolved: a-mail fails: 100 count(), payments", "{}", last.data);
    let text = first.data.replace("=\r\n", "");
    for line in
        ["\r\n.\r\nQUIT\r\n", "<!channel> a-mail-is-new a-mail-now Ann", "&lt;!channel&gt; a-mail-is-new"]
    {
        ensure!(text.contains(line), "no {line:?} in {text}");
    }
    ensure!(first.to == ["ops@example.com"] && last.to == ["ops@example.com"], "{first:?} {last:?}");
    Ok(())
}

async fn acknowledges(api: &Api, known: &BTreeMap<String, Vec<Value>>) -> Result<()> {
    let path = format!("/api/alerts/incidents/{}/acknowledge", one(known, "count")?["id"]);
    let said = api.post_json(&path, &json!({ "note": "looking <b>at</b> it" })).await?;
    ensure!(said.status == 200, "{} {}", said.status, said.text);
    let long = api.post_json(&path, &json!({ "note": "x".repeat(1_001) })).await?;
    ensure!(long.status == 400 && long.error("field") == "note", "{}", long.text);
    let missing = api.post_json("/api/alerts/incidents/999999/acknowledge", &json!({})).await?;
    ensure!(missing.status == 404, "{}", missing.text);
    Ok(())
}

/// Who may only look sees no secret, and changes nothing; nor do the audit trail, its export and the log hold one.
async fn keeps_secrets(api: &Api, node: &insighthub_chaos_tests::node_process::NodeProcess) -> Result<()> {
    let (name, password) = ("eve", "correct horse battery");
    let eve = json!({ "name": name, "role": "viewer", "password": password });
    ensure!(api.post_json("/api/users", &eve).await?.status == 201, "no viewer");
    let viewer = node.api()?.signed_in(name, password);
    let hook = json!({ "kind": { "webhook": { "url": "https://evil.example/", "secret": "(set)" } } });
    let moved = api.put_json("/api/alerts/channels/hook", &hook).await?;
    ensure!(moved.status == 400 && moved.error("field") == "secret", "{}", moved.text);
    for refused in [
        viewer.put_json("/api/alerts/channels/hook", &hook).await?,
        viewer.delete("/api/alerts/channels/hook").await?,
        viewer.post("/api/alerts/channels/hook/test").await?,
        viewer.delete("/api/alerts/rules/count").await?,
        viewer.delete("/api/alerts/silences/by-label").await?,
    ] {
        ensure!(refused.status == 403, "{} {}", refused.status, refused.text);
    }
    let mut texts = vec![node.last_output()];
    for path in
        ["/api/alerts/channels", "/api/alerts/channels/hook", "/api/alerts/incidents", "/api/alerts/rules"]
    {
        let shown = viewer.get(path, &[]).await?;
        ensure!(shown.status == 200, "{path}: {} {}", shown.status, shown.text);
        texts.push(shown.text);
    }
    ensure!(
        texts[2].contains("\"secret\":\"(set)\"") && texts[2].contains("\"url\":\"(set)\""),
        "{}",
        texts[2]
    );
    for path in ["/api/audit", "/metrics"] {
        texts.push(api.get(path, &[]).await?.text);
    }
    ensure!(texts[5].contains("alert.set_channel"), "{}", texts[5]);
    for text in texts {
        ensure!(!text.contains(SECRET) && !text.contains("/hook\""), "a secret stands in {text}");
    }
    Ok(())
}
