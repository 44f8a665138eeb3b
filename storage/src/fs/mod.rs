//! The only door to files: a small trait that the real disk and a simulated one both fit.
//!
//! Everything durable in this crate goes through [`Fs`], so that a test can lose unsynced writes, tear the
//! last one, fail a sync or fill the disk. It knows nothing of records, blocks or snapshots.

mod bounded;
mod real;
mod sim;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use bounded::BoundedFs;
pub use real::RealFs;
pub use sim::{Fault, SimFs};

/// A file opened for positioned reads and writes. Shared freely: no method moves a cursor.
pub trait FsFile: Debug + Send + Sync {
    /// Fills `buffer` from `offset`; `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Says that these bytes will be read soon. A hint: nothing depends on it, and it may do nothing.
    fn will_read(&self, offset: u64, length: u64) {
        let _ = (offset, length);
    }

    /// Writes all of `bytes` at `offset`, growing the file when needed. Not durable before a sync.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the content, and the length needed to read it, durable (`fdatasync`).
    /// After an error the state of unsynced data is unknown: never sync again and call it durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// True for a file of length zero.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file to `length` bytes or grows it with zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Gives the file at least `length` bytes of real, initialised and durable blocks. Writes inside them
    /// neither run out of space nor change metadata, which makes the following syncs several times cheaper.
    fn preallocate(&self, length: u64) -> io::Result<()>;
}

/// Keeps a path locked against other processes until dropped.
pub trait FsLock: Debug + Send + Sync {}

/// A directory tree. Names become durable only by [`Fs::sync_dir`] of their directory.
pub trait Fs: Debug + Send + Sync {
    /// Creates a new file for reading and writing; `AlreadyExists` when the name is taken.
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FsFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn FsFile>>;

    /// Opens an existing file for reading only.
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FsFile>>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Open handles keep working.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Names of the files directly in `directory`, sorted. Directories are left out.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Creates `directory` and what is missing above it.
    fn create_dir_all(&self, directory: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in `directory` durable.
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;

    /// Bytes an unprivileged writer can still allocate where `directory` lies.
    fn free_bytes(&self, directory: &Path) -> io::Result<u64>;

    /// Takes an exclusive lock on the file `path`, creating it; `WouldBlock` when another holder lives.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>>;

    /// Whole content of a small file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open_read(path)?;
        let length = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut content = vec![0; length];
        file.read_exact_at(&mut content, 0)?;
        Ok(content)
    }

    /// Puts a whole small file in place so that a power cut leaves either the old content or the new.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_os_string();
        name.push(".new");
        let draft = directory.join(name);
        match self.remove(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.create_new(&draft)?;
        file.write_all_at(content, 0)?;
        file.sync_data()?;
        self.rename(&draft, path)?;
        self.sync_dir(directory)
    }
}
