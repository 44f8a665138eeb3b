//! What a client may send and what it is answered: the promises of the HTTP ingest interface.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Answer, Api};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
const JSON: (&str, &str) = ("content-type", "application/json");
/// The default bound on a body after decompression.
const INFLATED_BYTES_MAX: usize = 256 << 20;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A node and its directory, which lives as long.
struct Bench {
    node: NodeProcess,
    api: Api,
    _directory: tempfile::TempDir,
}

async fn bench(environment: &[(&str, &str)]) -> Result<Bench> {
    let directory = tempfile::tempdir()?;
    let mut options = NodeOptions::in_directory(directory.path())?;
    for (name, value) in environment {
        options.environment.push(((*name).to_owned(), (*value).to_owned()));
    }
    let node = NodeProcess::start(options).await?;
    Ok(Bench { api: node.api()?, node, _directory: directory })
}

fn good(message: &str) -> Value {
    json!({"service": "checkout", "level": "INFO", "message": message, "latency_ms": 12})
}

fn ndjson(records: &[Value]) -> Vec<u8> {
    records.iter().map(|record| format!("{record}\n")).collect::<String>().into_bytes()
}

fn rejections(answer: &Answer) -> Vec<Value> {
    answer.json.get("rejections").and_then(Value::as_array).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_curl_of_the_readme_stores_a_record() -> Result<()> {
    let bench = bench(&[]).await?;
    let body = r#"{
    "timestamp": "2025-12-02T10:10:02Z",
    "service": "payment-service",
    "level": "ERROR",
    "message": "Stripe timeout",
    "latency_ms": 1320,
    "userId": "1932"
  }"#;
    let curl = Command::new("curl")
        .args(["-sS", "-X", "POST", &format!("{}/api/logs", bench.node.url())])
        .args(["-H", "Content-Type: application/json", "-d", body])
        .output();
    let answer: Value = match curl {
        Ok(output) => serde_json::from_slice(&output.stdout).context("curl's answer")?,
        // No curl on this machine: the same bytes by other means.
        Err(_) => bench.api.ingest(&[JSON], body.into()).await?.json,
    };
    assert_eq!(answer, json!({"status": "queued"}));
    let records = bench.api.all_logs(&[("service", "payment-service")]).await?;
    let expected = [
        ("timestamp", json!("2025-12-02T10:10:02.000Z")),
        ("level", json!("ERROR")),
        ("message", json!("Stripe timeout")),
        ("latency_ms", json!(1320)),
        ("userId", json!("1932")),
    ];
    assert_eq!(records.len(), 1);
    for (name, value) in expected {
        assert_eq!(records[0][name], value, "{name}");
    }
    for name in ["log_id", "created_at", "is_anomaly"] {
        assert!(records[0].get(name).is_some(), "no {name} in {}", records[0]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_and_encoding_of_a_batch_is_taken() -> Result<()> {
    let bench = bench(&[]).await?;
    let records = [good("one"), good("two"), good("three")];
    let array = serde_json::to_vec(&records)?;
    let lines = ndjson(&records);
    let lines_without_end = lines[..lines.len() - 1].to_vec();
    let windows_lines = String::from_utf8(lines.clone())?.replace('\n', "\r\n\r\n").into_bytes();
    let batches: [(&str, Headers<'_>, Vec<u8>); 8] = [
        ("array", &[JSON], array.clone()),
        ("ndjson", &[NDJSON], lines.clone()),
        ("ndjson without a last line break", &[NDJSON], lines_without_end),
        ("ndjson with CRLF and empty lines", &[NDJSON], windows_lines),
        ("gzip array", &[JSON, ("content-encoding", "gzip")], gzip(&array)?),
        ("gzip ndjson", &[NDJSON, ("content-encoding", "gzip")], gzip(&lines)?),
        ("zstd ndjson", &[NDJSON, ("content-encoding", "zstd")], zstd::encode_all(&lines[..], 3)?),
        ("content type with charset", &[("content-type", "application/json; charset=utf-8")], array),
    ];
    for (number, (name, headers, body)) in batches.into_iter().enumerate() {
        let answer = bench.api.ingest(headers, body).await?;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert_eq!((answer.number("accepted"), answer.number("rejected")), (Some(3), Some(0)), "{name}");
        let stored = bench.api.all_logs(&[]).await?.len();
        assert_eq!(stored, (number + 1) * 3, "{name}: a record must be readable once it is acknowledged");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_record_is_named_with_its_line_and_field_and_the_rest_is_stored() -> Result<()> {
    let bench = bench(&[]).await?;
    // What is wrong, the line as it is sent, the field that must be named; none where it is no record at all.
    let bad: [(&str, &str, Option<&str>); 9] = [
        ("no JSON", r#"{"service":"a","level":"INFO""#, None),
        ("no object", r#"[1,2]"#, None),
        ("a string", r#""hello""#, None),
        ("no service", r#"{"level":"INFO","message":"m"}"#, Some("service")),
        ("service is a number", r#"{"service":7,"level":"INFO","message":"m"}"#, Some("service")),
        ("service is empty", r#"{"service":"","level":"INFO","message":"m"}"#, Some("service")),
        ("an unknown level", r#"{"service":"a","level":"LOUD","message":"m"}"#, Some("level")),
        (
            "latency is a word",
            r#"{"service":"a","level":"INFO","message":"m","latency_ms":"soon"}"#,
            Some("latency_ms"),
        ),
        (
            "no time",
            r#"{"service":"a","level":"INFO","message":"m","timestamp":"yesterday"}"#,
            Some("timestamp"),
        ),
    ];
    for (name, line, field) in bad {
        let mut body = ndjson(&[good("before")]);
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
        body.extend(ndjson(&[good("after")]));
        let answer = bench.api.ingest(&[NDJSON], body).await?;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert_eq!(answer.json["status"], "partial", "{name}: {}", answer.text);
        assert_eq!((answer.number("accepted"), answer.number("rejected")), (Some(2), Some(1)), "{name}");
        let rejections = rejections(&answer);
        assert_eq!(rejections.len(), 1, "{name}: {}", answer.text);
        assert_eq!(rejections[0]["position"], 1, "{name}: {}", answer.text);
        assert_eq!(rejections[0]["line"], 2, "{name}: {}", answer.text);
        assert_eq!(rejections[0]["field"].as_str(), field, "{name}: {}", answer.text);
        assert!(rejections[0]["reason"].as_str().is_some_and(|reason| reason.len() > 5), "{name}");
    }
    assert_eq!(bench.api.all_logs(&[]).await?.len(), bad.len() * 2);
    assert_eq!(bench.api.all_dead_letters().await?.len(), bad.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_which_nothing_can_be_stored_is_a_400_that_says_why() -> Result<()> {
    let bench = bench(&[]).await?;
    let bad = br#"{"service":"a","level":"INFO","message":"m","latency_ms":"soon"}"#.to_vec();
    let answer = bench.api.ingest(&[JSON], bad).await?;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!((answer.number("accepted"), answer.number("rejected")), (Some(0), Some(1)), "{}", answer.text);
    assert_eq!(answer.error("field"), "latency_ms", "{}", answer.text);
    assert!(!answer.error("code").is_empty() && !answer.error("message").is_empty(), "{}", answer.text);
    for (name, body) in
        [("empty", ""), ("blank", "\n \n"), ("cut", "{\"service\":"), ("no UTF-8", "\u{fffd}{")]
    {
        let answer = bench.api.ingest(&[JSON], body.into()).await?;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        assert!(!answer.error("message").is_empty(), "{name}: {}", answer.text);
    }
    assert_eq!(bench.api.all_logs(&[]).await?.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_encodings_broken_streams_and_bombs_are_refused() -> Result<()> {
    let bench = bench(&[]).await?;
    let body = ndjson(&[good("x")]);
    let answer = bench.api.ingest(&[NDJSON, ("content-encoding", "br")], body.clone()).await?;
    assert_eq!(answer.status, 415, "{}", answer.text);
    for encoding in ["gzip", "zstd"] {
        let answer = bench.api.ingest(&[NDJSON, ("content-encoding", encoding)], body.clone()).await?;
        assert_eq!(answer.status, 400, "{encoding} that is none: {}", answer.text);
    }
    let whole = gzip(&ndjson(&vec![good("cut off"); 500]))?;
    let cut = whole[..whole.len() / 2].to_vec();
    let answer = bench.api.ingest(&[NDJSON, ("content-encoding", "gzip")], cut).await?;
    assert_eq!(answer.status, 400, "a gzip stream that is cut: {}", answer.text);
    // Blanks up to the bound are legal; one more byte is not, however small it was on the wire.
    let inflated = vec![b' '; INFLATED_BYTES_MAX + 1];
    let bombs = [("gzip", gzip(&inflated)?), ("zstd", zstd::encode_all(&inflated[..], 1)?)];
    drop(inflated);
    let peak_before = peak_memory_kib(&bench.node)?;
    for (encoding, bomb) in bombs {
        let answer = bench.api.ingest(&[NDJSON, ("content-encoding", encoding)], bomb).await?;
        assert_eq!(answer.status, 413, "{encoding}: {}", answer.text);
    }
    let growth_mib = (peak_memory_kib(&bench.node)? - peak_before) / 1024;
    println!("two bombs of 256 MiB: peak memory grew by {growth_mib} MiB");
    assert_eq!(bench.api.all_logs(&[]).await?.len(), 0, "nothing of a refused request is stored");
    assert_eq!(bench.api.ingest(&[NDJSON], body).await?.status, 200, "the node goes on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_or_record_over_its_limit_is_refused_with_the_limit() -> Result<()> {
    let bench = bench(&[]).await?;
    let body = vec![b' '; (32 << 20) + 1];
    let answer = bench.api.ingest(&[NDJSON], body).await;
    // The node may answer before it has read all of the body, and close: both are refusals.
    if let Ok(answer) = answer {
        assert_eq!(answer.status, 413, "{}", answer.text);
    }
    let large = json!({"service": "a", "level": "INFO", "message": "x".repeat((1 << 20) + 1)});
    let answer = bench.api.ingest(&[NDJSON], ndjson(&[good("small"), large])).await?;
    assert_eq!((answer.number("accepted"), answer.number("rejected")), (Some(1), Some(1)), "{}", answer.text);
    let wide: serde_json::Map<String, Value> =
        (0..600).map(|field| (format!("f{field}"), json!(1))).collect();
    let mut wide = Value::Object(wide);
    wide["service"] = json!("a");
    wide["message"] = json!("m");
    let answer = bench.api.ingest(&[NDJSON], ndjson(&[good("narrow"), wide])).await?;
    assert_eq!((answer.number("accepted"), answer.number("rejected")), (Some(1), Some(1)), "{}", answer.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_and_a_service_token_writes_its_own_service_only() -> Result<()> {
    let bench = bench(&[]).await?;
    let body = ndjson(&[good("x")]);
    let answer = bench.api.ingest(&[NDJSON, ("authorization", "Bearer wrong")], body.clone()).await?;
    assert_eq!(answer.status, 401, "{}", answer.text);
    let request = json!({"service": "checkout", "name": "test"});
    let anonymous = bench.api.post_json("/api/tokens", &request).await?;
    assert!(matches!(anonymous.status, 401 | 403), "{} {}", anonymous.status, anonymous.text);
    let admin = bench.node.admin_api()?;
    let created = admin.post_json("/api/tokens", &request).await?;
    assert!(created.status < 300, "{} {}", created.status, created.text);
    let id = created.json["id"].as_str().context("id")?.to_owned();
    let bearer = format!("Bearer {}", created.json["token"].as_str().context("token")?);
    let with_token = [NDJSON, ("authorization", bearer.as_str())];
    assert_eq!(bench.api.ingest(&with_token, body.clone()).await?.status, 200);
    let other = json!({"service": "auth", "level": "INFO", "message": "m"});
    let answer = bench.api.ingest(&with_token, ndjson(&[other])).await?;
    assert!(matches!(answer.status, 400 | 403), "another service: {} {}", answer.status, answer.text);
    assert_eq!(bench.api.all_logs(&[("service", "auth")]).await?.len(), 0);
    assert!(admin.delete(&format!("/api/tokens/{id}")).await?.status < 300);
    let answer = bench.api.ingest(&with_token, body).await?;
    assert_eq!(answer.status, 401, "a revoked token: {}", answer.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_can_be_listed_mended_and_replayed_once() -> Result<()> {
    let bench = bench(&[]).await?;
    let broken = json!({"service": "checkout", "level": "INFO", "message": "mend me", "latency_ms": "soon"});
    bench.api.ingest(&[NDJSON], ndjson(&[good("x"), broken.clone()])).await?;
    let dead_letters = bench.api.all_dead_letters().await?;
    assert_eq!(dead_letters.len(), 1);
    let dead_letter = &dead_letters[0];
    assert_eq!(dead_letter["field"], "latency_ms");
    assert_eq!(dead_letter["position"], 1);
    assert_eq!(dead_letter["raw_truncated"], false);
    let raw: Value = serde_json::from_str(dead_letter["raw"].as_str().context("raw")?)?;
    assert_eq!(raw, broken);
    let id = dead_letter["id"].as_str().context("id")?;

    let admin = bench.node.admin_api()?;
    let again = admin.post_json("/api/dead-letters/replay", &json!({"ids": [id]})).await?;
    assert_eq!(again.json["replayed"], 0, "broken as it is: {}", again.text);
    assert_eq!(again.json["failed"][0]["id"], json!(id), "{}", again.text);
    let mended = json!({"service": "checkout", "level": "INFO", "message": "mend me", "latency_ms": 7});
    let request = json!({"records": [{"id": id, "record": mended}]});
    let anonymous = bench.api.post_json("/api/dead-letters/replay", &request).await?;
    assert!(matches!(anonymous.status, 401 | 403), "{} {}", anonymous.status, anonymous.text);
    let replayed = admin.post_json("/api/dead-letters/replay", &request).await?;
    assert_eq!(replayed.json["replayed"], 1, "{}", replayed.text);
    let second = admin.post_json("/api/dead-letters/replay", &request).await?;
    assert_eq!(second.json["replayed"], 0, "replayed twice: {}", second.text);
    let stored = bench.api.all_logs(&[("q", "\"mend me\"")]).await?;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["latency_ms"], 7);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_with_the_time_to_come_back() -> Result<()> {
    let bench = bench(&[
        ("INSIGHTHUB_LIMITS__SERVICE_RECORDS_PER_SEC", "100"),
        ("INSIGHTHUB_LIMITS__SERVICE_BURST_RECORDS", "100"),
    ])
    .await?;
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20 {
        let answer = bench.api.ingest(&[NDJSON], ndjson(&vec![good("burst"); 50])).await?;
        match answer.status {
            200 => accepted += answer.number("accepted").context("accepted")?,
            429 | 503 => {
                refused += 1;
                assert!(answer.says_when_to_retry(), "{} without Retry-After", answer.status);
                assert!(!answer.error("message").is_empty(), "{}", answer.text);
            }
            other => anyhow::bail!("{other}: {}", answer.text),
        }
    }
    assert!(refused > 0, "1,000 records at once passed a limit of 100 a second");
    assert_eq!(bench.api.all_logs(&[]).await?.len() as u64, accepted);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_readiness_and_metrics_tell_the_truth() -> Result<()> {
    let mut bench = bench(&[]).await?;
    bench.api.ingest(&[NDJSON], ndjson(&[good("x"), good("y"), json!({"service": 1})])).await?;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(bench.api.get(path, &[]).await?.status, 200, "{path}");
    }
    let metrics = bench.api.get("/metrics", &[]).await?;
    assert_eq!(metrics.status, 200);
    let samples: Vec<&str> =
        metrics.text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert!(!samples.is_empty(), "no metrics");
    for sample in &samples {
        let value = sample.rsplit(' ').next().unwrap_or("");
        assert!(value.parse::<f64>().is_ok(), "no number at the end of {sample:?}");
    }
    let cluster = bench.api.cluster().await?;
    assert_eq!(cluster["ingest"]["accepted"], 2, "{}", cluster["ingest"]);
    assert_eq!(cluster["ingest"]["rejected"], 1, "{}", cluster["ingest"]);
    bench.node.kill_nine()?;
    let gone = || async { bench.api.get("/healthz", &[]).await.is_err() };
    wait_until("a dead node does not answer", Duration::from_secs(5), gone).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_addresses_and_parameters_are_refused_with_a_reason() -> Result<()> {
    let bench = bench(&[]).await?;
    for parameters in [
        vec![("level", "LOUD")],
        vec![("from", "yesterday")],
        vec![("limit", "many")],
        vec![("cursor", "no cursor")],
        vec![("q", "\"open quote")],
        vec![("q", "(a OR b")],
    ] {
        let answer = bench.api.get("/api/logs", &parameters).await?;
        assert_eq!(answer.status, 400, "{parameters:?}: {}", answer.text);
        assert!(!answer.error("code").is_empty() && !answer.error("message").is_empty(), "{parameters:?}");
    }
    let answer = bench.api.get("/api/nothing", &[]).await?;
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert!(!answer.error("message").is_empty(), "{}", answer.text);
    Ok(())
}

fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

fn peak_memory_kib(node: &NodeProcess) -> Result<i64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process_id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib = line.trim().trim_end_matches("kB").trim().parse();
    ensure!(kib.is_ok(), "{line}");
    Ok(kib?)
}
