//! Queries of records: which lines, in which order, with which labels.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use serde_json::{Value, json};

use super::ask;
use super::sent::{SECOND, Sent, end, start};

/// A query, and whether a record is meant.
type Case = (&'static str, fn(&Sent) -> bool);

const CASES: [Case; 15] = [
    ("{service_name=\"checkout\"}", |sent| sent.service == "checkout"),
    ("{service=\"checkout\"} |= \"Card\" != \"8\"", |sent| {
        sent.message.contains("Card") && !sent.message.contains('8')
    }),
    ("{level=\"error\", region=~\"e.|us\"}", |sent| {
        sent.level == "error" && ["eu", "us"].contains(&sent.region)
    }),
    ("{} |~ \"order [0-9]*7 \"", |sent| sent.message.starts_with("order") && sent.number % 10 == 7),
    ("{} |= \"refused\" or \"all of it\"", |sent| {
        sent.message.contains("refused") || sent.service == "search"
    }),
    ("{} |> `order <_> paid`", |sent| sent.message.ends_with("paid")),
    ("{} | http_status >= 404 and region = \"us\"", |sent| sent.status >= 404 && sent.region == "us"),
    ("{} | http_status != 200 | flag = \"true\"", |sent| sent.status != 200 && sent.number.is_multiple_of(2)),
    ("{} | latency_ms > 0.1s", |sent| sent.latency_ms.is_some_and(|ms| ms > 100.0)),
    ("{} | took > 80ms", |sent| sent.took_ms > 80),
    ("{latency_ms=\"\"}", |sent| sent.latency_ms.is_none()),
    ("{} | json | user = \"u3\" | ms < 20", |sent| {
        sent.service == "auth" && sent.user == "u3" && sent.number % 50 < 20
    }),
    ("{} | logfmt | user = \"u3\"", |sent| sent.service == "search" && sent.user == "u3"),
    (
        "{service=\"checkout\"} | label_format peer=`10.0.0.{{.number}}:80` | peer = ip(`10.0.0.0/27`)",
        |sent| sent.service == "checkout" && sent.number < 32,
    ),
    ("{} | Case = \"aB\" | number > 1400", |sent| sent.number % 2 == 1 && sent.number > 1_400),
];

pub(crate) async fn check(api: &Api, sent: &[Sent]) -> Result<()> {
    for (query, is_meant) in CASES {
        let meant: Vec<&Sent> = sent.iter().filter(|sent| is_meant(sent)).collect();
        ensure!(meant.len() > 5, "{query} means next to nothing: {}", meant.len());
        for limit in [5, 5_000] {
            let newest = lines(api, query, "backward", limit).await?;
            ensure!(newest == shown(meant.iter().rev(), limit), "{query}, the newest {limit}: {newest:?}");
            let oldest = lines(api, query, "forward", limit).await?;
            ensure!(oldest == shown(meant.iter(), limit), "{query}, the oldest {limit}: {oldest:?}");
        }
    }
    edges(api, sent).await?;
    distinct(api, sent).await?;
    addresses(api).await?;
    labels(api, sent).await?;
    made_anew(api).await
}

fn shown<'a>(sent: impl Iterator<Item = &'a &'a Sent>, limit: usize) -> Vec<(i64, String)> {
    sent.take(limit).map(|sent| (sent.at, sent.message.clone())).collect()
}

async fn range(api: &Api, query: &str, further: &[(&str, &str)]) -> Result<Value> {
    let (from, to) = (start().to_string(), end().to_string());
    let mut parameters = vec![("query", query), ("start", &from), ("end", &to)];
    parameters.extend_from_slice(further);
    let answer = ask(api, "query_range", &parameters).await?;
    ensure!(answer["data"]["resultType"] == "streams", "{answer}");
    Ok(answer)
}

/// Moments and lines of all streams in the order that was asked for. Each stream must be in it as well.
async fn lines(api: &Api, query: &str, direction: &str, limit: usize) -> Result<Vec<(i64, String)>> {
    let answer = range(api, query, &[("direction", direction), ("limit", &limit.to_string())]).await?;
    let mut all = Vec::new();
    for stream in answer["data"]["result"].as_array().context("no result")? {
        let values = stream["values"].as_array().context("no values")?;
        let of_stream = values.iter().map(|value| {
            let at = value[0].as_str().context("the moment is no text")?.parse()?;
            Ok((at, value[1].as_str().context("no line")?.to_owned()))
        });
        let of_stream = of_stream.collect::<Result<Vec<(i64, String)>>>()?;
        let is_in_order = of_stream
            .is_sorted_by(|one, next| if direction == "forward" { one.0 <= next.0 } else { one.0 >= next.0 });
        ensure!(is_in_order, "{query}: {stream}");
        all.extend(of_stream);
    }
    all.sort_by_key(|(at, _)| if direction == "forward" { *at } else { -*at });
    Ok(all)
}

/// The first line of each host, from either end, whatever comes behind it.
async fn distinct(api: &Api, sent: &[Sent]) -> Result<()> {
    let query = "{} | distinct host, level | number < 1495";
    for (direction, sent) in
        [("backward", sent.iter().rev().collect::<Vec<_>>()), ("forward", sent.iter().collect())]
    {
        let mut met = BTreeSet::new();
        let first: Vec<&Sent> = sent
            .into_iter()
            .filter(|sent| met.insert((&sent.host, sent.level)))
            .filter(|sent| sent.number < 1_495)
            .collect();
        ensure!(first.len() > 5, "{} lines", first.len());
        let found = lines(api, query, direction, 5_000).await?;
        ensure!(found == shown(first.iter(), 5_000), "{query} {direction}: {found:?}");
    }
    Ok(())
}

/// Lines by the addresses that stand in them.
async fn addresses(api: &Api) -> Result<()> {
    let made = "{service=\"checkout\"} | line_format `GET from 10.0.{{.number}}.1:80`";
    for (filter, expected) in [
        ("|= ip(`10.0.6.0-10.0.12.255`)", vec!["10.0.6.1", "10.0.9.1", "10.0.12.1"]),
        ("|= ip(`10.0.6.0/24`) or ip(`10.0.9.1`)", vec!["10.0.6.1", "10.0.9.1"]),
        ("|= `.1:80` | number < 9 != ip(`10.0.3.0/24`)", vec!["10.0.0.1", "10.0.6.1"]),
    ] {
        let found = lines(api, &format!("{made} {filter}"), "forward", 100).await?;
        let expected: Vec<String> = expected.iter().map(|address| format!("GET from {address}:80")).collect();
        let found: Vec<String> = found.into_iter().map(|(_, line)| line).collect();
        ensure!(found == expected, "{filter}: {found:?}");
    }
    Ok(())
}

/// A hundred lines where nothing is said; the start belongs to the span, the end does not.
async fn edges(api: &Api, sent: &[Sent]) -> Result<()> {
    let answer = range(api, "{}", &[]).await?;
    let streams = answer["data"]["result"].as_array().context("no result")?;
    let count: usize = streams.iter().filter_map(|stream| Some(stream["values"].as_array()?.len())).sum();
    ensure!(count == 100, "{count} lines");
    let (first, last) = (&sent[10], &sent[20]);
    let (from, to) = (first.at.to_string(), last.at.to_string());
    let parameters = [("query", "{}"), ("start", from.as_str()), ("end", &to), ("limit", "1000")];
    let answer = ask(api, "query_range", &parameters).await?;
    let streams = answer["data"]["result"].as_array().context("no result")?;
    let count: usize = streams.iter().filter_map(|stream| Some(stream["values"].as_array()?.len())).sum();
    ensure!(count == 10, "{count} lines of 10");
    let summary = &answer["data"]["stats"]["summary"];
    ensure!(
        summary["totalEntriesReturned"] == 10 && summary["totalLinesProcessed"].as_u64() >= Some(10),
        "{summary}"
    );
    // As Grafana asks: a form, and seconds with a fraction.
    let form = format!(
        "query=%7B%7D&start={}&end={}&limit=1000",
        first.at / SECOND,
        (last.at / SECOND) as f64 + 0.25
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-scope-orgid", "nobody"),
        ("x-query-tags", "Source=logsample"),
    ];
    let answer = api.post_body("/loki/api/v1/query_range", &headers, form).await?;
    ensure!(answer.status == 200 && answer.json["data"]["resultType"] == "streams", "{}", answer.text);
    Ok(())
}

/// Labels of the stream, and fields of the record: together, or apart where the client asks for that.
async fn labels(api: &Api, sent: &[Sent]) -> Result<()> {
    let wanted =
        sent.iter().rfind(|sent| sent.service == "auth" && sent.latency_ms.is_some()).context("none")?;
    let query = format!("{{service_name=\"auth\"}} | number = {} | json ok=\"ok\"", wanted.number);
    let together = &range(api, &query, &[]).await?["data"]["result"][0]["stream"];
    let stream = json!({
        "service_name": "auth", "level": wanted.level, "detected_level": wanted.level, "region": wanted.region,
        "host": wanted.host,
    });
    let metadata = json!({
        "http_status": wanted.status.to_string(), "took": format!("{}ms", wanted.took_ms),
        "size": format!("{}KB", wanted.number % 3), "number": wanted.number.to_string(),
        "flag": (wanted.number % 2 == 0).to_string(), "ratio": (wanted.number as f64 + 0.5).to_string(),
        "Case": if wanted.number % 2 == 0 { "Ab" } else { "aB" },
        "latency_ms": wanted.latency_ms.unwrap_or_default().to_string(),
    });
    for (name, value) in [&stream, &metadata].into_iter().filter_map(Value::as_object).flatten() {
        ensure!(together[name] == *value, "{name}: {together}");
    }
    let (from, to) = (start(), end());
    let form: String = [("query", query.as_str()), ("start", &from.to_string()), ("end", &to.to_string())]
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .join("&");
    let flags = ("x-loki-response-encoding-flags", "categorize-labels");
    let headers = [("content-type", "application/x-www-form-urlencoded"), flags];
    let answer = api.post_body("/loki/api/v1/query_range", &headers, form).await?;
    let data = &answer.json["data"];
    ensure!(data["encodingFlags"] == json!(["categorize-labels"]), "{}", answer.text);
    ensure!(data["result"][0]["stream"] == stream, "{}", answer.text);
    let entry = &data["result"][0]["values"][0];
    ensure!(entry[0] == json!(wanted.at.to_string()) && entry[1] == wanted.message, "{entry}");
    ensure!(entry[2]["parsed"] == json!({ "ok": (!wanted.number.is_multiple_of(5)).to_string() }), "{entry}");
    for (name, value) in metadata.as_object().into_iter().flatten() {
        ensure!(entry[2]["structuredMetadata"][name] == *value, "{name}: {entry}");
    }
    Ok(())
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

async fn made_anew(api: &Api) -> Result<()> {
    let query = "{service_name=\"search\"} | logfmt | line_format \"{{.user | ToUpper}}: {{__line__}}\" | label_format who=user | keep who";
    let answer = range(api, query, &[("limit", "1")]).await?;
    let stream = &answer["data"]["result"][0];
    let line = stream["values"][0][1].as_str().context("no line")?;
    ensure!(line.starts_with('U') && line.contains(": found="), "{line}");
    ensure!(
        stream["stream"].as_object().is_some_and(|labels| labels.len() == 1 && labels.contains_key("who")),
        "{stream}"
    );
    Ok(())
}
