//! What the data source asks beside queries, and Logs Drilldown: labels, volumes, patterns, fields.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use serde_json::{Value, json};

use super::ask;
use super::sent::{Sent, end, start};

/// What the button of the data source asks.
pub(crate) async fn save_and_test(api: &Api) -> Result<()> {
    let time = end().to_string();
    let parameters = [("query", "vector(1)+vector(1)"), ("time", &time), ("direction", "backward")];
    let answer = ask(api, "query", &parameters).await?;
    let data = &answer["data"];
    ensure!(answer["status"] == "success" && data["resultType"] == "vector", "{answer}");
    let secs = end() / 1_000_000_000;
    ensure!(data["result"] == json!([{ "metric": {}, "value": [secs, "2"] }]), "{answer}");
    let ready = api.get("/ready", &[]).await?;
    ensure!(ready.status == 200 && ready.text == "ready\n", "{} {:?}", ready.status, ready.text);
    let number = ask(api, "query", &[("query", "1 + 1"), ("time", &time)]).await?;
    ensure!(
        number["data"]["resultType"] == "scalar" && number["data"]["result"] == json!([secs, "2"]),
        "{number}"
    );
    Ok(())
}

pub(crate) async fn check(api: &Api, sent: &[Sent]) -> Result<()> {
    let (from, to) = (start().to_string(), end().to_string());
    let span = [("start", from.as_str()), ("end", to.as_str())];
    names(api, sent, &span).await?;
    index(api, sent, &span).await?;
    patterns(api, sent, &span).await?;
    detected(api, sent, &span).await?;
    about(api).await
}

async fn with(api: &Api, path: &str, span: &[(&str, &str)], further: &[(&str, &str)]) -> Result<Value> {
    ask(api, path, &[span, further].concat()).await
}

fn set(of: impl Iterator<Item = String>) -> Value {
    json!(of.collect::<BTreeSet<String>>())
}

async fn names(api: &Api, sent: &[Sent], span: &[(&str, &str)]) -> Result<()> {
    let labels = with(api, "labels", span, &[]).await?;
    let expected = json!(["detected_level", "host", "level", "region", "service_name"]);
    ensure!(labels == json!({ "status": "success", "data": expected }), "{labels}");
    let none = ask(api, "labels", &[("start", "1000"), ("end", "2000")]).await?;
    ensure!(none["data"] == json!([]), "{none}");
    for (name, further, values) in [
        ("service_name", "", json!(["auth", "checkout", "search"])),
        ("level", "", json!(["debug", "error", "info", "warn"])),
        ("detected_level", "{level=~\"error|warn\"}", json!(["error", "warn"])),
        (
            "region",
            "{service_name=\"auth\"}",
            set(sent.iter().filter(|sent| sent.service == "auth").map(|sent| sent.region.to_owned())),
        ),
        ("http_status", "", json!(["200", "404", "500"])),
        ("nothing", "", json!([])),
    ] {
        let answer = with(api, &format!("label/{name}/values"), span, &[("query", further)]).await?;
        ensure!(answer["data"] == values, "{name} {further}: {answer}");
    }
    let series = with(
        api,
        "series",
        span,
        &[("match[]", "{service_name=\"auth\"}"), ("match[]", "{level=\"error\"}")],
    )
    .await?;
    let meant = sent.iter().filter(|sent| sent.service == "auth" || sent.level == "error");
    let streams: BTreeSet<BTreeMap<&str, &str>> = meant.map(stream).collect();
    ensure!(series["data"].as_array().map(Vec::len) == Some(streams.len()), "{series}");
    for found in series["data"].as_array().into_iter().flatten() {
        ensure!(streams.iter().any(|stream| json!(stream) == *found), "{found}");
    }
    Ok(())
}

fn stream(sent: &Sent) -> BTreeMap<&str, &str> {
    BTreeMap::from([
        ("service_name", sent.service),
        ("level", sent.level),
        ("detected_level", sent.level),
        ("region", sent.region),
        ("host", &sent.host),
    ])
}

async fn index(api: &Api, sent: &[Sent], span: &[(&str, &str)]) -> Result<()> {
    let query = ("query", "{service_name=\"checkout\"}");
    let stats = with(api, "index/stats", span, &[query]).await?;
    let checkout: Vec<&Sent> = sent.iter().filter(|sent| sent.service == "checkout").collect();
    let streams: BTreeSet<_> = checkout.iter().map(|sent| stream(sent)).collect();
    ensure!(stats["entries"] == checkout.len() && stats["streams"] == streams.len(), "{stats}");
    let bytes: usize = checkout.iter().map(|sent| sent.message.len()).sum();
    let is_near = |found: f64, bytes: usize| (found / bytes as f64 - 1.0).abs() < 0.25;
    ensure!(
        stats["bytes"].as_f64().is_some_and(|found| is_near(found, bytes)) && stats["chunks"] == 0,
        "{stats} of {bytes}"
    );
    let query = ("query", "{service_name=~\".+\"}");
    let volume =
        with(api, "index/volume", span, &[query, ("limit", "5000"), ("targetLabels", "region")]).await?;
    ensure!(volume["data"]["resultType"] == "vector", "{volume}");
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    sent.iter().for_each(|sent| *counts.entry(sent.region).or_default() += 1.0);
    let result = volume["data"]["result"].as_array().context("no result")?;
    ensure!(result.len() == counts.len(), "{volume}");
    let value = |sample: &Value| sample["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
    // One mean length for all: volumes are to each other as the records are.
    let mean = result.iter().filter_map(value).sum::<f64>() / sent.len() as f64;
    for sample in result {
        let count =
            counts.get(sample["metric"]["region"].as_str().unwrap_or("")).context("no such region")?;
        let found = value(sample).context("no value")?;
        ensure!((found - count * mean).abs() <= 2.0, "{sample} of {count} records of {mean} bytes");
    }
    let by_label = with(api, "index/volume", span, &[query, ("aggregateBy", "labels")]).await?;
    ensure!(by_label["data"]["result"][0]["metric"] == json!({ "service_name": "" }), "{by_label}");
    let over = with(api, "index/volume_range", span, &[query, ("step", "600")]).await?;
    ensure!(over["data"]["resultType"] == "matrix", "{over}");
    ensure!(over["data"]["result"].as_array().map(Vec::len) == Some(3), "{over}");
    Ok(())
}

async fn patterns(api: &Api, sent: &[Sent], span: &[(&str, &str)]) -> Result<()> {
    let parameters = [("query", "{service_name=\"checkout\"}"), ("step", "300s")];
    let answer = with(api, "patterns", span, &parameters).await?;
    let mut found: BTreeMap<(String, String), BTreeMap<i64, u64>> = BTreeMap::new();
    for pattern in answer["data"].as_array().context("no patterns")? {
        let samples: Vec<(i64, u64)> = serde_json::from_value(pattern["samples"].clone())?;
        let text = |name: &str| pattern[name].as_str().unwrap_or("").to_owned();
        found.insert((text("pattern"), text("level")), samples.into_iter().collect());
    }
    let mut expected: BTreeMap<(String, String), BTreeMap<i64, u64>> = BTreeMap::new();
    for sent in sent.iter().filter(|sent| sent.service == "checkout") {
        let pattern = if sent.message.ends_with("paid") {
            "order <_> paid"
        } else {
            "order <_> refused: Card declined"
        };
        let bucket = (start() + (sent.at - start()) / 300_000_000_000 * 300_000_000_000) / 1_000_000_000;
        *expected
            .entry((pattern.to_owned(), sent.level.to_owned()))
            .or_default()
            .entry(bucket)
            .or_default() += 1;
    }
    ensure!(found == expected, "{found:#?}\ninstead of {expected:#?}");
    // A pattern that is shown finds its records.
    let query = "sum(count_over_time({} |> `order <_> paid` [2h]))";
    let counted = ask(api, "query", &[("query", query), ("time", &end().to_string())]).await?;
    let paid = sent.iter().filter(|sent| sent.message.ends_with("paid")).count();
    ensure!(counted["data"]["result"][0]["value"][1] == json!(paid.to_string()), "{counted}");
    Ok(())
}

async fn detected(api: &Api, sent: &[Sent], span: &[(&str, &str)]) -> Result<()> {
    let labels = with(api, "detected_labels", span, &[]).await?;
    let label = |name: &str, cardinality: usize| json!({ "label": name, "cardinality": cardinality });
    let expected = [("detected_level", 4), ("host", 6), ("level", 4), ("region", 4), ("service_name", 3)];
    ensure!(labels["detectedLabels"] == json!(expected.map(|(name, count)| label(name, count))), "{labels}");
    let answer =
        with(api, "detected_fields", span, &[("query", "{service_name=\"auth\"}"), ("limit", "1000")])
            .await?;
    let fields = answer["fields"].as_array().context("no fields")?;
    let field = |name: &str| fields.iter().find(|field| field["label"] == name).cloned().unwrap_or_default();
    let auth: Vec<&Sent> = sent.iter().filter(|sent| sent.service == "auth").collect();
    let distinct =
        |of: &dyn Fn(&Sent) -> String| auth.iter().map(|sent| of(sent)).collect::<BTreeSet<String>>().len();
    for (name, kind, cardinality, parsers) in [
        ("http_status", "int", distinct(&|sent| sent.status.to_string()), Value::Null),
        ("number", "int", auth.len(), Value::Null),
        ("ratio", "float", auth.len(), Value::Null),
        ("flag", "boolean", 2, Value::Null),
        ("Case", "string", 2, Value::Null),
        ("took", "duration", distinct(&|sent| sent.took_ms.to_string()), Value::Null),
        ("size", "bytes", distinct(&|sent| (sent.number % 3).to_string()), Value::Null),
        ("user", "string", 7, json!(["json"])),
        ("ok", "boolean", 2, json!(["json"])),
        ("deep_n", "int", auth.len(), json!(["json"])),
    ] {
        let found = field(name);
        ensure!(
            found["type"] == kind && found["cardinality"] == cardinality && found["parsers"] == parsers,
            "{name}: {found}"
        );
    }
    ensure!(field("deep_n")["jsonPath"] == json!(["deep", "n"]), "{}", field("deep_n"));
    ensure!(
        field("region").is_null() && field("service_name").is_null(),
        "labels of streams are no fields: {answer}"
    );
    for (name, values) in [
        ("http_status", json!(["200", "404", "500"])),
        ("user", json!(["u0", "u1", "u2", "u3", "u4", "u5", "u6"])),
    ] {
        let path = format!("detected_field/{name}/values");
        let answer = with(api, &path, span, &[("query", "{service_name=\"auth\"}")]).await?;
        let mut found: Vec<&str> =
            answer["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        found.sort_unstable();
        ensure!(json!(found) == values, "{name}: {answer}");
    }
    Ok(())
}

async fn about(api: &Api) -> Result<()> {
    let build = ask(api, "status/buildinfo", &[]).await?;
    ensure!(build["version"].as_str().is_some_and(|version| version.starts_with("3.")), "{build}");
    let limits = ask(api, "drilldown-limits", &[]).await?;
    ensure!(
        limits["limits"]["volume_enabled"] == true && limits["pattern_ingester_enabled"] == true,
        "{limits}"
    );
    ensure!(
        limits["limits"]["max_entries_limit_per_query"] == 5_000 && limits["version"].is_string(),
        "{limits}"
    );
    let printed = ask(api, "format_query", &[("query", "sum(rate({a=\"b\"}|=`c`[90s]))by(x)")]).await?;
    let expected = "sum by (x) (rate({a=\"b\"} |= \"c\" [1m30s]))";
    ensure!(printed == json!({ "status": "success", "data": expected }), "{printed}");
    Ok(())
}
