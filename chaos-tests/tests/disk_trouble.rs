//! The disk is full, a sync fails, or there are more blocks than a process may open files: nothing is acknowledged that is not
//! safe, and the node recovers or goes on.
//!
//! The first needs root and loop devices, the second strace; each says so and passes where they are missing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::chaos_record::{RecordSource, now};
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::loop_disk::LoopDisk;
use insighthub_chaos_tests::nemesis::strace::Strace;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::json;

const FLOWS_WITHIN: Duration = Duration::from_secs(30);
const REFUSED_WITHIN: Duration = Duration::from_secs(15);
/// Not the first: in the middle of the load.
const FAILING_SYNC: u32 = 20;
/// What a node needs without its blocks, and a few of them.
const OPEN_FILES: u64 = 64;
/// With the other files more than may be open.
const BLOCKS: u64 = 48;
const BATCH_RECORDS: u64 = 4_000;
/// Far more than that many blocks take.
const RECORDS_MAX: u64 = 600_000;
/// Less than the free space below which a node refuses writes.
const LITTLE_BYTES: u64 = 64 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_refused_with_503_read_from_and_recovered_from() -> Result<()> {
    let disk = match LoopDisk::new() {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: no disk to fill on this machine: {reason:#}");
            return Ok(());
        }
    };
    let mut options = NodeOptions::in_directory(disk.outside())?.sealing_all_the_time();
    options.data = disk.mount_point().join("data");
    let mut node = NodeProcess::start(options).await?;
    let api = node.api()?;
    let load = Load::start(&node.url(), &LoadPlan::default())?;
    let probe = Probe::new(&api, &load);
    // Little space first, as a monitored disk fills; then none at all between two looks at the disk.
    for left in [LITTLE_BYTES, 0] {
        load.flows(2_000, FLOWS_WITHIN).await.with_context(|| node.last_output())?;
        disk.leave_free(left)?;
        wait_until("writes are refused", REFUSED_WITHIN, || probe.is_refused()).await?;
        assert_eq!(api.get("/api/logs", &[("limit", "1")]).await?.status, 200, "reading goes on");
        disk.give_back()?;
    }
    load.flows(2_000, FLOWS_WITHIN).await.with_context(|| node.last_output())?;
    let ledger = load.finish(FLOWS_WITHIN).await?;
    check_node(&api, &ledger).await?;
    node.kill_nine()?;
    node.restart().await?;
    check_node(&api, &ledger).await?;
    println!("full disk, twice: {} acknowledged, {} retries", ledger.acknowledged, ledger.retries);
    Gates { acknowledged_min: 6_000, rejected_min: 1, faults: 2, faults_min: 2 }.hold(&ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_may_have_more_blocks_than_open_files() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut options = NodeOptions::in_directory(directory.path())?.sealing_all_the_time();
    options.wrapper = vec!["prlimit".into(), format!("--nofile={OPEN_FILES}")];
    let mut node = NodeProcess::start(options).await?;
    let api = node.api()?;
    let mut sent = 0;
    while api.blocks().await? < BLOCKS {
        ensure!(sent < RECORDS_MAX, "{} blocks of {sent} records", api.blocks().await?);
        let record = |number| json!({ "service": format!("s{}", number % 32), "message": "one of many", "number": number });
        let lines: Vec<String> =
            (sent..sent + BATCH_RECORDS).map(|number| record(number).to_string()).collect();
        api.ingest(&[("content-type", "application/x-ndjson")], lines.join("\n").into_bytes())
            .await?
            .expect(200)?;
        sent += BATCH_RECORDS;
    }
    // Reads a column of every block.
    let question = json!({ "query": "number:>=0 | stats count() as n, max(number) as last" });
    let expected = json!([[sent, sent - 1]]);
    let found = api.post_json("/api/query", &question).await?;
    ensure!(found.json["rows"] == expected, "{sent} sent: {}", found.text);
    node.kill_nine()?;
    node.restart().await?;
    let found = node.api()?.post_json("/api/query", &question).await?;
    ensure!(found.json["rows"] == expected, "{sent} sent, after the restart: {}", found.text);
    let complaints = node.complaints()?;
    ensure!(complaints.is_empty(), "{complaints:#?}");
    println!("{sent} records in {} blocks, {OPEN_FILES} open files", node.api()?.blocks().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged_until_the_node_starts_again() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let trace = directory.path().join("trace");
    let mut node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let load = Load::start(&node.url(), &LoadPlan::default())?;
    load.flows(500, FLOWS_WITHIN).await?;
    // Fails once: a node that tries again finds a sync that works, and data that is gone.
    let Some(strace) = Strace::fail_one_sync(node.process_id(), FAILING_SYNC, &trace) else {
        println!("skipped: strace cannot be used on this machine");
        return Ok(());
    };
    let failed = || async { strace.has_injected() };
    wait_until("a sync fails", Duration::from_secs(20), failed).await?;
    let api = node.api()?;
    let probe = Probe::new(&api, &load);
    for attempt in 0..10 {
        assert!(probe.is_refused().await, "attempt {attempt} was acknowledged after a failed sync");
    }
    drop(strace);
    node.kill_nine()?;
    node.restart().await?;
    load.flows(500, FLOWS_WITHIN).await?;
    let ledger = load.finish(FLOWS_WITHIN).await?;
    check_node(&api, &ledger).await?;
    println!("failed sync: {} acknowledged, {} retries", ledger.acknowledged, ledger.retries);
    Gates { acknowledged_min: 1_000, rejected_min: 1, faults: 1, faults_min: 1 }.hold(&ledger)
}

/// Single writes that are tried once each, noted in the ledger of the load.
struct Probe<'a> {
    api: &'a Api,
    load: &'a Load,
    source: RecordSource,
    tried: AtomicU64,
}

impl<'a> Probe<'a> {
    fn new(api: &'a Api, load: &'a Load) -> Probe<'a> {
        let source = RecordSource { writer: "probe".to_owned(), seed: 9, start: now(), broken_every: 0 };
        Probe { api, load, source, tried: AtomicU64::new(0) }
    }

    /// Whether a write is not acknowledged.
    async fn is_refused(&self) -> bool {
        let batch = [self.source.record(self.tried.fetch_add(1, Ordering::Relaxed))];
        self.load.ledger().sending(&batch);
        let body = batch[0].json.to_string().into_bytes();
        let answer = self.api.ingest(&[("content-type", "application/json")], body).await;
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            self.load.ledger().promised(&batch);
        }
        answer.map_or(true, |answer| answer.status == 503 && answer.says_when_to_retry())
    }
}
