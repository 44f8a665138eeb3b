//! The real disk. Only thin calls; policy lives with the callers.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, statvfs};

use super::{Fs, FsFile, FsLock};

/// Zeros are written in pieces of this size and synced one by one, so that preparing a file in the
/// background never queues more than a few milliseconds of work in front of somebody else's sync.
const ZERO_CHUNK_BYTES: usize = 1 << 20;

/// Logs hold what nobody but the node's own user should read.
const FILE_MODE: u32 = 0o600;

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFs;

impl RealFs {
    /// The disk as a shared trait object.
    pub fn shared() -> Arc<dyn Fs> {
        Arc::new(Self)
    }
}

impl Fs for RealFs {
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(FILE_MODE);
        Ok(Arc::new(options.open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        Ok(Arc::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for found in fs::read_dir(directory)? {
            let found = found?;
            if found.file_type()?.is_file()
                && let Ok(name) = found.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        let missing = directory.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists());
        let missing: Vec<_> = missing.map(Path::to_path_buf).collect();
        fs::create_dir_all(directory)?;
        // Each new name has to be made durable in the directory above it.
        for created in missing {
            match created.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent)?,
                _ => self.sync_dir(Path::new("."))?,
            }
        }
        Ok(())
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        let stat = statvfs(directory)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl FsFile for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn will_read(&self, offset: u64, length: u64) {
        // A system that does not take the hint reads when it is asked to.
        fadvise(self, offset, NonZeroU64::new(length), Advice::WillNeed).ok();
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        let mut offset = self.metadata()?.len();
        if offset >= length {
            return Ok(());
        }
        // Asking first gives one contiguous extent, and "no space" before a single byte is written. Some
        // file systems cannot; the zeros below do the work there.
        match fallocate(self, FallocateFlags::empty(), 0, length) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        // Unwritten extents turn every later sync into a journal commit; written zeros do not.
        let zeros = vec![0; ZERO_CHUNK_BYTES];
        while offset < length {
            let chunk =
                usize::try_from(length - offset).map_or(ZERO_CHUNK_BYTES, |left| left.min(ZERO_CHUNK_BYTES));
            FileExt::write_all_at(self, zeros.get(..chunk).unwrap_or(&zeros), offset)?;
            File::sync_data(self)?;
            offset += chunk as u64;
        }
        self.sync_all()
    }
}

/// Held by the open file; the operating system frees it when the process dies.
#[derive(Debug)]
struct RealLock {
    _file: File,
}

impl FsLock for RealLock {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_path_is_refused_until_the_holder_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = RealFs.lock(&path).unwrap();
        assert_eq!(RealFs.lock(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        RealFs.lock(&path).unwrap();
    }

    #[test]
    fn preallocated_bytes_read_as_zeros_and_keep_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = RealFs.create_new(&directory.path().join("file")).unwrap();
        file.write_all_at(b"abc", 0).unwrap();
        file.preallocate(3 << 20).unwrap();
        assert_eq!(file.len().unwrap(), 3 << 20);
        let mut content = vec![1; 3 << 20];
        file.read_exact_at(&mut content, 0).unwrap();
        assert_eq!(content.get(..3), Some(&b"abc"[..]));
        assert!(content.iter().skip(3).all(|byte| *byte == 0));
    }

    #[test]
    fn a_replaced_file_holds_the_new_content_and_leaves_no_draft() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep").join("er").join("file");
        RealFs.create_dir_all(path.parent().unwrap()).unwrap();
        RealFs.replace(&path, b"one").unwrap();
        RealFs.replace(&path, b"two").unwrap();
        assert_eq!(RealFs.read(&path).unwrap(), b"two");
        assert_eq!(RealFs.list(path.parent().unwrap()).unwrap(), ["file"]);
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        RealFs.create_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, FILE_MODE);
    }

    #[test]
    fn free_space_is_known() {
        assert!(RealFs.free_bytes(Path::new("/")).unwrap() > 0);
    }
}
