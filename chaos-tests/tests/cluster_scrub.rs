//! Blocks that rot on one node's disk: found, never served, replaced by a peer's, while it runs and at its start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Api, Identity};
use insighthub_chaos_tests::chaos_record::{ChaosRecord, RecordSource, now};
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::cluster::blocks::{Harm, block_files, ensure_equal, holds};
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::view::{View, damage};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::ledger::{Judgement, Ledger};
use insighthub_model::api::cluster::Cluster as Shown;
use insighthub_model::api::trouble::troubles;

const PARTITIONS: u16 = 2;
const BATCH_RECORDS: u64 = 250;
/// Enough for blocks of both partitions; a head that is not full stays in memory.
const BATCHES_MAX: u64 = 38;
const SEALED_WITHIN: Duration = Duration::from_secs(20);
const EQUAL_WITHIN: Duration = Duration::from_secs(30);
/// A scrub each second, and a transfer that is slow on purpose.
const MENDED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotten_blocks_are_found_never_served_and_replaced_by_a_peers() -> Result<()> {
    let bench = Bench::set_up().await?;
    for (number, harm) in Harm::EVERY.into_iter().enumerate() {
        bench.harm_while_it_runs(number, harm).await.with_context(|| format!("{harm:?} while it runs"))?;
    }
    bench.harm_while_it_is_stopped(0).await.context("harmed while it is stopped")?;
    bench.all_is_well_again().await
}

/// A cluster with blocks on every node, and what was stored.
struct Bench {
    cluster: Cluster,
    ledger: Ledger,
    /// The same on every node.
    whole: BTreeMap<PathBuf, Vec<u8>>,
}

/// What a node said of itself between the harm and its end.
#[derive(Debug, Default)]
struct Seen {
    damaged_max: u64,
    troubles: BTreeSet<String>,
    /// Times that everything was read through the node, and those of them during which it knew of damage.
    reads: u64,
    reads_while_damaged: u64,
}

impl Bench {
    async fn set_up() -> Result<Bench> {
        let mut options = ClusterOptions { partitions: PARTITIONS, ..ClusterOptions::default() };
        let settings = [
            ("INSIGHTHUB_STORAGE__SCRUB_EVERY_SECS", "1"),
            // Blocks so large and fetched so slowly that the time between finding damage and mending it can be
            // looked at: three quarters of a second.
            ("INSIGHTHUB_STORAGE__HEAD_RECORDS_MAX", "2000"),
            ("INSIGHTHUB_CLUSTER__TRANSFER_BYTES_PER_SEC", "65536"),
        ];
        options.environment.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let cluster = Cluster::start(&options).await?;
        let ledger = write_until_sealed(&cluster).await?;
        cluster.wait_for_equality(EQUAL_WITHIN).await?;
        let whole = blocks_of_all(&cluster).await?;
        let gates = Gates { acknowledged_min: 2_000, rejected_min: 1, ..Gates::default() };
        gates.hold(&ledger)?;
        ensure!(whole.len() >= Harm::EVERY.len(), "only {} blocks were written", whole.len());
        Ok(Bench { cluster, ledger, whole })
    }

    async fn harm_while_it_runs(&self, number: usize, harm: Harm) -> Result<()> {
        let node = self.cluster.node(number)?;
        let path = self.whole.keys().nth(number).context("too few blocks")?.clone();
        let before = view(node).await?.scrub;
        harm.strike(&node.data.join(&path))?;
        let seen = self.read_until_mended(node, &[path]).await?;
        let after = view(node).await?.scrub;
        ensure!(after.blocks_damaged > before.blocks_damaged, "nobody counted the damage: {after:?}");
        ensure!(after.blocks_repaired == before.blocks_repaired + 1, "{before:?}, then {after:?}");
        seen.was_shown(&format!("{harm:?} while it runs"))
    }

    /// Each kind of harm to another block, before the node starts.
    async fn harm_while_it_is_stopped(&self, number: usize) -> Result<()> {
        let node = self.cluster.node(number)?;
        node.kill().await?;
        let harmed: Vec<PathBuf> = self.whole.keys().take(Harm::EVERY.len()).cloned().collect();
        for (path, harm) in harmed.iter().zip(Harm::EVERY) {
            harm.strike(&node.data.join(path))?;
        }
        node.launch().await?;
        node.wait_until_ready(MENDED_WITHIN).await?;
        let seen = self.read_until_mended(node, &harmed).await?;
        let after = view(node).await?.scrub;
        ensure!(after.blocks_damaged >= 3, "not all damage was counted: {after:?}");
        ensure!(after.blocks_repaired == 3, "{after:?}");
        seen.was_shown("harmed while it is stopped")
    }

    /// Waits until the files are as they were and the node says so, and reads everything through it meanwhile,
    /// again and again: each answer must be complete and right.
    async fn read_until_mended(&self, node: &Node, harmed: &[PathBuf]) -> Result<Seen> {
        let (is_over, damage_seen) = (AtomicBool::new(false), AtomicU64::new(0));
        let (reads, reads_while_damaged) = (AtomicU64::new(0), AtomicU64::new(0));
        let reading = async {
            let api = Api::new(&node.url())?;
            while !is_over.load(Ordering::Relaxed) {
                let before = damage_seen.load(Ordering::Relaxed);
                check_node(&api, &self.ledger).await.context("read through the harmed node")?;
                let was_damaged = damage_seen.load(Ordering::Relaxed) > before;
                reads.fetch_add(1, Ordering::Relaxed);
                reads_while_damaged.fetch_add(u64::from(was_damaged), Ordering::Relaxed);
            }
            anyhow::Ok(())
        };
        let watching = async {
            let mended = self.watch_until_mended(node, harmed, &damage_seen).await;
            is_over.store(true, Ordering::Relaxed);
            mended
        };
        let (read, mended) = tokio::join!(reading, watching);
        read?;
        let seen = mended?;
        Ok(Seen { reads: reads.into_inner(), reads_while_damaged: reads_while_damaged.into_inner(), ..seen })
    }

    async fn watch_until_mended(
        &self,
        node: &Node,
        harmed: &[PathBuf],
        damage_seen: &AtomicU64,
    ) -> Result<Seen> {
        let (started, mut seen) = (Instant::now(), Seen::default());
        loop {
            let json = node.api().cluster().await?;
            let damaged = View::parse(&json).context("no view")?.own_damaged_blocks();
            damage_seen.fetch_add(u64::from(damaged > 0), Ordering::Relaxed);
            seen.damaged_max = seen.damaged_max.max(damaged);
            let shown: Shown = serde_json::from_value(json)?;
            let faults = troubles(&shown).into_iter().filter(|trouble| trouble.is_fault);
            seen.troubles.extend(faults.map(|trouble| trouble.what));
            let is_whole = |path: &PathBuf| {
                self.whole.get(path).is_some_and(|bytes| holds(&node.data.join(path), bytes))
            };
            let still: Vec<&PathBuf> = harmed.iter().filter(|path| !is_whole(path)).collect();
            if damaged == 0 && still.is_empty() {
                return Ok(seen);
            }
            ensure!(
                started.elapsed() < MENDED_WITHIN,
                "not mended within {MENDED_WITHIN:?}: {still:?}, {damaged} damaged blocks known; {seen:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn all_is_well_again(&self) -> Result<()> {
        self.cluster.wait_for_equality(EQUAL_WITHIN).await?;
        // A head that was nearly full may have become a block since.
        let mut blocks = blocks_of_all(&self.cluster).await?;
        blocks.retain(|path, _| self.whole.contains_key(path));
        ensure_equal(&blocks, &self.whole).context("before and after")?;
        for node in &self.cluster.nodes {
            check_node(&Api::new(&node.url())?, &self.ledger).await.with_context(|| node.name.clone())?;
            let view = view(node).await?;
            ensure!(damage(std::slice::from_ref(&view)).is_empty(), "{}: {:?}", node.name, damage(&[view]));
            let foreign: Vec<String> =
                node.complaints().await?.into_iter().filter(|line| !is_about_damage(line)).collect();
            ensure!(foreign.is_empty(), "{} complained: {foreign:#?}", node.name);
        }
        Ok(())
    }
}

impl Seen {
    /// The damage was known, told to people, and read around.
    fn was_shown(&self, harmed: &str) -> Result<()> {
        println!("{harmed}: {self:?}");
        ensure!(self.damaged_max > 0, "`damaged_blocks` was never above 0: {self:?}");
        let is_told = |what: &String| what.contains("damaged blocks of partition");
        ensure!(self.troubles.iter().any(is_told), "the damage was never among the troubles: {self:?}");
        let (all, damaged) = (self.reads, self.reads_while_damaged);
        ensure!(all >= damaged && damaged > 0, "nothing was read while a block was damaged: {self:?}");
        Ok(())
    }
}

/// Writes through all nodes until every partition has a block on every node.
async fn write_until_sealed(cluster: &Cluster) -> Result<Ledger> {
    let source = RecordSource { writer: "w".to_owned(), seed: 7, start: now(), broken_every: 97 };
    let mut ledger = Ledger::default();
    for sequence in 1..=BATCHES_MAX {
        let first = (sequence - 1) * BATCH_RECORDS;
        let batch: Vec<ChaosRecord> =
            (first..first + BATCH_RECORDS).map(|number| source.record(number)).collect();
        let identity = Identity { producer: "w".to_owned(), sequence };
        let node = cluster.node(usize::try_from(sequence)? % cluster.nodes.len())?;
        ledger.sending(&batch);
        let answer = Api::new(&node.url())?.ingest_as(&identity, &[], ChaosRecord::lines(&batch)).await?;
        let judgement = ledger.judge(&answer, &batch);
        ensure!(matches!(judgement, Judgement::Promised { .. }), "{} {}", answer.status, answer.text);
        if sequence % 4 == 0 && blocks_are_everywhere(cluster).await {
            break;
        }
    }
    wait_until("every partition has a block on every node", SEALED_WITHIN, || blocks_are_everywhere(cluster))
        .await?;
    Ok(ledger)
}

/// One block for each partition, and one for each kind of harm.
async fn blocks_are_everywhere(cluster: &Cluster) -> bool {
    let views = cluster.views().await;
    views.len() == cluster.nodes.len()
        && views.iter().all(|view| {
            let blocks: u64 = view.partitions.iter().map(|partition| partition.blocks).sum();
            blocks >= Harm::EVERY.len() as u64 && view.partitions.iter().all(|partition| partition.blocks > 0)
        })
}

/// The block files of all nodes, which must be equal once each has sealed as often.
async fn blocks_of_all(cluster: &Cluster) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let started = Instant::now();
    loop {
        match equal_blocks(cluster) {
            Ok(blocks) => return Ok(blocks),
            Err(error) if started.elapsed() > SEALED_WITHIN => return Err(error),
            // A seal becomes a block a little later on each node.
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn equal_blocks(cluster: &Cluster) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let first = block_files(&cluster.node(0)?.data)?;
    for node in &cluster.nodes {
        ensure_equal(&block_files(&node.data)?, &first).with_context(|| format!("{} and n1", node.name))?;
    }
    Ok(first)
}

async fn view(node: &Node) -> Result<View> {
    node.view().await.with_context(|| format!("{} does not say how it is", node.name))
}

/// What a node must say aloud when its disk rots.
fn is_about_damage(line: &str) -> bool {
    ["a block is damaged", "a block cannot be opened", "a replica here is damaged", "has to wait for a block"]
        .iter()
        .any(|words| line.contains(words))
}
