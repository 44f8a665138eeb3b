//! Logs of OpenTelemetry against real nodes: every form in which clients send them, what they are answered, who may send.

mod sent;

use std::io::Write;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::addresses::free_address;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::grpc::{EXPORT, call, framed};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess, Role};
use reqwest::Client;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";
const RECORDS: u64 = 50;

/// An answer over HTTP.
#[derive(Debug)]
struct Answer {
    status: u16,
    content_type: String,
    retry_after: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

async fn post(node: SocketAddr, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Result<Answer> {
    let mut request = Client::new().post(format!("http://{node}/v1/logs")).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await?;
    let header =
        |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Answer {
        status: answer.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        retry_after: header("retry-after"),
        body: answer.bytes().await?.to_vec(),
    })
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

async fn stored(api: &Api, service: &str) -> Result<Vec<Value>> {
    api.all_logs(&[("service", service)]).await
}

fn limited(limits: &[(&str, &str)]) -> ClusterOptions {
    let mut options = ClusterOptions { nodes: 1, ..ClusterOptions::default() };
    for (name, value) in limits {
        options.environment.push(((*name).to_owned(), (*value).to_owned()));
    }
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_a_request_arrives_once_however_often_it_is_sent() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let now = sent::now();
    for (number, form) in ["json", "chunked", "gzip", "zstd", "protobuf", "deflate", "grpc", "grpc-gzip"]
        .into_iter()
        .enumerate()
    {
        let (service, node) = (form, &cluster.nodes[number % 3]);
        // To another node, as a client does whose first had no time to answer.
        for node in [node, node, &cluster.nodes[(number + 1) % 3]] {
            send(node.http, form, service, now).await.with_context(|| format!("{form} to {}", node.name))?;
        }
        let records = stored(cluster.nodes[(number + 2) % 3].api(), service).await?;
        ensure!(records.len() as u64 == RECORDS, "{form}: {} instead of {RECORDS}", records.len());
        let mut numbers: Vec<u64> = records.iter().filter_map(|record| record["number"].as_u64()).collect();
        numbers.sort_unstable();
        ensure!(numbers.iter().copied().eq(0..RECORDS), "{form}: {numbers:?}");
        for record in &records {
            let message = format!("order {} failed", record["number"]);
            ensure!(
                record["message"] == message
                    && record["level"] == "ERROR"
                    && record["trace_id"] == "0102030405060708090a0b0c0d0e0f10"
                    && record["span_id"] == "abababababababab"
                    && record["otel.scope.name"] == "shop",
                "{form}: {record}"
            );
        }
    }
    Ok(())
}

/// Sends a request in one of its forms; it must be stored in full.
async fn send(node: SocketAddr, form: &str, service: &str, now: u64) -> Result<()> {
    let json = sent::json(service, now, RECORDS).to_string().into_bytes();
    let protobuf = sent::protobuf(service, now, RECORDS);
    let (headers, body): (&[(&str, &str)], _) = match form {
        "json" => (&[("content-type", "application/json; charset=utf-8")], reqwest::Body::from(json)),
        "chunked" => {
            let pieces: Vec<_> =
                json.chunks(1_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            (&[("content-type", JSON)], reqwest::Body::wrap_stream(futures::stream::iter(pieces)))
        }
        "gzip" => (&[("content-type", JSON), ("content-encoding", "gzip")], gzip(&json)?.into()),
        "zstd" => (
            &[("content-type", PROTOBUF), ("content-encoding", "zstd")],
            zstd::encode_all(&protobuf[..], 1)?.into(),
        ),
        "protobuf" => (&[("content-type", PROTOBUF)], protobuf.into()),
        "deflate" => {
            (&[("content-type", PROTOBUF), ("content-encoding", "deflate")], deflate(&protobuf)?.into())
        }
        _ => {
            let said = match form {
                "grpc" => call(node, EXPORT, &[], framed(0, &protobuf)).await?,
                _ => call(node, EXPORT, &[("grpc-encoding", "gzip")], framed(1, &gzip(&protobuf)?)).await?,
            };
            ensure!(said.status == 0 && said.message.is_empty(), "{said:?}");
            return Ok(());
        }
    };
    let expected: (&str, &[u8]) = if headers[0].1 == PROTOBUF { (PROTOBUF, b"") } else { (JSON, b"{}") };
    let answer = post(node, headers, body).await?;
    ensure!(
        answer.status == 200 && (answer.content_type.as_str(), &answer.body[..]) == expected,
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_over_http_and_grpc_is_one_and_records_without_a_time_are_each_their_own() -> Result<()> {
    let cluster = Cluster::start(&limited(&[])).await?;
    let node = cluster.node(0)?;
    let dated = sent::protobuf("dated", sent::now(), 5);
    post(node.http, &[("content-type", PROTOBUF)], dated.clone()).await?;
    call(node.http, EXPORT, &[], framed(0, &dated)).await?;
    ensure!(stored(node.api(), "dated").await?.len() == 5);
    let undated = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"when?"}}]}]}]}"#;
    for _ in 0..2 {
        ensure!(post(node.http, &[("content-type", JSON)], undated).await?.status == 200);
    }
    ensure!(stored(node.api(), "unknown_service").await?.len() == 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_records_are_counted_and_kept_and_the_rest_is_stored() -> Result<()> {
    let cluster = Cluster::start(&limited(&[])).await?;
    let node = cluster.node(0)?;
    let mut request = sent::json("shop", sent::now(), 3);
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][1]["timeUnixNano"] =
        json!("9000000000000000000");
    let answer = post(node.http, &[("content-type", JSON)], request.to_string()).await?;
    let partial = answer.json()["partialSuccess"].clone();
    ensure!(answer.status == 200 && partial["rejectedLogRecords"] == "1", "{answer:?}");
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    ensure!(message.contains("record 1:") && message.contains("in the future"), "{message}");
    ensure!(stored(node.api(), "shop").await?.len() == 2);
    let letters = node.api().all_dead_letters().await?;
    ensure!(
        letters.len() == 1 && letters[0]["origin"] == "otlp" && letters[0]["service"] == "shop",
        "{letters:?}"
    );

    // All of them: still no error, for the body could be read.
    let far = sent::protobuf("shop", 9_000_000_000_000_000_000, 4);
    let answer = post(node.http, &[("content-type", PROTOBUF)], far.clone()).await?;
    let said = call(node.http, EXPORT, &[], framed(0, &far)).await?;
    // partial_success { rejected_log_records: 4, error_message: ... }
    for (status, body) in [(answer.status, &answer.body), (said.status + 200, &said.message)] {
        ensure!(
            status == 200 && body.first() == Some(&0x0a) && body.windows(3).any(|part| part == [8, 4, 0x12]),
            "{body:?}"
        );
        ensure!(String::from_utf8_lossy(body).contains("in the future"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_is_told_in_words_of_otlp() -> Result<()> {
    let limits = [
        ("INSIGHTHUB_LIMITS__BODY_BYTES_MAX", "65536"),
        ("INSIGHTHUB_LIMITS__INFLATED_BYTES_MAX", "2000000"),
    ];
    let cluster = Cluster::start(&limited(&limits)).await?;
    let node = cluster.node(0)?.http;
    let bomb = gzip(&vec![b' '; 3_000_000])?;
    for (headers, body, status) in [
        (&[("content-type", JSON)][..], b"{\"resourceLogs\":".to_vec(), 400),
        (&[("content-type", JSON)], b"".to_vec(), 400),
        (&[("content-type", JSON)], vec![b' '; 70_000], 413),
        (&[("content-type", JSON), ("content-encoding", "gzip")], bomb.clone(), 413),
        (&[("content-type", JSON), ("content-encoding", "gzip")], b"{}".to_vec(), 400),
        (&[("content-type", JSON), ("content-encoding", "br")], b"{}".to_vec(), 415),
        (&[("content-type", "text/plain")], b"{}".to_vec(), 415),
        (&[], b"{}".to_vec(), 415),
    ] {
        let answer = post(node, headers, body).await?;
        let json = answer.json();
        ensure!(answer.status == status && answer.content_type == JSON, "{headers:?}: {answer:?}");
        ensure!(json["code"] == 3 || status == 415, "{headers:?}: {json}");
        ensure!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{headers:?}: {json}");
    }
    let answer = post(node, &[("content-type", PROTOBUF)], "{}").await?;
    ensure!(answer.status == 400 && answer.content_type == PROTOBUF, "{answer:?}");
    ensure!(answer.body.starts_with(&[8, 3, 0x12]), "google.rpc.Status: {answer:?}");

    let good = framed(0, &sent::protobuf("shop", sent::now(), 1));
    for (path, headers, body, status) in [
        (EXPORT, &[][..], framed(0, b"{}"), 3),
        (EXPORT, &[], b"\0\0".to_vec(), 3),
        (EXPORT, &[], framed(0, &vec![0; 70_000]), 3),
        (EXPORT, &[("grpc-encoding", "gzip")], framed(1, &bomb), 3),
        (EXPORT, &[("grpc-encoding", "br")], framed(1, b"{}"), 12),
        (EXPORT, &[("grpc-timeout", "soon")], good.clone(), 3),
        (EXPORT, &[("grpc-timeout", "1n")], good, 4),
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", &[], framed(0, b""), 12),
        ("/nothing/AtAll", &[], framed(0, b""), 12),
    ] {
        let said = call(node, path, headers, body).await?;
        ensure!(
            said.status == status && !said.text.is_empty() && !said.details.is_empty(),
            "{path} {headers:?}: {said:?}"
        );
    }
    ensure!(call(node, EXPORT, &[], framed(0, b"")).await?.status == 0, "a request without records is good");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_that_is_passed_is_told_with_the_time_to_wait() -> Result<()> {
    let limits = [
        ("INSIGHTHUB_LIMITS__SERVICE_RECORDS_PER_SEC", "1"),
        ("INSIGHTHUB_LIMITS__SERVICE_BURST_RECORDS", "20"),
    ];
    let cluster = Cluster::start(&limited(&limits)).await?;
    let node = cluster.node(0)?.http;
    let now = sent::now();
    ensure!(post(node, &[("content-type", PROTOBUF)], sent::protobuf("shop", now, 20)).await?.status == 200);
    let answer = post(node, &[("content-type", JSON)], sent::json("shop", now + 1, 20).to_string()).await?;
    ensure!(answer.status == 429 && answer.retry_after.is_some(), "{answer:?}");
    ensure!(answer.json()["code"] == 14, "{answer:?}");
    let said = call(node, EXPORT, &[], framed(0, &sent::protobuf("shop", now + 2, 20))).await?;
    // RetryInfo is among the details.
    ensure!(said.status == 14 && said.details.len() > 80, "{said:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_send_sends_here_and_at_the_address_of_its_own() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (http, otlp) = (free_address()?, free_address()?);
    let config = directory.path().join("cluster.toml");
    let text = format!(
        "[cluster]\nname = \"otlp\"\npartitions = 2\nprofile = \"production\"\n\n\
         [[node]]\nname = \"n1\"\nhttp = \"{http}\"\notlp = \"{otlp}\"\n"
    );
    std::fs::write(&config, text)?;
    let role = Role::Named { config, name: "n1".to_owned() };
    let options = NodeOptions { role, ..NodeOptions::in_directory(directory.path())? };
    let mut node = NodeProcess::launch(options, http)?;
    node.wait_until_ready(insighthub_chaos_tests::node_process::READY_WITHIN).await?;
    let admin = node.admin_api()?;
    let token = admin.post_json("/api/tokens", &json!({ "service": "shop" })).await?.member("token")?;
    let reader = json!({ "name": "reader", "scopes": ["read"] });
    let reader = admin.post_json("/api/tokens", &reader).await?.member("token")?;
    let (good, reading) = (format!("Bearer {token}"), format!("Bearer {reader}"));
    let wrong = "Bearer ihs_0123456789abcdef_nobody";
    for (turn, address) in [http, otlp].into_iter().enumerate() {
        let body = sent::protobuf("shop", sent::now() + turn as u64, 4);
        for (authorization, status, code) in
            [(None, 401, 16), (Some(wrong), 401, 16), (Some(&reading[..]), 403, 7), (Some(&good[..]), 200, 0)]
        {
            let shown: Vec<(&str, &str)> =
                authorization.map(|value| ("authorization", value)).into_iter().collect();
            let headers = [&[("content-type", PROTOBUF)], &shown[..]].concat();
            let answer = post(address, &headers, body.clone()).await?;
            ensure!(answer.status == status, "{authorization:?} at {address}: {answer:?}");
            let said = call(address, EXPORT, &shown, framed(0, &body)).await?;
            ensure!(said.status == code, "{authorization:?} at {address}: {said:?}");
        }
        // The token is bound to one service.
        let headers = [("content-type", PROTOBUF), ("authorization", &good[..])];
        let answer = post(address, &headers, sent::protobuf("pay", sent::now(), 4)).await?;
        ensure!(answer.status == 200 && answer.body.starts_with(&[0x0a]), "{answer:?}");
    }
    ensure!(stored(&admin, "shop").await?.len() == 8);
    for path in ["/", "/api/cluster", "/healthz", "/metrics", "/v1/traces"] {
        let answer = Client::new().get(format!("http://{otlp}{path}")).send().await?;
        ensure!(answer.status() == 404, "{path} at the address of its own: {}", answer.status());
    }
    Ok(())
}
