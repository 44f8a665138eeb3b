//! Rot: a block file at rest is harmed below a node that runs, which must find it and fetch it from a peer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::{Effect, Nemesis};
use crate::cluster::blocks::{Harm, block_paths, holds};
use crate::deadline::wait_until;

/// The load fills the first block of a partition within this time.
const BLOCK_WITHIN: Duration = Duration::from_secs(30);
/// The nodes of a run read everything again each second; peers may be down for a while.
const MENDED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Nemesis {
    pub(super) async fn rot(&self, target: usize, harm: Harm) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let first_block = || block_paths(&node.data).ok().and_then(|paths| paths.into_iter().next());
        wait_until("the node has a block", BLOCK_WITHIN, || async { first_block().is_some() }).await?;
        let name = first_block().context("the block is gone")?;
        let path = node.data.join(&name);
        let whole = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let peers: Vec<PathBuf> = self.cluster.nodes.iter().map(|peer| peer.data.join(&name)).collect();
        let peers: Vec<PathBuf> = peers.into_iter().filter(|file| *file != path && file.exists()).collect();
        harm.strike(&path)?;
        let harmed = Instant::now();
        let what = format!("{harm:?} of {} on {}", name.display(), node.name);
        loop {
            let knows_of_none = node.view().await.is_some_and(|view| view.own_damaged_blocks() == 0);
            // A merge drops the file on every node; nothing else drops it on one that was not harmed.
            let is_merged_away = || !path.exists() && peers.iter().any(|file| !file.exists());
            if knows_of_none && (holds(&path, &whole) || is_merged_away()) {
                return Ok(Effect::seen(format!("{what}, mended after {:?}", harmed.elapsed())));
            }
            if harmed.elapsed() > MENDED_WITHIN {
                let violations = vec![format!("{what} is not mended within {MENDED_WITHIN:?}")];
                return Ok(Effect { violations, ..Effect::seen(what) });
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
