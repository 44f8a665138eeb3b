//! Rot: a block file at rest is harmed below a node that runs, which must find it and fetch it from a peer.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, ensure};
use tokio::time::sleep;

use super::{Effect, Nemesis};
use crate::cluster::blocks::{Harm, block_paths, holds};

/// The load fills the first block of a partition within this time.
const BLOCK_WITHIN: Duration = Duration::from_secs(30);
/// The nodes of a run read everything again each second; peers may be down for a while.
const MENDED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A block file that was harmed, on one node.
struct Harmed {
    /// Relative to the data directory.
    name: PathBuf,
    path: PathBuf,
    whole: Vec<u8>,
    /// The same block on other nodes: at least one.
    peers: Vec<PathBuf>,
}

impl Nemesis {
    pub(super) async fn rot(&self, target: usize, harm: Harm) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let started = Instant::now();
        let block = loop {
            if let Some(block) = self.harm_first_block(&node.data, harm)? {
                break block;
            }
            ensure!(started.elapsed() < BLOCK_WITHIN, "{} has no block that a peer has", node.name);
            sleep(LOOK_EVERY).await;
        };
        let harmed = Instant::now();
        let what = format!("{harm:?} of {} on {}", block.name.display(), node.name);
        loop {
            let damaged = node.view().await.map(|view| view.own_damaged_blocks());
            if damaged == Some(0) && (block.is_whole() || block.is_merged_away()) {
                return Ok(Effect::seen(format!("{what}, mended after {:?}", harmed.elapsed())));
            }
            if harmed.elapsed() > MENDED_WITHIN {
                let state = block.state();
                let violation = format!(
                    "{what} is not mended within {MENDED_WITHIN:?}: the file {state}, damaged blocks {damaged:?}"
                );
                return Ok(Effect { violations: vec![violation], ..Effect::seen(what) });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Harms the first block that a peer has too: only by its going there is it known to be merged away. `None` while
    /// there is none.
    fn harm_first_block(&self, data: &Path, harm: Harm) -> Result<Option<Harmed>> {
        for name in block_paths(data)? {
            let others = self.cluster.nodes.iter().filter(|peer| peer.data != data);
            let peers: Vec<_> =
                others.map(|peer| peer.data.join(&name)).filter(|file| file.exists()).collect();
            if peers.is_empty() {
                continue;
            }
            let path = data.join(&name);
            match fs::read(&path).map_err(Error::from).and_then(|whole| harm.strike(&path).map(|()| whole)) {
                Ok(whole) => return Ok(Some(Harmed { name, path, whole, peers })),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error).with_context(|| path.display().to_string()),
            }
        }
        Ok(None)
    }
}

impl Harmed {
    fn is_whole(&self) -> bool {
        holds(&self.path, &self.whole)
    }

    /// A merge drops the file on every node; nothing else drops it on one that was not harmed.
    fn is_merged_away(&self) -> bool {
        !self.path.exists() && self.peers.iter().any(|file| !file.exists())
    }

    fn state(&self) -> &'static str {
        match self.path.exists() {
            true if self.is_whole() => "is whole",
            true => "has other bytes",
            false if self.is_merged_away() => "is merged away",
            false => "is gone here alone",
        }
    }
}

/// Merged away between two looks.
fn is_missing(error: &Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}
