//! Each kind of actor panics under load: it is restarted, the restart is shown, nothing is lost.
//!
//! Uses the fault hook of the debug build, which exists only with INSIGHTHUB_FAULTS=1.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::binary::debug_binary;
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::live_tail::LiveTail;
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

const KINDS: [&str; 5] = ["ingest", "partition", "shard", "tail_hub", "session"];
const PANICS_EACH: u64 = 5;
const RESTARTED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_any_kind_of_actor_loses_nothing_acknowledged() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut options = NodeOptions::in_directory(directory.path())?;
    options.binary = match std::env::var_os("INSIGHTHUB_DEBUG_BIN") {
        Some(named) => named.into(),
        None => debug_binary()?,
    };
    options.environment.push(("INSIGHTHUB_FAULTS".to_owned(), "1".to_owned()));
    let node = NodeProcess::start(options).await?;
    let api = node.api()?;
    let load = Load::start(&node.url(), &LoadPlan::default())?;
    load.flows(200, Duration::from_secs(30)).await?;
    for kind in KINDS {
        for turn in 1..=PANICS_EACH {
            // A session exists only while someone follows.
            let tail = LiveTail::open(&node.url(), &[]).await?;
            panic_once(&api, kind, tail).await.with_context(|| format!("panic {turn} of {kind}"))?;
            load.flows(100, Duration::from_secs(30))
                .await
                .with_context(|| format!("after panic {turn} of {kind}: {}", node.last_output()))?;
        }
    }
    let ledger = load.finish(Duration::from_secs(60)).await?;
    check_node(&api, &ledger).await?;
    let panics = PANICS_EACH * KINDS.len() as u64;
    Gates { acknowledged_min: panics * 100, rejected_min: 1, faults: panics, faults_min: panics }
        .hold(&ledger)?;
    println!("{panics} panics: {} acknowledged, {} retries", ledger.acknowledged, ledger.retries);
    Ok(())
}

/// Makes actors of the kind panic and waits until they run again. A session ends instead: its
/// follower is disconnected and comes back with its cursor.
async fn panic_once(api: &Api, kind: &str, mut tail: LiveTail) -> Result<()> {
    let before = restarts(&api.cluster().await?, kind);
    let answer = api.post_json("/debug/panic", &json!({ "actor": kind })).await?;
    ensure!(answer.status < 300, "the fault hook answers {} {}", answer.status, answer.text);
    if kind == "session" {
        let ended = async { while tail.next(RESTARTED_WITHIN).await.is_ok() {} };
        return tokio::time::timeout(RESTARTED_WITHIN, ended)
            .await
            .context("the follower is not disconnected");
    }
    let again = || async {
        let cluster = api.cluster().await;
        cluster.is_ok_and(|cluster| restarts(&cluster, kind) > before && all_run(&cluster, kind))
    };
    wait_until(&format!("a restart of {kind} is shown in /api/cluster"), RESTARTED_WITHIN, again).await
}

fn restarts(cluster: &Value, kind: &str) -> u64 {
    actors(cluster, kind).filter_map(|actor| actor.get("restarts")?.as_u64()).sum()
}

fn all_run(cluster: &Value, kind: &str) -> bool {
    actors(cluster, kind).all(|actor| actor.get("state").and_then(Value::as_str) == Some("running"))
}

fn actors<'a>(cluster: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let actors = cluster.get("actors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    actors.iter().filter(move |actor| actor.get("kind").and_then(Value::as_str) == Some(kind))
}
