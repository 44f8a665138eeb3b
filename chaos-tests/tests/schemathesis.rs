//! What the API's document allows, and what it does not, asked of a node as it runs in production: no answer breaks the
//! document, none is a failure of the node. The asking is done by schemathesis; `cargo xtask test` installs it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::binary::workspace;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use serde_json::json;
use tokio::process::Command;

/// Much more than a run takes: it has a bounded number of requests.
const RUN_WITHIN: Duration = Duration::from_secs(300);
const ADMIN: (&str, &str) = ("admin", "correct horse battery staple");
const VIEWER: (&str, &str) = ("vera", "a viewer's canary");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_keeps_to_the_document() -> Result<()> {
    let mut environment = ClusterOptions::default().environment;
    environment.push(("INSIGHTHUB_CLUSTER__PROFILE".to_owned(), "production".to_owned()));
    let options = ClusterOptions { nodes: 1, partitions: 4, environment, ..Default::default() };
    let cluster = Cluster::start(&options).await?;
    let node = cluster.node(0)?;
    let (name, password) = VIEWER;
    let user = json!({ "name": name, "role": "viewer", "password": password });
    let made = node.admin().post_json("/api/users", &user).await?;
    ensure!(made.status == 201, "{}", made.text);
    fill(&cluster).await?;
    // Most of what a viewer asks is refused by the gate, before schemas matter.
    run(&node.url(), VIEWER, "2").await?;
    run(&node.url(), ADMIN, "20").await?;
    let after = node.admin().get("/api/cluster", &[]).await?;
    ensure!(after.status == 200, "the node no longer answers as it did: {} {}", after.status, after.text);
    let complaints = node.complaints().await?;
    ensure!(complaints.is_empty(), "the node wrote down failures: {complaints:#?}");
    Ok(())
}

/// Something to find: records of several kinds, and some that are refused.
async fn fill(cluster: &Cluster) -> Result<()> {
    let mut lines = String::new();
    for number in 0..400 {
        let level = if number % 9 == 0 { "error" } else { "info" };
        let service = if number % 2 == 0 { "checkout" } else { "payment" };
        let record = json!({ "service": service, "level": level, "message": format!("order {number} paid"),
            "latency_ms": number % 50, "region": "eu", "status": 200 + number % 4 });
        lines.push_str(&format!("{record}\n"));
    }
    lines.push_str("{\"level\": \"info\"}\n{\n");
    let answer =
        cluster.node(0)?.admin().ingest(&[("content-type", "application/x-ndjson")], lines.into()).await?;
    ensure!(answer.number("accepted") == Some(400), "{}", answer.text);
    Ok(())
}

/// One run of schemathesis, with a session: wrong passwords are among what it tries, and they are throttled.
async fn run(url: &str, (user, password): (&str, &str), examples: &str) -> Result<()> {
    let began = Instant::now();
    let signed_in =
        Api::new(url)?.post_json("/api/login", &json!({ "user": user, "password": password })).await?;
    let cookie = signed_in.headers.get("set-cookie").and_then(|value| value.to_str().ok());
    let pair = cookie.and_then(|cookie| cookie.split(';').next()).and_then(|pair| pair.split_once('='));
    let (_, session) = pair.with_context(|| format!("no cookie: {}", signed_in.text))?;
    let folder = workspace().join("chaos-tests/schemathesis");
    // It leaves notes where it runs.
    let scratch = tempfile::tempdir()?;
    let running = Command::new(program()?)
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("{url}/api/openapi.json"), "--max-examples", examples])
        .args(["--header", &format!("Authorization: Bearer {session}")])
        .args(["--no-color", "--output-truncate", "false"])
        .current_dir(scratch.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(RUN_WITHIN, running).await.context("schemathesis did not end")??;
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.rsplit_once("SUMMARY").map_or(said.as_ref(), |(_, summary)| summary);
    println!("{user}: {:?}\n{summary}", began.elapsed());
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    ensure!(said.contains("generated"), "nothing was asked: {said}");
    let still = Api::new(url)?.bearing(session).get("/api/session", &[]).await?;
    ensure!(still.status == 200, "the session ended on the way, so the rest was refused: {}", still.text);
    Ok(())
}

fn program() -> Result<PathBuf> {
    let program = std::env::var_os("INSIGHTHUB_SCHEMATHESIS")
        .map_or_else(|| workspace().join("target/schemathesis/bin/schemathesis"), PathBuf::from);
    let missing = || format!("there is no {}: `cargo xtask test` installs it", program.display());
    ensure!(program.is_file(), missing());
    Ok(program)
}
