//! A backup taken under load with a node killed in the middle holds everything acknowledged before it began, and
//! a new node and a new cluster made from one answer like the cluster it was taken from.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use insighthub_chaos_tests::api::{Api, Identity};
use insighthub_chaos_tests::chaos_record::{ChaosRecord, RecordSource, now};
use insighthub_chaos_tests::checker::check_node;
use insighthub_chaos_tests::cluster::blocks::Harm;
use insighthub_chaos_tests::cluster::command_line::{Ongoing, Ordered, as_admin, insighthub};
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::ledger::{Fate, Ledger};
use insighthub_chaos_tests::load::{Load, LoadPlan};
use serde_json::{Value, json};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// Two replicas of each partition are fetched, one after another.
const EQUAL_WITHIN: Duration = Duration::from_secs(60);
const FLOWS_WITHIN: Duration = Duration::from_secs(30);
/// Blocks in every partition, and records that are not in one yet.
const BEFORE_RECORDS: u64 = 8_000;
const OLD_BATCH: u64 = 60;
const HOLDS_MAX: usize = 50;
const BACKUPS_MAX: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_becomes_a_node_and_a_cluster() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let folder = directory.path().join("backup");
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let token = create_token(cluster.node(0)?).await?;
    let old = send_old_batch(&Api::new(&cluster.node(0)?.url())?).await?;

    let (mut acknowledged, mut ledger) = back_up_under_load(&cluster, &folder).await?;
    acknowledged.extend(old.iter().map(|record| record.id.clone()));
    ledger.sending(&old);
    ledger.promised(&old);
    ensure!(
        acknowledged.len() as u64 >= BEFORE_RECORDS,
        "only {} were acknowledged before",
        acknowledged.len()
    );
    verified(&folder)?;
    let kept = tempfile::tempdir()?;
    copy_folder(&folder, &kept.path().join("backup"))?;
    holds_what_was_acknowledged(&kept.path().join("backup"), &acknowledged, &ledger).await?;

    cluster.node(2)?.launch().await?;
    cluster.node(2)?.wait_until_ready(READY_WITHIN).await?;
    cluster.wait_for_equality(EQUAL_WITHIN).await?;
    fetches_only_what_is_not_there(&folder, &cluster.node(2)?.url())?;
    verified(&folder)?;
    is_recognised(&Api::new(&cluster.node(1)?.url())?, &old).await.context("where it was sent first")?;
    let expected = Everything::of(cluster.node(0)?).await?;
    drop(cluster);

    let single = ClusterOptions { nodes: 1, ..ClusterOptions::default() };
    for options in [single, ClusterOptions::default()] {
        let nodes = options.nodes;
        let restored = restored_cluster(&folder, &options).await.with_context(|| format!("{nodes} nodes"))?;
        restored.wait_for_equality(EQUAL_WITHIN).await?;
        for node in &restored.nodes {
            let found = Everything::of(node).await?;
            found.ensure_equal(&expected).with_context(|| format!("{} of {nodes}", node.name))?;
            check_node(&Api::new(&node.url())?, &ledger).await?;
        }
        goes_on(&restored, &token, &old, &expected).await.with_context(|| format!("{nodes} nodes"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_tampered_with_is_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let folder = directory.path().join("backup");
    let options = ClusterOptions { nodes: 1, ..ClusterOptions::default() };
    let cluster = Cluster::start(&options).await?;
    let node = cluster.node(0)?;
    send_old_batch(&Api::new(&node.url())?).await?;
    back_up(&folder, &node.url())?.accepted()?;
    verified(&folder)?;

    for (number, (kind, harm)) in [
        ("block", Harm::FlipBit),
        ("block", Harm::Truncate),
        ("block", Harm::Delete),
        ("state", Harm::FlipBit),
        ("manifest", Harm::FlipBit),
    ]
    .into_iter()
    .enumerate()
    {
        let copy = directory.path().join(format!("copy-{number}"));
        copy_folder(&folder, &copy)?;
        harm.strike(&file_of(&copy, kind)?)?;
        let said = insighthub(&["backup", "--verify", text(&copy)?], &[])?.refused()?;
        ensure!(said.contains("damaged or was tampered with"), "{kind} {harm:?}: {said}");
        let data = directory.path().join(format!("data-{number}"));
        let said = restore_into(node, &copy, &data)?.refused()?;
        ensure!(said.contains("damaged or was tampered with"), "{kind} {harm:?}: {said}");
        if kind == "block" {
            let said =
                insighthub(&["serve", "--data", text(&data)?, "--http", "127.0.0.1:0"], &[])?.refused()?;
            ensure!(said.contains("was not finished: empty the directory"), "{said}");
        }
    }
    let said = restore_into(node, &folder, &node.data)?.refused()?;
    ensure!(said.contains("is not empty"), "{said}");
    let said = insighthub(&["backup", "--verify", text(directory.path())?], &[])?.refused()?;
    ensure!(said.contains("holds no finished backup"), "{said}");
    let said = insighthub(&["backup", "--to", text(&folder)?, "--url", &node.url()], &[])?.refused()?;
    ensure!(said.contains("--user and --password"), "anybody may take a backup: {said}");
    let other = [("INSIGHTHUB_CLUSTER__PARTITIONS", "5")];
    let words = ["restore", "--from", text(&folder)?, "--data", "nowhere"];
    let said = insighthub(&words, &other)?.refused()?;
    ensure!(said.contains("set cluster.partitions = 4"), "{said}");
    Ok(())
}

/// Takes a backup through a node that is killed meanwhile. Answers what was acknowledged before, and everything
/// that was sent.
async fn back_up_under_load(cluster: &Cluster, folder: &Path) -> Result<(HashSet<String>, Ledger)> {
    let load = Load::start(&cluster.node(0)?.url(), &LoadPlan::default())?;
    load.flows(BEFORE_RECORDS, FLOWS_WITHIN).await?;
    let acknowledged: HashSet<String> = {
        let ledger = load.ledger();
        let known = ledger.records.iter().filter(|(_, sent)| sent.fate != Fate::Unknown);
        known.map(|(id, _)| id.clone()).collect()
    };
    let urls = [2, 1, 0].map(|number| cluster.node(number).map(Node::url));
    let urls = urls.into_iter().collect::<Result<Vec<_>>>()?.join(",");
    let backup = held_half_way(folder, &urls)?;
    cluster.node(2)?.kill().await?;
    backup.go_on()?;
    let said = backup.end()?.accepted()?;
    println!("{said}");
    load.flows(100, FLOWS_WITHIN).await?;
    Ok((acknowledged, load.finish(FLOWS_WITHIN).await?))
}

/// A backup that has a block and is not over. It takes some hundredths of a second: one that was over before it could be
/// held is taken anew.
fn held_half_way(folder: &Path, urls: &str) -> Result<Ongoing> {
    for _ in 0..HOLDS_MAX {
        let mut backup = Ongoing::start(&["backup", "--to", text(folder)?], &as_admin(urls))?;
        if backup.hold_when(|| file_of(folder, "block").is_ok())? {
            if !folder.join("manifest").exists() {
                return Ok(backup);
            }
            backup.go_on()?;
        }
        println!("over before it was held: {}", backup.end()?.accepted()?);
        std::fs::remove_dir_all(folder)?;
    }
    bail!("{HOLDS_MAX} backups were over before they could be held")
}

/// Later backups into the same folder leave the blocks alone that they need and that are there. Merges may have replaced
/// every block of the backup before, so they are taken until one finds some.
fn fetches_only_what_is_not_there(folder: &Path, url: &str) -> Result<()> {
    for _ in 0..BACKUPS_MAX {
        let before = files_of_blocks(folder)?;
        println!("{}", back_up(folder, url)?.accepted()?);
        let after = files_of_blocks(folder)?;
        let kept: Vec<_> = after.iter().filter(|(name, _)| before.contains_key(*name)).collect();
        let is_left_alone = kept.iter().all(|(name, inode)| before.get(*name) == Some(*inode));
        ensure!(is_left_alone, "blocks were written again: {before:?}, then {after:?}");
        if !kept.is_empty() {
            return Ok(());
        }
    }
    bail!("{BACKUPS_MAX} backups found no block of the one before")
}

/// The blocks of a backup: their names, and the inodes of their files.
fn files_of_blocks(folder: &Path) -> Result<HashMap<OsString, u64>> {
    let entries = std::fs::read_dir(folder.join("blocks"))?;
    entries.map(|entry| Ok(entry.map(|entry| (entry.file_name(), entry.ino()))?)).collect()
}

/// Of the first backup: everything acknowledged before it, nothing that was never sent.
async fn holds_what_was_acknowledged(
    folder: &Path,
    acknowledged: &HashSet<String>,
    ledger: &Ledger,
) -> Result<()> {
    let mut before = Ledger { records: ledger.records.clone(), ..Ledger::default() };
    for (id, sent) in &mut before.records {
        if !acknowledged.contains(id) {
            sent.fate = Fate::Unknown;
        }
    }
    let options = ClusterOptions { nodes: 1, ..ClusterOptions::default() };
    let restored = restored_cluster(folder, &options).await?;
    check_node(&Api::new(&restored.node(0)?.url())?, &before).await.context("the first backup").map(drop)
}

/// What a cluster answers.
#[derive(Debug, PartialEq)]
struct Everything {
    records: Vec<Value>,
    dead_letters: Vec<Value>,
    aggregates: Vec<Value>,
    tokens: Value,
    count: Value,
}

impl Everything {
    async fn of(node: &Node) -> Result<Everything> {
        let api = Api::new(&node.url())?;
        let count =
            json!({ "query": "* | stats count() as n, p95(latency_ms) by service, level", "format": "json" });
        let count = api.post_json("/api/query", &count).await?;
        ensure!(count.status == 200, "{}", count.text);
        let tokens = node.admin().get("/api/tokens", &[]).await?;
        ensure!(tokens.status == 200, "the admin's password is another: {}", tokens.text);
        let mut dead_letters = api.all_dead_letters().await?;
        dead_letters.sort_by_key(Value::to_string);
        Ok(Everything {
            records: api.all_logs(&[]).await?,
            dead_letters,
            aggregates: api.aggregates(&[]).await?,
            tokens: tokens.json,
            count: count.json.get("rows").cloned().context("no rows")?,
        })
    }

    fn ensure_equal(&self, other: &Everything) -> Result<()> {
        ensure!(!self.dead_letters.is_empty() && !self.aggregates.is_empty(), "nothing is compared");
        ensure!(
            self.records.len() == other.records.len(),
            "{} records of {}",
            self.records.len(),
            other.records.len()
        );
        ensure!(self.records == other.records, "the records differ");
        ensure!(self.dead_letters == other.dead_letters, "the dead letters differ");
        ensure!(self.aggregates == other.aggregates, "the aggregates differ");
        ensure!(self.tokens == other.tokens, "{} and {}", self.tokens, other.tokens);
        ensure!(self.count == other.count, "{} and {}", self.count, other.count);
        Ok(())
    }
}

/// Old batches are known, old tokens open, and new records are stored behind the old ones, also across a restart.
async fn goes_on(cluster: &Cluster, token: &str, old: &[ChaosRecord], before: &Everything) -> Result<()> {
    let node = cluster.node(cluster.nodes.len() - 1)?;
    let api = Api::new(&node.url())?;
    let is_recognised = is_recognised(&api, old).await?;
    ensure!(is_recognised || cluster.nodes.len() > 1, "the only node took a retry for a new batch");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let line = json!({ "service": "restored", "message": "first of the new cluster" }).to_string();
    let sent = api.ingest(&headers, line.into_bytes()).await?;
    ensure!(sent.status == 200, "the token is not known: {}", sent.text);
    let first = cluster.node(0)?;
    first.kill().await?;
    first.launch().await?;
    first.wait_until_ready(READY_WITHIN).await?;
    let records = api.all_logs(&[]).await?.len();
    ensure!(records == before.records.len() + 1, "{records} records after {}", before.records.len());
    Ok(())
}

/// A retry of the old batch is acknowledged and not stored again. Answers whether the node said so: where leaders move
/// meanwhile it does not know that it was an earlier request that stored it.
async fn is_recognised(api: &Api, old: &[ChaosRecord]) -> Result<bool> {
    let before = api.all_logs(&[]).await?.len();
    let again = api.ingest_as(&old_identity(), &[], ChaosRecord::lines(old)).await?;
    ensure!(again.status == 200, "{}", again.text);
    let after = api.all_logs(&[]).await?.len();
    ensure!(before == after, "{before} records before a retry, {after} after it: {}", again.text);
    Ok(again.json.get("duplicate") == Some(&json!(true)))
}

async fn restored_cluster(folder: &Path, options: &ClusterOptions) -> Result<Cluster> {
    Cluster::start_after(options, |cluster| {
        let first = cluster.node(0)?;
        restore_into(first, folder, &first.data)?.accepted().map(drop)
    })
    .await
}

fn restore_into(node: &Node, folder: &Path, data: &Path) -> Result<Ordered> {
    let config = node.data.parent().context("no home")?.join("cluster.toml");
    let words = ["restore", "--from", text(folder)?, "--config", text(&config)?, "--node", &node.name];
    insighthub(&[&words[..], &["--data", text(data)?]].concat(), &[])
}

fn back_up(folder: &Path, urls: &str) -> Result<Ordered> {
    insighthub(&["backup", "--to", text(folder)?], &as_admin(urls))
}

fn verified(folder: &Path) -> Result<()> {
    let said = insighthub(&["backup", "--verify", text(folder)?], &[])?.accepted()?;
    ensure!(said.contains("The backup is whole"), "{said}");
    println!("{said}");
    Ok(())
}

async fn create_token(node: &Node) -> Result<String> {
    let body = json!({ "service": "restored", "name": "before the backup" });
    let answer = node.admin().post_json("/api/tokens", &body).await?;
    answer.json.get("token").and_then(Value::as_str).map(str::to_owned).with_context(|| answer.text.clone())
}

fn old_identity() -> Identity {
    Identity { producer: "old".to_owned(), sequence: 1 }
}

async fn send_old_batch(api: &Api) -> Result<Vec<ChaosRecord>> {
    let source = RecordSource { writer: "old".to_owned(), seed: 9, start: now(), broken_every: 29 };
    let batch: Vec<ChaosRecord> = (0..OLD_BATCH).map(|number| source.record(number)).collect();
    let answer = api.ingest_as(&old_identity(), &[], ChaosRecord::lines(&batch)).await?;
    ensure!(answer.status == 200, "{}", answer.text);
    Ok(batch)
}

/// The first file of a kind in a backup's folder.
fn file_of(folder: &Path, kind: &str) -> Result<PathBuf> {
    let directory = if kind == "block" { folder.join("blocks") } else { folder.to_owned() };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    let fits = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == kind)
            || path.file_name().is_some_and(|name| name == kind)
    };
    paths.into_iter().find(fits).with_context(|| format!("no {kind} in {}", directory.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
