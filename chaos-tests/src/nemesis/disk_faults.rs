//! Faults of disks: the power goes, the space goes, a sync fails.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::sleep;

use super::strace::Strace;
use super::{Effect, Nemesis};
use crate::cluster::node::Node;
use crate::deadline::wait_until;
use crate::loop_disk::{Cut, LoopDisk};

/// Answers a node wrote before the pause reach the clients' ledger in this time.
const ANSWERS_ARRIVE: Duration = Duration::from_millis(5);
/// The sync that fails: not the first, so that the node is in the middle of its work.
const FAILING_SYNC: u32 = 5;
const INJECTED_WITHIN: Duration = Duration::from_secs(20);
/// A node whose sync failed must not linger: what it says from then on is not safe.
const ENDS_WITHIN: Duration = Duration::from_secs(15);
/// What fallocate may leave over, and what a file system keeps for itself.
const SLACK_BYTES: u64 = 1 << 20;

impl Nemesis {
    pub(super) async fn cut_power(&self, targets: &[usize], leaves: Cut, down: Duration) -> Result<Effect> {
        let nodes =
            targets.iter().map(|target| self.cluster.node(*target)).collect::<Result<Vec<&Node>>>()?;
        // Paused first: an fdatasync that the cut disturbs must not be answered as if it had worked.
        for node in &nodes {
            node.pause().await?;
        }
        sleep(ANSWERS_ARRIVE).await;
        let mut proven = Ok(());
        for node in &nodes {
            let disk = disk(node)?;
            tokio::task::block_in_place(|| disk.cut(leaves))?;
            if std::fs::write(disk.mount_point().join("after-the-cut"), "x").is_ok() {
                proven = Err(anyhow::anyhow!("the disk of {} still takes writes", node.name));
            }
        }
        for node in &nodes {
            node.kill().await?;
            let disk = disk(node)?;
            tokio::task::block_in_place(|| disk.power_on())?;
        }
        sleep(down).await;
        self.launch_all(targets).await?;
        proven.map(|()| Effect::seen(format!("{leaves:?}, down for {down:?}")))
    }

    pub(super) async fn fill_disk(&self, target: usize, left_bytes: u64, length: Duration) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let disk = disk(node)?;
        tokio::task::block_in_place(|| disk.leave_free(left_bytes))?;
        let free = disk.free_bytes();
        sleep(length).await;
        disk.give_back()?;
        let free = free?;
        let mut effect = Effect::seen(format!("{free} bytes left for {length:?}"));
        if let Some(status) = node.ended().await? {
            effect.detail.push_str(&format!("; it ended with {status} and was started again"));
            self.launch_all(&[target]).await?;
        }
        ensure!(free <= left_bytes + SLACK_BYTES, "{free} bytes were left instead of {left_bytes}");
        Ok(effect)
    }

    pub(super) async fn fail_sync(&self, target: usize) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let directory = tempfile::tempdir()?;
        let process = node.process_id().await?;
        let strace = Strace::fail_one_sync(process, FAILING_SYNC, &directory.path().join("trace"));
        let strace = strace.context("strace cannot be started")?;
        let injected = wait_until("a sync fails", INJECTED_WITHIN, || async { strace.has_injected() }).await;
        let mut effect = Effect::seen("one sync failed");
        if injected.is_ok() {
            let has_ended = || async { node.ended().await.is_ok_and(|ended| ended.is_some()) };
            if let Err(error) = wait_until("the node ends", ENDS_WITHIN, has_ended).await {
                effect.violations.push(format!("{} goes on after a failed sync: {error:#}", node.name));
            }
        }
        drop(strace);
        node.kill().await?;
        self.launch_all(&[target]).await?;
        injected.map(|()| effect)
    }
}

fn disk(node: &Node) -> Result<&LoopDisk> {
    node.disk.as_ref().with_context(|| format!("{} has no disk of its own", node.name))
}
