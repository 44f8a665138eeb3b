//! Files that are used again when they change: certificates that are renewed while the node runs.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;
use xxhash_rust::xxh3::xxh3_128;

/// A few small files: reading them costs nothing, and it sees what times of change would hide (links, copies with old times).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Remembers what was in some files.
#[derive(Debug)]
pub struct WatchedFiles {
    paths: Vec<PathBuf>,
    /// `None` for a file that cannot be read.
    seen: Vec<Option<u128>>,
}

impl WatchedFiles {
    /// To be made before the files are used: what changes meanwhile is then seen.
    pub fn new(paths: Vec<PathBuf>) -> WatchedFiles {
        let seen = look(&paths);
        WatchedFiles { paths, seen }
    }

    /// Waits until any of them is another than when it was last asked.
    pub async fn changed(&mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            let now = look(&self.paths);
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

fn look(paths: &[PathBuf]) -> Vec<Option<u128>> {
    paths.iter().map(|path| std::fs::read(path).ok().map(|bytes| xxh3_128(&bytes))).collect()
}
