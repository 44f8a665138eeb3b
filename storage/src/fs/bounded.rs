//! A file system that keeps few files open for reading: those used last. The others are opened again when they are asked.
//!
//! A node has a block for each 64 Ki records, so many more than the system lets it open files. Handles behave as any others do:
//! one goes on with the file it was opened on, also when that is removed, renamed or replaced.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Mutex, RwLock};

use super::{Fs, FsFile, FsLock};

/// See the module.
#[derive(Debug)]
pub struct BoundedFs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    inner: Arc<dyn Fs>,
    files_max: usize,
    open: Mutex<Open>,
    /// Read while a name is opened, written while one comes to mean another file.
    names: RwLock<()>,
}

#[derive(Debug, Default)]
struct Open {
    /// By the number of the handle, with the moment of its last use.
    files: HashMap<u64, (Arc<dyn FsFile>, u64)>,
    /// Handles by the moment of their last use.
    by_use: BTreeMap<u64, u64>,
    uses: u64,
    /// Every handle there is.
    handles: HashMap<PathBuf, Vec<Weak<Handle>>>,
    next_number: u64,
}

impl BoundedFs {
    pub fn over(inner: Arc<dyn Fs>, files_max: usize) -> Arc<dyn Fs> {
        let (open, names) = (Mutex::default(), RwLock::default());
        Arc::new(BoundedFs { shared: Arc::new(Shared { inner, files_max: files_max.max(1), open, names }) })
    }

    fn handle(&self, path: &Path) -> Arc<Handle> {
        let shared = Arc::clone(&self.shared);
        let mut open = self.shared.open.lock();
        let number = open.next_number;
        open.next_number += 1;
        let handle = Arc::new(Handle { path: path.into(), number, shared, kept: OnceLock::new() });
        open.handles.entry(path.into()).or_default().push(Arc::downgrade(&handle));
        handle
    }

    /// The name is about to mean another file, or none: who has it open keeps the one it has.
    fn detach(&self, path: &Path) {
        let handles = self.shared.open.lock().handles.get(path).cloned().unwrap_or_default();
        for handle in handles.iter().filter_map(Weak::upgrade) {
            // What is gone already cannot be kept.
            if let Ok(file) = handle.at_hand().map_or_else(|| handle.open(), Ok) {
                drop(handle.kept.set(file));
            }
        }
    }
}

impl Fs for BoundedFs {
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        // Known before it is opened, so that it is found when the name goes to another file.
        let handle = self.handle(path);
        handle.file()?;
        Ok(handle)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let _names = self.shared.names.write();
        self.detach(from);
        self.detach(to);
        self.shared.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let _names = self.shared.names.write();
        self.detach(path);
        self.shared.inner.remove(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        self.shared.inner.create_new(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        self.shared.inner.open(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.shared.inner.list(directory)
    }

    fn create_dir_all(&self, directory: &Path) -> io::Result<()> {
        self.shared.inner.create_dir_all(directory)
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.shared.inner.sync_dir(directory)
    }

    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        self.shared.inner.free_bytes(directory)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>> {
        self.shared.inner.lock(path)
    }
}

impl Open {
    fn touch(&mut self, number: u64) -> Option<Arc<dyn FsFile>> {
        let (file, used) = self.files.get_mut(&number)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, number);
        Some(Arc::clone(file))
    }

    /// Keeps a file open; answers with one that is to be closed for it, which may take a while.
    fn keep(&mut self, number: u64, file: Arc<dyn FsFile>, files_max: usize) -> Option<Arc<dyn FsFile>> {
        let before = self.close(number);
        self.uses += 1;
        self.files.insert(number, (file, self.uses));
        self.by_use.insert(self.uses, number);
        if self.files.len() <= files_max {
            return before;
        }
        let oldest = self.by_use.first_key_value().map(|(_, number)| *number)?;
        self.close(oldest)
    }

    fn close(&mut self, number: u64) -> Option<Arc<dyn FsFile>> {
        let (file, used) = self.files.remove(&number)?;
        self.by_use.remove(&used);
        Some(file)
    }
}

/// A file that was opened for reading, and may be closed between two reads.
#[derive(Debug)]
struct Handle {
    path: PathBuf,
    number: u64,
    shared: Arc<Shared>,
    /// The name means another file by now: this one is not closed before its handle goes.
    kept: OnceLock<Arc<dyn FsFile>>,
}

impl Handle {
    fn file(&self) -> io::Result<Arc<dyn FsFile>> {
        if let Some(file) = self.at_hand() {
            return Ok(file);
        }
        let _names = self.shared.names.read();
        // The name may have gone to another file meanwhile.
        self.at_hand().map_or_else(|| self.open(), Ok)
    }

    fn at_hand(&self) -> Option<Arc<dyn FsFile>> {
        self.kept.get().cloned().or_else(|| self.shared.open.lock().touch(self.number))
    }

    fn open(&self) -> io::Result<Arc<dyn FsFile>> {
        let file = self.shared.inner.open_read(&self.path)?;
        let closed = self.shared.open.lock().keep(self.number, Arc::clone(&file), self.shared.files_max);
        drop(closed);
        Ok(file)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        let closed = open.close(self.number);
        if let Some(handles) = open.handles.get_mut(&self.path) {
            handles.retain(|handle| handle.strong_count() > 0);
            if handles.is_empty() {
                open.handles.remove(&self.path);
            }
        }
        drop(open);
        drop(closed);
    }
}

impl FsFile for Handle {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file()?.read_exact_at(buffer, offset)
    }

    fn will_read(&self, offset: u64, length: u64) {
        if let Ok(file) = self.file() {
            file.will_read(offset, length);
        }
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file()?.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file()?.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.file()?.len()
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file()?.set_len(length)
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        self.file()?.preallocate(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RealFs;
    use super::*;

    const FILES_MAX: usize = 3;

    fn bounded(directory: &Path) -> Arc<dyn Fs> {
        for number in 0..10 {
            std::fs::write(directory.join(number.to_string()), format!("file {number}")).unwrap();
        }
        BoundedFs::over(RealFs::shared(), FILES_MAX)
    }

    fn content(file: &Arc<dyn FsFile>) -> String {
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Files below a directory that this process has open.
    fn open_below(directory: &Path) -> usize {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
        let files = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok());
        files.filter(|file| file.starts_with(directory)).count()
    }

    #[test]
    fn many_files_are_read_and_few_are_open() {
        let directory = tempfile::tempdir().unwrap();
        let fs = bounded(directory.path());
        let files: Vec<_> =
            (0..10).map(|number| fs.open_read(&directory.path().join(number.to_string())).unwrap()).collect();
        for _ in 0..2 {
            for (number, file) in files.iter().enumerate() {
                assert_eq!(content(file), format!("file {number}"));
                assert_eq!(open_below(directory.path()), FILES_MAX);
            }
        }
        drop(files);
        assert_eq!(open_below(directory.path()), 0);
        assert!(fs.open_read(&directory.path().join("10")).is_err());
    }

    #[test]
    fn a_handle_goes_on_with_its_file_whatever_becomes_of_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let fs = bounded(directory.path());
        let path = |name: &str| directory.path().join(name);
        let files: Vec<_> = (0..6).map(|number| fs.open_read(&path(&number.to_string())).unwrap()).collect();
        // The first three are closed by now.
        fs.remove(&path("0")).unwrap();
        fs.rename(&path("1"), &path("2")).unwrap();
        fs.replace(&path("3"), b"another").unwrap();
        for _ in 0..2 {
            for (number, file) in files.iter().enumerate() {
                assert_eq!(content(file), format!("file {number}"));
            }
        }
        assert_eq!(content(&fs.open_read(&path("2")).unwrap()), "file 1");
        assert_eq!(content(&fs.open_read(&path("3")).unwrap()), "another");
        assert_eq!(fs.open_read(&path("0")).unwrap_err().kind(), io::ErrorKind::NotFound);
        drop(files);
        assert_eq!(open_below(directory.path()), 0);
    }

    #[test]
    fn readers_and_a_writer_at_once_see_whole_files() {
        let directory = tempfile::tempdir().unwrap();
        let fs = bounded(directory.path());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..2_000 {
                        let file = fs.open_read(&directory.path().join((round % 10).to_string())).unwrap();
                        let before = content(&file);
                        let others: Vec<_> = (0..4)
                            .map(|other| fs.open_read(&directory.path().join(other.to_string())).unwrap())
                            .collect();
                        assert_eq!(content(&file), before, "it is another file");
                        drop(others);
                    }
                });
            }
            scope.spawn(|| {
                for round in 0..500 {
                    let name = directory.path().join((round % 10).to_string());
                    fs.replace(&name, format!("round {round}").as_bytes()).unwrap();
                }
            });
        });
        assert_eq!(open_below(directory.path()), 0);
    }
}
