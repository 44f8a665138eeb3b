//! What the simulated disk remembers: content that is durable, content that is only cached, and the
//! operations in between that a power cut may lose. Pure; one seed gives one outcome.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Real disks write whole sectors; a write larger than this can be torn between them.
const SECTOR_BYTES: usize = 512;

/// Identity of a file independent of its names.
pub(super) type FileNumber = u64;

/// A change of a file that no sync has covered yet.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

/// One file: what survives a power cut, what a reader sees now, and what lies between.
#[derive(Clone, Debug, Default)]
struct SimInode {
    durable: Vec<u8>,
    cached: Vec<u8>,
    unsynced: Vec<Change>,
}

/// A change of a directory that no directory sync has covered yet.
#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, FileNumber),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameChange {
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path) => path.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, FileNumber>) {
        match self {
            Self::Link(path, number) => {
                names.insert(path.clone(), *number);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(from) {
                    names.insert(to.clone(), number);
                }
            }
        }
    }
}

/// Small generator with a fixed sequence per seed (splitmix64); quality beyond that does not matter here.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }
}

/// The whole simulated disk.
#[derive(Debug)]
pub(super) struct Disk {
    inodes: BTreeMap<FileNumber, SimInode>,
    /// Names as a running process sees them.
    pub(super) names: BTreeMap<PathBuf, FileNumber>,
    /// Names as a power cut leaves them at the least.
    durable_names: BTreeMap<PathBuf, FileNumber>,
    unsynced_names: Vec<NameChange>,
    next_number: FileNumber,
    dice: Dice,
    /// All file bytes together may not exceed this.
    pub(super) capacity_bytes: u64,
}

impl Disk {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            inodes: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            next_number: 1,
            dice: Dice(seed),
            capacity_bytes: u64::MAX,
        }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileNumber> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = self.next_number;
        self.next_number += 1;
        self.inodes.insert(number, SimInode::default());
        self.change_names(NameChange::Link(path.to_path_buf(), number));
        Ok(number)
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<FileNumber> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        self.change_names(NameChange::Unlink(path.to_path_buf()));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.find(from)?;
        self.change_names(NameChange::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    pub(super) fn sync_dir(&mut self, directory: &Path) {
        let unsynced = std::mem::take(&mut self.unsynced_names);
        let (covered, rest): (Vec<_>, Vec<_>) =
            unsynced.into_iter().partition(|change| change.directory() == Some(directory));
        self.unsynced_names = rest;
        for change in covered {
            change.apply(&mut self.durable_names);
        }
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.names
            .values()
            .filter_map(|number| self.inodes.get(number))
            .map(|file| file.cached.len() as u64)
            .sum()
    }

    pub(super) fn len(&self, number: FileNumber) -> usize {
        self.inodes.get(&number).map_or(0, |file| file.cached.len())
    }

    pub(super) fn read(&self, number: FileNumber, buffer: &mut [u8], offset: usize) -> io::Result<()> {
        let file = self.inode(number)?;
        let end = offset.checked_add(buffer.len()).ok_or(io::ErrorKind::InvalidInput)?;
        let found = file.cached.get(offset..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }

    pub(super) fn write(&mut self, number: FileNumber, bytes: &[u8], offset: usize) -> io::Result<()> {
        let end = offset.checked_add(bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
        self.check_room(number, end)?;
        let file = self.inodes.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        let change = Change::Write { offset, bytes: bytes.to_vec() };
        apply_whole(&mut file.cached, &change);
        file.unsynced.push(change);
        Ok(())
    }

    pub(super) fn set_len(&mut self, number: FileNumber, length: usize) -> io::Result<()> {
        self.check_room(number, length)?;
        let file = self.inodes.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        file.cached.resize(length, 0);
        file.unsynced.push(Change::SetLen(length));
        Ok(())
    }

    pub(super) fn sync(&mut self, number: FileNumber) -> io::Result<()> {
        let file = self.inodes.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        for change in file.unsynced.drain(..) {
            apply_whole(&mut file.durable, &change);
        }
        Ok(())
    }

    /// What Linux does when writing back fails: the pages are marked clean, readers go on seeing them, and the
    /// next sync reports success without having stored them.
    pub(super) fn lose_unsynced(&mut self, number: FileNumber) {
        if let Some(file) = self.inodes.get_mut(&number) {
            file.unsynced.clear();
        }
    }

    /// Turns the disk into what a power cut could leave: of what no sync covered, any sectors may be there,
    /// and any prefix of the directory changes.
    pub(super) fn cut_power(&mut self) {
        let keep = usize::try_from(self.dice.below(self.unsynced_names.len() as u64 + 1)).unwrap_or(0);
        for change in self.unsynced_names.drain(..).take(keep) {
            change.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        for file in self.inodes.values_mut() {
            // Some cuts lose everything, some nothing, most a part: all three must occur often.
            let kept_percent = match self.dice.below(4) {
                0 => 0,
                1 => 100,
                _ => self.dice.below(101),
            };
            for change in std::mem::take(&mut file.unsynced) {
                apply_torn(&mut file.durable, &change, kept_percent, &mut self.dice);
            }
            file.cached = file.durable.clone();
        }
    }

    /// Flips one bit behind everybody's back, as a failing disk would.
    pub(super) fn flip_bit(&mut self, path: &Path, offset: usize) -> io::Result<()> {
        let number = self.find(path)?;
        let file = self.inodes.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        for content in [&mut file.durable, &mut file.cached] {
            *content.get_mut(offset).ok_or(io::ErrorKind::UnexpectedEof)? ^= 1;
        }
        Ok(())
    }

    fn inode(&self, number: FileNumber) -> io::Result<&SimInode> {
        self.inodes.get(&number).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn check_room(&self, number: FileNumber, length: usize) -> io::Result<()> {
        let growth = length.saturating_sub(self.len(number)) as u64;
        if growth > 0 && self.used_bytes().saturating_add(growth) > self.capacity_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

fn apply_whole(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLen(length) => content.resize(*length, 0),
        Change::Write { offset, bytes } => put(content, *offset, bytes),
    }
}

fn apply_torn(content: &mut Vec<u8>, change: &Change, kept_percent: u64, dice: &mut Dice) {
    match change {
        Change::SetLen(length) => {
            if dice.below(100) < kept_percent {
                content.resize(*length, 0);
            }
        }
        Change::Write { offset, bytes } => {
            let mut start = 0;
            while start < bytes.len() {
                let to_boundary = SECTOR_BYTES - (offset + start) % SECTOR_BYTES;
                let end = bytes.len().min(start + to_boundary);
                if dice.below(100) < kept_percent {
                    put(content, offset + start, bytes.get(start..end).unwrap_or_default());
                }
                start = end;
            }
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(offset..end) {
        target.copy_from_slice(bytes);
    }
}
