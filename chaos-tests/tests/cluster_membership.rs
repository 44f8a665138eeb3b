//! Nodes come, are emptied and go by an operator's orders while the cluster is written to: nothing is lost,
//! doubled or refused; and a disk that was wiped does not come back as the node it was.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::view::View;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::verdict::Verdict;
use insighthub_chaos_tests::workload::{Workload, WorkloadPlan};

const PARTITIONS: u16 = 4;
const FLOWS_WITHIN: Duration = Duration::from_secs(20);
/// Replicas move with bounded bandwidth, debug builds on a busy machine.
const MOVED_WITHIN: Duration = Duration::from_secs(60);
const STARTED_WITHIN: Duration = Duration::from_secs(30);
const EQUAL_WITHIN: Duration = Duration::from_secs(30);
const LAST_BATCHES_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_invited_joins_is_drained_taken_back_and_removed_under_load() -> Result<()> {
    let bench = Bench::start(1).await?;
    bench.a_node_comes_by_invitation(3).await.context("n4 joins")?;
    bench.a_node_is_drained_and_taken_back(0).await.context("n1 is drained and taken back")?;
    bench.a_node_is_removed(1).await.context("n2 is removed")?;
    bench.nothing_is_lost(500).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_disk_is_refused_until_its_node_is_removed() -> Result<()> {
    let bench = Bench::start(0).await?;
    // The first of the configuration, which may found a cluster where there is none.
    let node = bench.cluster.node(0)?;
    node.kill().await?;
    node.wipe().await?;
    node.launch().await?;
    wait_until("the node with the wiped disk ends", STARTED_WITHIN, || async {
        node.ended().await.is_ok_and(|ended| ended.is_some())
    })
    .await?;
    ensure!(node.ended().await?.is_some_and(|status| !status.success()), "it ended as if all were well");
    let said = node.last_output().await;
    for words in ["n1 is known with another disk", "insighthub cluster remove n1 --force"] {
        ensure!(said.contains(words), "it does not say {words:?}: {said}");
    }
    node.kill().await?;
    bench.load.flows(100, FLOWS_WITHIN).await.context("the other two go on")?;

    // What it was told to do.
    let said = bench.cluster.node(1)?.cluster_command(&["remove", "n1", "--force"])?.accepted()?;
    ensure!(said.contains("n1 is removed"), "{said}");
    node.launch().await?;
    node.wait_until_ready(MOVED_WITHIN).await?;
    let is_new = |view: &View| view.member("n1").is_some_and(|member| member.id > 3);
    bench.all_see(0, "n1 is there under another id", is_new).await?;
    bench
        .all_see(0, "n1 holds every partition", |view| view.holds("n1").len() == usize::from(PARTITIONS))
        .await?;
    bench.nothing_is_lost(200).await
}

/// A cluster that is written to and read from.
struct Bench {
    cluster: Arc<Cluster>,
    load: Workload,
}

impl Bench {
    async fn start(spares: usize) -> Result<Bench> {
        let options = ClusterOptions { spares, partitions: PARTITIONS, ..ClusterOptions::default() };
        let cluster = Arc::new(Cluster::start(&options).await?);
        let load = Workload::start(&cluster, PARTITIONS, &WorkloadPlan::default(), 5).await?;
        load.flows(100, FLOWS_WITHIN).await?;
        Ok(Bench { cluster, load })
    }

    async fn a_node_comes_by_invitation(&self, number: usize) -> Result<()> {
        let (node, operator) = (self.cluster.node(number)?, self.cluster.node(0)?);
        let (http, peer, control) =
            (node.http.to_string(), node.listening.peer.to_string(), node.listening.control.to_string());
        let name = node.name.as_str();
        let words = ["join", name, "--http", &http, "--peer", &peer, "--control", &control];
        let said = operator.cluster_command(&words)?.accepted()?;
        ensure!(said.contains("n4 is expected"), "{said}");
        let again = operator.cluster_command(&words)?.refused()?;
        ensure!(again.contains("there is a node n4 already"), "{again}");
        self.all_see(number, "n4 is invited", |view| is_in_state(view, name, "invited")).await?;
        // Nothing can be moved from or to a node that has not come.
        for order in ["drain", "undrain"] {
            let said = operator.cluster_command(&[order, name])?.refused()?;
            ensure!(said.contains("has not come yet"), "{order}: {said}");
        }
        node.launch().await?;
        node.wait_until_ready(STARTED_WITHIN).await?;
        self.all_see(number, "n4 is active", |view| is_in_state(view, name, "active")).await?;
        self.all_see(number, "n4 holds replicas", |view| !view.holds(name).is_empty()).await?;
        self.load.flows(50, FLOWS_WITHIN).await.map(drop)
    }

    async fn a_node_is_drained_and_taken_back(&self, number: usize) -> Result<()> {
        let (node, operator) = (self.cluster.node(number)?, self.cluster.node(2)?);
        let name = node.name.as_str();
        self.drain(number, operator).await?;
        // It still answers clients, from others.
        self.load.flows(50, FLOWS_WITHIN).await?;
        operator.cluster_command(&["undrain", name])?.accepted()?;
        self.all_see(number, "it is active", |view| is_in_state(view, name, "active")).await?;
        self.all_see(number, "it holds replicas again", |view| !view.holds(name).is_empty()).await
    }

    async fn a_node_is_removed(&self, number: usize) -> Result<()> {
        let (node, operator) = (self.cluster.node(number)?, self.cluster.node(0)?);
        let name = node.name.as_str();
        let said = operator.cluster_command(&["remove", name])?.refused()?;
        ensure!(said.contains("drain it first"), "{said}");
        self.drain(number, operator).await?;
        operator.cluster_command(&["remove", name])?.accepted()?;
        let is_gone = |view: &View| view.member(name).is_none_or(|member| member.state == "removed");
        self.all_see(number, "it is no member", is_gone).await?;
        node.forget().await?;
        self.load.flows(50, FLOWS_WITHIN).await.map(drop)
    }

    async fn drain(&self, number: usize, operator: &Node) -> Result<()> {
        let name = self.cluster.node(number)?.name.as_str();
        operator.cluster_command(&["drain", name])?.accepted()?;
        let is_empty = |view: &View| {
            is_in_state(view, name, "draining") && view.holds(name).is_empty() && view.leads(name).is_empty()
        };
        self.all_see(number, &format!("{name} is drained and holds nothing"), is_empty).await
    }

    /// Waits until all nodes but the one it is about say so.
    async fn all_see(&self, about: usize, what: &str, is_so: impl Fn(&View) -> bool) -> Result<()> {
        let about = &self.cluster.node(about)?.name;
        wait_until(what, MOVED_WITHIN, || async {
            let views = self.cluster.views().await;
            let others: Vec<&View> = views.iter().filter(|view| view.node != *about).collect();
            others.len() >= 2 && others.into_iter().all(&is_so)
        })
        .await
    }

    /// Ends the load; every node must return what was acknowledged, once, and all the same.
    async fn nothing_is_lost(self, acknowledged_min: u64) -> Result<()> {
        let outcome = self.load.finish(LAST_BATCHES_WITHIN).await?;
        self.cluster.wait_for_equality(EQUAL_WITHIN).await?;
        let verdict = Verdict::on(&self.cluster, &outcome).await;
        let acknowledged = outcome.ledger.acknowledged;
        println!("{acknowledged} acknowledged, {:?} read back", verdict.read_back);
        verdict.findings.verdict()?;
        ensure!(verdict.read_back.len() == 3, "three nodes are left: {:?}", verdict.read_back);
        ensure!(acknowledged >= acknowledged_min, "only {acknowledged} records acknowledged");
        Ok(())
    }
}

fn is_in_state(view: &View, name: &str, state: &str) -> bool {
    view.member(name).is_some_and(|member| member.state == state)
}
