//! Puts a log together: lock, recovery, a new segment, threads; and takes it apart again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use parking_lot::Mutex;

use super::flusher::{Flusher, FlusherParts};
use super::log::{Inner, Wal};
use super::recovery::recover;
use super::segment::SegmentHeader;
use super::spares::SparePool;
use super::state::{Shared, State};
use super::view::GroupView;
use super::{WalError, WalOptions};
use crate::fs::Fs;
use crate::simulation;

impl Wal {
    /// Opens or creates the log in `directory` and starts its threads. Blocks while reading it.
    pub fn open(fs: Arc<dyn Fs>, directory: &Path, options: WalOptions) -> Result<Self, WalError> {
        let (wal, flusher) = Self::open_stepped(fs, directory, options)?;
        if simulation::is_on() {
            tokio::spawn(flusher.run_simulated());
            return Ok(wal);
        }
        let pool = Arc::clone(&wal.inner.pool);
        let start = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
            thread.map_err(WalError::io("start a thread for", directory))
        };
        // The flusher first: whatever fails later ends it through the handle.
        let flushing = start("wal-flush", Box::new(move || flusher.run()))?;
        wal.inner.threads.lock().push(flushing);
        let preparing = start("wal-spares", Box::new(move || pool.run()))?;
        wal.inner.threads.lock().push(preparing);
        Ok(wal)
    }

    /// Opens the log without threads: nothing is written until the returned flusher is stepped.
    pub fn open_stepped(
        fs: Arc<dyn Fs>,
        directory: &Path,
        options: WalOptions,
    ) -> Result<(Self, Flusher), WalError> {
        let options = options.bounded();
        fs.create_dir_all(directory).map_err(WalError::io("create", directory))?;
        let lock_path = directory.join("lock");
        let lock = fs.lock(&lock_path).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => WalError::InUse { directory: directory.to_path_buf() },
            _ => WalError::io("lock", &lock_path)(error),
        })?;
        let found = recover(&*fs, directory)?;
        if let Some((file, offset)) = &found.report.cut {
            tracing::warn!(file = %file.display(), offset, "an interrupted write was cut off; it was never acknowledged");
        }
        let pool = SparePool::open(Arc::clone(&fs), directory, options.segment_bytes);
        let pool = Arc::new(pool.map_err(WalError::io("prepare spares in", directory))?);
        let groups = found.ledger.groups.iter().map(|(group, state)| (*group, GroupView::recovered(state)));
        let state = State::recovered(groups.collect(), found.files);
        let shared = Arc::new(Shared::new(state, options.queue_bytes_max, options.cache_bytes_max));
        let ledger = Arc::new(Mutex::new(found.ledger));
        let waits_for_space = Arc::new(AtomicBool::new(false));
        let header = match found.last {
            Some(last) => SegmentHeader {
                number: last.header.number + 1,
                previous_end: last.end,
                identity: last.header.identity,
            },
            None => SegmentHeader { number: 1, previous_end: 0, identity: options.identity },
        };
        let parts = FlusherParts {
            shared: Arc::clone(&shared),
            fs,
            directory: directory.to_path_buf(),
            pool: Arc::clone(&pool),
            ledger: Arc::clone(&ledger),
            segment_bytes: options.segment_bytes,
            batch_bytes_max: options.batch_bytes_max,
            waits_for_space: Arc::clone(&waits_for_space),
        };
        let flusher = Flusher::begin(parts, header)?;
        pool.run_pending();
        let inner = Inner {
            shared,
            ledger,
            pool,
            directory: directory.to_path_buf(),
            identity: header.identity,
            report: found.report,
            waits_for_space,
            threads: Mutex::new(Vec::new()),
            _lock: lock,
        };
        Ok((Self { inner: Arc::new(inner) }, flusher))
    }

    /// Writes what is queued, with the newest commit marks, and ends the threads. Later calls fail.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Inner {
    fn close(&self) {
        self.shared.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        self.pool.close();
        for thread in threads {
            // The last handle may be dropped by a callback, on the flusher's own thread: it cannot wait for itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the write-ahead log panicked");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
