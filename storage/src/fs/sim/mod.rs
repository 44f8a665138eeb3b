//! A disk in memory that can be cut from power, killed, filled and made to fail, by seed.
//!
//! It models what the real one may do at worst: unsynced writes survive in any subset of their sectors,
//! unsynced names in any prefix of their changes, and a failed sync loses data that readers still see.

mod disk;
mod fault;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::disk::{Disk, FileNumber};
pub use self::fault::Fault;
use super::{Fs, FsFile, FsLock};

/// Errno of an input/output error.
const EIO: i32 = 5;

/// The simulated disk. Clones share it.
#[derive(Clone, Debug)]
pub struct SimFs {
    shared: Arc<Mutex<SimState>>,
    /// Handles of a process that was killed, or lost power, are dead: they carry an older number.
    life: u64,
}

#[derive(Debug)]
struct SimState {
    disk: Disk,
    life: u64,
    locks: BTreeSet<PathBuf>,
    sync_fails_in: Option<u64>,
    write_fails_in: Option<u64>,
    stops_in: Option<u64>,
    fills_in: Option<u64>,
    syncs: u64,
    skips_syncs: bool,
}

impl SimFs {
    /// An empty disk whose accidents follow `seed`.
    pub fn new(seed: u64) -> Self {
        let state = SimState {
            disk: Disk::new(seed),
            life: 1,
            locks: BTreeSet::new(),
            sync_fails_in: None,
            write_fails_in: None,
            stops_in: None,
            fills_in: None,
            syncs: 0,
            skips_syncs: false,
        };
        Self { shared: Arc::new(Mutex::new(state)), life: 1 }
    }

    /// The disk as a shared trait object.
    pub fn as_fs(&self) -> Arc<dyn Fs> {
        Arc::new(self.clone())
    }

    /// Power goes and comes back: unsynced changes survive at random. Old handles are dead; go on with the
    /// returned disk.
    #[must_use]
    pub fn power_cut(&self) -> Self {
        self.shared.lock().disk.cut_power();
        self.kill()
    }

    /// The process dies, the machine lives: cached changes stay. Old handles are dead.
    #[must_use]
    pub fn kill(&self) -> Self {
        let mut state = self.shared.lock();
        state.life += 1;
        state.locks.clear();
        (state.sync_fails_in, state.write_fails_in, state.stops_in) = (None, None, None);
        Self { shared: Arc::clone(&self.shared), life: state.life }
    }

    /// Arms a fault.
    pub fn inject(&self, fault: Fault) {
        let mut state = self.shared.lock();
        match fault {
            Fault::SyncFails { after } => state.sync_fails_in = Some(after),
            Fault::WriteFails { after } => state.write_fails_in = Some(after),
            Fault::StopsAfter { operations } => state.stops_in = Some(operations),
            Fault::FillsAfter { writes } => state.fills_in = Some(writes),
        }
    }

    /// Whether [`Fault::StopsAfter`] was armed since the last power cut or kill.
    pub fn is_stopping(&self) -> bool {
        self.shared.lock().stops_in.is_some()
    }

    /// Limits all files together; `u64::MAX` lifts the limit. Nobody else fills the disk any more.
    pub fn set_capacity(&self, capacity_bytes: u64) {
        let mut state = self.shared.lock();
        state.disk.capacity_bytes = capacity_bytes;
        state.fills_in = None;
    }

    /// From now on the disk says that it has synced a file and has not, as some disks do. Nothing built on it
    /// can keep its promises then; a simulation that does not notice is worth nothing.
    pub fn skip_syncs(&self) {
        self.shared.lock().skips_syncs = true;
    }

    /// Bytes in all files.
    pub fn used_bytes(&self) -> u64 {
        self.shared.lock().disk.used_bytes()
    }

    /// File syncs that succeeded so far.
    pub fn syncs(&self) -> u64 {
        self.shared.lock().syncs
    }

    /// Flips the lowest bit of one byte of a file.
    pub fn flip_bit(&self, path: &Path, offset: u64) -> io::Result<()> {
        self.shared.lock().disk.flip_bit(path, position(offset)?)
    }

    fn with<T>(&self, act: impl FnOnce(&mut SimState) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.shared.lock();
        state.check_alive(self.life)?;
        act(&mut state)
    }

    fn changing<T>(&self, act: impl FnOnce(&mut SimState) -> io::Result<T>) -> io::Result<T> {
        self.with(|state| {
            if counts_down(&mut state.stops_in) {
                // Stays armed at zero: nothing works any more.
                state.stops_in = Some(0);
                return Err(io::Error::from_raw_os_error(EIO));
            }
            act(state)
        })
    }

    fn file(&self, number: FileNumber) -> Arc<dyn FsFile> {
        Arc::new(SimFile { fs: self.clone(), number })
    }
}

impl SimState {
    fn check_alive(&self, life: u64) -> io::Result<()> {
        if life == self.life { Ok(()) } else { Err(io::Error::from_raw_os_error(EIO)) }
    }
}

/// Counts an armed fault down; true when it strikes.
fn counts_down(armed: &mut Option<u64>) -> bool {
    match armed {
        Some(0) => {
            *armed = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
}

impl Fs for SimFs {
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        self.changing(|state| state.disk.create(path)).map(|number| self.file(number))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        self.with(|state| state.disk.find(path)).map(|number| self.file(number))
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FsFile>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changing(|state| state.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.changing(|state| state.disk.remove(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.with(|state| {
            let inside = state.disk.names.keys().filter(|path| path.parent() == Some(directory));
            Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
        })
    }

    fn create_dir_all(&self, _directory: &Path) -> io::Result<()> {
        self.with(|_| Ok(()))
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        self.changing(|state| {
            state.disk.sync_dir(directory);
            Ok(())
        })
    }

    fn free_bytes(&self, _directory: &Path) -> io::Result<u64> {
        self.with(|state| Ok(state.disk.capacity_bytes.saturating_sub(state.disk.used_bytes())))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FsLock>> {
        self.with(|state| {
            if !state.locks.insert(path.to_path_buf()) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(Box::new(SimLock { fs: self.clone(), path: path.to_path_buf() }) as Box<dyn FsLock>)
        })
    }
}

#[derive(Debug)]
struct SimLock {
    fs: SimFs,
    path: PathBuf,
}

impl FsLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.fs.shared.lock();
        // A lock of a dead process was freed already, and may be another's by now.
        if state.life == self.fs.life {
            state.locks.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct SimFile {
    fs: SimFs,
    number: FileNumber,
}

impl FsFile for SimFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.fs.with(|state| state.disk.read(self.number, buffer, position(offset)?))
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.fs.changing(|state| {
            if counts_down(&mut state.write_fails_in) {
                return Err(io::Error::from_raw_os_error(EIO));
            }
            if counts_down(&mut state.fills_in) {
                state.disk.capacity_bytes = state.disk.used_bytes();
            }
            state.disk.write(self.number, bytes, position(offset)?)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fs.changing(|state| {
            if counts_down(&mut state.sync_fails_in) {
                state.disk.lose_unsynced(self.number);
                return Err(io::Error::from_raw_os_error(EIO));
            }
            state.syncs += 1;
            if state.skips_syncs {
                return Ok(());
            }
            state.disk.sync(self.number)
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.fs.with(|state| Ok(state.disk.len(self.number) as u64))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.fs.changing(|state| state.disk.set_len(self.number, position(length)?))
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        // Not subject to `SyncFails`: that fault is for syncs somebody is acknowledged by.
        self.fs.changing(|state| {
            let length = position(length)?;
            if state.disk.len(self.number) < length {
                state.disk.set_len(self.number, length)?;
            }
            state.disk.sync(self.number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/disk/file";

    fn synced_file(fs: &SimFs) -> Arc<dyn FsFile> {
        let file = fs.create_new(Path::new(PATH)).unwrap();
        file.write_all_at(&[1; 4096], 0).unwrap();
        file.sync_data().unwrap();
        fs.sync_dir(Path::new("/disk")).unwrap();
        file
    }

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_any_sectors_of_the_rest() {
        let (mut kept, mut lost, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let fs = SimFs::new(seed);
            let file = synced_file(&fs);
            file.write_all_at(&[2; 4096], 4096).unwrap();
            let fs = fs.power_cut();
            let content = fs.read(Path::new(PATH)).unwrap();
            assert_eq!(content.get(..4096), Some(&[1; 4096][..]));
            match content.get(4096..).unwrap().iter().filter(|byte| **byte == 2).count() {
                4096 => kept += 1,
                0 => lost += 1,
                _ => torn += 1,
            }
        }
        assert!(kept > 20 && lost > 20 && torn > 20, "kept {kept} lost {lost} torn {torn}");
    }

    #[test]
    fn a_name_without_directory_sync_can_vanish_and_a_killed_process_loses_nothing() {
        let mut vanished = 0;
        for seed in 0..50 {
            let fs = SimFs::new(seed);
            let file = fs.create_new(Path::new(PATH)).unwrap();
            file.sync_data().unwrap();
            let fs = fs.kill();
            assert!(fs.open(Path::new(PATH)).is_ok());
            vanished += u32::from(fs.power_cut().open(Path::new(PATH)).is_err());
        }
        assert!((5..45).contains(&vanished), "vanished {vanished} times");
    }

    #[test]
    fn a_failed_sync_loses_data_that_readers_still_see() {
        let fs = SimFs::new(1);
        let file = synced_file(&fs);
        file.write_all_at(&[9; 512], 0).unwrap();
        fs.inject(Fault::SyncFails { after: 0 });
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        assert_eq!(fs.read(Path::new(PATH)).unwrap().first(), Some(&9));
        assert_eq!(fs.power_cut().read(Path::new(PATH)).unwrap().first(), Some(&1));
    }

    #[test]
    fn a_full_disk_refuses_growth_but_not_overwriting() {
        let fs = SimFs::new(1);
        let file = synced_file(&fs);
        fs.set_capacity(4096);
        assert_eq!(file.write_all_at(&[1], 4096).unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write_all_at(&[1], 4095).unwrap();
    }

    #[test]
    fn a_disk_that_others_fill_has_room_again_when_it_is_given() {
        let fs = SimFs::new(1);
        let file = synced_file(&fs);
        fs.inject(Fault::FillsAfter { writes: 1 });
        file.write_all_at(&[1], 4096).unwrap();
        assert_eq!(file.write_all_at(&[1], 4097).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs.free_bytes(Path::new("/disk")).unwrap(), 0);
        fs.set_capacity(u64::MAX);
        file.write_all_at(&[1], 4097).unwrap();
    }

    #[test]
    fn handles_of_a_killed_process_are_dead() {
        let fs = SimFs::new(1);
        let file = synced_file(&fs);
        let next = fs.kill();
        assert!(file.sync_data().is_err() && fs.open(Path::new(PATH)).is_err());
        assert!(next.open(Path::new(PATH)).is_ok());
    }
}
