//! The sled database: where it lies, how it is opened, synced, closed and given up.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sled::{Db, Tree};

use super::{IndexError, verify};

/// sled holds far more than this, whatever is set; the rest follows from small values.
const CACHE_BYTES: u64 = 32 << 20;
/// A page above a quarter of a segment becomes a file of its own that leaks. Values are at most 8 KiB.
const SEGMENT_BYTES: usize = 2 << 20;

const DATABASE: &str = "sled";
const DAMAGED: &str = "sled.damaged";
/// The file sled keeps its log in: the one its flush does not sync.
const LOG_FILE: &str = "db";
/// There while the database is closed and was flushed.
const CLEAN_MARK: &str = "closed-cleanly";
const LOCK: &str = "lock";

/// One tree per kind of key.
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) db: Db,
    pub(super) minutes: Tree,
    pub(super) dead_letters: Tree,
    pub(super) services: Tree,
    pub(super) meta: Tree,
}

/// An open database, locked against other processes.
#[derive(Debug)]
pub(super) struct Database {
    directory: PathBuf,
    /// `None` while it is being replaced, and once it is closed.
    trees: Option<Trees>,
    /// `None` once closed.
    lock: Option<File>,
}

impl Database {
    /// Opens the database, or a new one where the old one is of no use.
    pub(super) fn open(directory: &Path) -> Result<Database, IndexError> {
        fs::create_dir_all(directory).map_err(failed("create", directory))?;
        let lock = lock(directory)?;
        let existed = directory.join(DATABASE).exists();
        let was_clean = take_mark(directory)?;
        let mut database = Database { directory: directory.into(), trees: None, lock: Some(lock) };
        let opened = open_trees(&directory.join(DATABASE));
        match opened.and_then(|trees| if existed && !was_clean { verify::check(trees) } else { Ok(trees) }) {
            Ok(trees) => database.trees = Some(trees),
            Err(error) => {
                tracing::warn!(%error, "the index cannot be used, it will be rebuilt from the block files");
                database.recreate()?;
            }
        }
        Ok(database)
    }

    pub(super) fn trees(&self) -> Result<&Trees, IndexError> {
        self.trees.as_ref().ok_or(IndexError::Closed)
    }

    /// Gives the database up and opens an empty one.
    pub(super) fn recreate(&mut self) -> Result<(), IndexError> {
        if self.lock.is_none() {
            return Err(IndexError::Closed);
        }
        if let Some(trees) = self.trees.take() {
            // Dropping flushes, which on a damaged database may panic.
            let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(trees)));
            if let Err(panic) = dropped {
                tracing::debug!(
                    reason = panic_text(panic.as_ref()),
                    "the damaged index could not be flushed"
                );
            }
        }
        let (path, aside) = (self.directory.join(DATABASE), self.directory.join(DAMAGED));
        remove_tree(&aside)?;
        match fs::rename(&path, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("move away", &path)(error));
            }
            _ => {}
        }
        remove_tree(&aside)?;
        self.trees = Some(open_trees(&path)?);
        Ok(())
    }

    /// sled's flush hands the data to the kernel; the sync is ours.
    pub(super) fn flush(&self) -> Result<(), IndexError> {
        self.trees()?.db.flush().map_err(IndexError::damaged)?;
        let path = self.directory.join(DATABASE).join(LOG_FILE);
        File::open(&path).and_then(|file| file.sync_data()).map_err(failed("sync", &path))
    }

    /// Flushes, closes, and notes that both were done.
    pub(super) fn close(&mut self) -> Result<(), IndexError> {
        self.flush()?;
        self.trees = None;
        let path = self.directory.join(CLEAN_MARK);
        File::create(&path).and_then(|file| file.sync_all()).map_err(failed("create", &path))?;
        sync_directory(&self.directory)?;
        self.lock = None;
        Ok(())
    }
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("sled panicked: {}", text.unwrap_or("without a message"))
}

fn open_trees(path: &Path) -> Result<Trees, IndexError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let open = move || -> sled::Result<Trees> {
        let db = config.open()?;
        Ok(Trees {
            minutes: db.open_tree("minutes")?,
            dead_letters: db.open_tree("dead_letters")?,
            services: db.open_tree("services")?,
            meta: db.open_tree("meta")?,
            db,
        })
    };
    // On a thread of its own: recovery of a torn file may panic, and leaves no state of ours behind.
    match std::thread::spawn(open).join() {
        Ok(opened) => opened.map_err(IndexError::damaged),
        Err(panic) => Err(IndexError::damaged(panic_text(panic.as_ref()))),
    }
}

/// Without it a second process would take a database in use for a damaged one.
fn lock(directory: &Path) -> Result<File, IndexError> {
    let path = directory.join(LOCK);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(IndexError::InUse { directory: directory.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// Removes the mark of a clean stop, durably; true if there was one.
fn take_mark(directory: &Path) -> Result<bool, IndexError> {
    let path = directory.join(CLEAN_MARK);
    match fs::remove_file(&path) {
        Ok(()) => sync_directory(directory).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("remove", &path)(error)),
    }
}

fn sync_directory(directory: &Path) -> Result<(), IndexError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(failed("sync", directory))
}

fn remove_tree(path: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IndexError {
    let path = path.display().to_string();
    move |source| IndexError::Io { action, path, source }
}
