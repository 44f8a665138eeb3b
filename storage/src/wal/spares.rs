//! Files prepared to become segments, so that the flusher never waits for the file system to make one.
//!
//! A spare is either a purged segment (its blocks are written already: the cheapest file to sync there is) or a
//! new file filled with zeros. A thread of its own prepares them and takes purged segments away, because
//! removing a large file can take tens of milliseconds.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::segment::{segment_path, spare_path, spare_tag};
use crate::fs::{Fs, FsFile};

/// Recycled files kept beyond the one the next rotation needs: bursts of purges and rotations alternate.
const SPARES_MAX: usize = 2;

/// Pause before what failed, mostly for want of space, is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Marks a spare that is not ready yet, so that a restart does not take it for one.
const DRAFT_SUFFIX: &str = ".new";

/// A file of full size, ready for a segment header.
#[derive(Debug)]
pub(super) struct Spare {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn FsFile>,
}

#[derive(Debug)]
struct Retired {
    number: u32,
    file: Arc<dyn FsFile>,
}

/// The spares and what is to be done about them.
#[derive(Debug)]
pub(super) struct SparePool {
    fs: Arc<dyn Fs>,
    directory: PathBuf,
    segment_bytes: u64,
    state: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct PoolState {
    ready: Vec<Spare>,
    /// Purged segments to take away, oldest first: out of order, a crash would leave a gap between segments.
    retired: VecDeque<Retired>,
    /// The thread works on a new spare.
    preparing: bool,
    has_thread: bool,
    closing: bool,
    next_tag: u64,
}

impl SparePool {
    /// Takes over the spares a former process left in `directory`.
    pub(super) fn open(fs: Arc<dyn Fs>, directory: &Path, segment_bytes: u64) -> io::Result<Self> {
        let mut state = PoolState::default();
        for name in fs.list(directory)? {
            let path = directory.join(&name);
            if name.ends_with(DRAFT_SUFFIX) {
                fs.remove(&path)?;
            } else if let Some(tag) = spare_tag(&name) {
                state.next_tag = state.next_tag.max(tag + 1);
                let file = fs.open(&path)?;
                if state.ready.len() < SPARES_MAX && file.len()? >= segment_bytes {
                    state.ready.push(Spare { path, file });
                } else {
                    fs.remove(&path)?;
                }
            }
        }
        let (directory, state, changed) = (directory.to_path_buf(), Mutex::new(state), Condvar::new());
        Ok(Self { fs, directory, segment_bytes, state, changed })
    }

    /// A spare, made on the spot if none is ready.
    pub(super) fn take(&self) -> io::Result<Spare> {
        let mut state = self.state.lock();
        while state.ready.is_empty() && state.preparing {
            self.changed.wait(&mut state);
        }
        if let Some(spare) = state.ready.pop() {
            drop(state);
            self.changed.notify_all();
            return Ok(spare);
        }
        let path = self.next_path(&mut state);
        drop(state);
        self.prepare(path)
    }

    /// Gives a purged segment away. The caller keeps no handle.
    pub(super) fn retire(&self, number: u32, file: Arc<dyn FsFile>) {
        self.state.lock().retired.push_back(Retired { number, file });
        self.changed.notify_all();
    }

    /// Bytes of entries that the spares can take without asking the file system for anything.
    pub(super) fn ready_bytes(&self) -> u64 {
        self.state.lock().ready.len() as u64 * self.segment_bytes
    }

    /// The thread's work, until closed.
    pub(super) fn run(&self) {
        let mut state = self.state.lock();
        state.has_thread = true;
        while !state.closing {
            if !state.retired.is_empty() {
                state = self.take_away(state);
            } else if state.ready.is_empty() {
                state = self.prepare_one(state);
            } else {
                self.changed.wait(&mut state);
            }
        }
        state.has_thread = false;
    }

    /// Takes purged segments away now: for a log without threads.
    pub(super) fn run_pending(&self) {
        let mut state = self.state.lock();
        while !state.has_thread && !state.closing && !state.retired.is_empty() {
            state = self.take_away(state);
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.changed.notify_all();
    }

    fn prepare_one<'a>(&'a self, mut state: MutexGuard<'a, PoolState>) -> MutexGuard<'a, PoolState> {
        state.preparing = true;
        let path = self.next_path(&mut state);
        let made = MutexGuard::unlocked(&mut state, || self.prepare(path));
        state.preparing = false;
        match made {
            Ok(spare) => state.ready.push(spare),
            Err(error) => {
                tracing::warn!(%error, "no spare segment could be prepared; trying again");
                self.changed.notify_all();
                self.changed.wait_for(&mut state, RETRY_PAUSE);
            }
        }
        self.changed.notify_all();
        state
    }

    fn take_away<'a>(&'a self, mut state: MutexGuard<'a, PoolState>) -> MutexGuard<'a, PoolState> {
        let Some(retired) = state.retired.pop_front() else { return state };
        // A reader may still hold the file; a recycled one would change under its eyes.
        let recycle = state.ready.len() < SPARES_MAX && Arc::strong_count(&retired.file) == 1;
        let path = recycle.then(|| self.next_path(&mut state));
        let result =
            MutexGuard::unlocked(&mut state, || self.take_away_file(retired.number, path.as_deref()));
        match (result, path) {
            (Ok(()), Some(path)) => state.ready.push(Spare { path, file: retired.file }),
            (Ok(()), None) => {}
            (Err(error), _) => {
                tracing::warn!(%error, segment = retired.number, "a purged segment stays; trying again");
                state.retired.push_front(retired);
                if state.has_thread {
                    self.changed.wait_for(&mut state, RETRY_PAUSE);
                } else {
                    // Without a thread nobody may loop here; the next open finds the segment and drops it.
                    state.closing = true;
                }
            }
        }
        self.changed.notify_all();
        state
    }

    fn take_away_file(&self, number: u32, spare: Option<&Path>) -> io::Result<()> {
        let path = segment_path(&self.directory, number);
        let moved = match spare {
            Some(spare) => self.fs.rename(&path, spare),
            None => self.fs.remove(&path),
        };
        match moved {
            // Gone already when only the directory sync failed the last time.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // One sync for each: the removal of a younger segment must not become durable before an older one's.
        self.fs.sync_dir(&self.directory)
    }

    fn next_path(&self, state: &mut PoolState) -> PathBuf {
        state.next_tag += 1;
        spare_path(&self.directory, state.next_tag)
    }

    fn prepare(&self, path: PathBuf) -> io::Result<Spare> {
        let mut draft = path.clone().into_os_string();
        draft.push(DRAFT_SUFFIX);
        let draft = PathBuf::from(draft);
        let file = self.fs.create_new(&draft)?;
        let made = file.preallocate(self.segment_bytes).and_then(|()| self.fs.rename(&draft, &path));
        match made {
            Ok(()) => Ok(Spare { path, file }),
            Err(error) => {
                // A half-made file would hold the very space that is missing.
                if let Err(removal) = self.fs.remove(&draft) {
                    tracing::warn!(error = %removal, file = %draft.display(), "a half-made spare stays until restart");
                }
                Err(error)
            }
        }
    }
}
