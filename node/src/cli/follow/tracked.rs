//! One file that is followed: which it is, how far it was read, and what has happened to it since.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::print::Print;
use crate::cli::files::lines::Place;

/// See the module's documentation. Equal are those that stand at the same place of the same file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tracked {
    pub(super) path: PathBuf,
    device: u64,
    inode: u64,
    /// What was read, or is in the batch that is being sent.
    pub(super) place: Place,
    /// Of what was read last.
    print: Option<Print>,
    /// It has another name than the one it was found by, or none: nobody writes to it for long.
    pub(super) is_rotated: bool,
    /// A copy of another that is followed: only what the other had when it was cut off counts.
    pub(super) is_copy: bool,
    /// Kept open, so that it can be read on when it has lost its name.
    #[serde(skip)]
    file: Option<Arc<File>>,
    #[serde(skip)]
    bytes: u64,
    /// When it was written to last, by its file system.
    #[serde(skip)]
    modified: (i64, i64),
    /// When it was seen to grow last.
    #[serde(skip)]
    pub(super) grown: Option<Instant>,
}

impl PartialEq for Tracked {
    fn eq(&self, other: &Tracked) -> bool {
        (&self.path, self.device, self.inode, self.place)
            == (&other.path, other.device, other.inode, other.place)
    }
}

/// When a file was written to that was not looked at yet.
const NEVER: (i64, i64) = (0, 0);

/// What has become of a file since it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Grown,
    /// It was emptied and may hold something else by now.
    CutOff,
}

impl Tracked {
    /// A file that is read from its beginning.
    pub(super) fn new(path: PathBuf, file: File) -> io::Result<Tracked> {
        let (device, inode) = identity(&file.metadata()?);
        Ok(Tracked {
            path,
            device,
            inode,
            place: Place::default(),
            print: None,
            is_rotated: false,
            is_copy: false,
            file: Some(Arc::new(file)),
            bytes: 0,
            modified: NEVER,
            grown: None,
        })
    }

    /// Passes over what is there, up to the last end of a line.
    pub(super) fn go_to_end(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut end = file.metadata()?.len();
        let mut last = [0];
        while end > 0 {
            file.read_exact_at(&mut last, end - 1)?;
            if last == *b"\n" {
                break;
            }
            end -= 1;
        }
        self.print = Some(Print::before(file, end)?);
        self.place = Place { offset: end, line: 0 };
        Ok(())
    }

    pub(super) fn is_of(&self, metadata: &Metadata) -> bool {
        (self.device, self.inode) == identity(metadata)
    }

    /// Whether a file holds what was read of this one last: it is this one under another name, or a copy.
    pub(super) fn is_like(&self, file: &File) -> io::Result<bool> {
        match &self.print {
            Some(print) if print.to > 0 => print.is_in(file),
            _ => Ok(false),
        }
    }

    /// Takes an open file for this one's, to be read on at the same place.
    pub(super) fn go_on_in(&mut self, path: &Path, file: File) -> io::Result<()> {
        (self.device, self.inode) = identity(&file.metadata()?);
        self.path = path.to_owned();
        (self.file, self.bytes, self.modified) = (Some(Arc::new(file)), 0, NEVER);
        Ok(())
    }

    /// Begins anew: what it held is gone.
    pub(super) fn begin_anew(&mut self) {
        (self.place, self.print, self.bytes, self.modified) = (Place::default(), None, 0, NEVER);
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Looks at it.
    pub(super) fn look(&mut self, now: Instant) -> io::Result<Change> {
        let Some(file) = &self.file else { return Ok(Change::None) };
        let metadata = file.metadata()?;
        let (bytes, modified) = (metadata.len(), (metadata.mtime(), metadata.mtime_nsec()));
        if (bytes, modified) == (self.bytes, self.modified) {
            return Ok(Change::None);
        }
        // Emptied and filled again beyond the place, it is as long as before, or longer.
        if bytes < self.place.offset || !is_same(self.print.as_ref(), file)? {
            return Ok(Change::CutOff);
        }
        (self.bytes, self.modified, self.grown) = (bytes, modified, Some(now));
        Ok(Change::Grown)
    }

    /// What stands behind the place, at most so much of it.
    pub(super) fn read(&self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let left = self.bytes.saturating_sub(self.place.offset);
        let mut bytes = vec![0; usize::try_from(left).unwrap_or(bytes_max).min(bytes_max)];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, self.place.offset + read as u64)? {
                0 => break,
                count => read += count,
            }
        }
        bytes.truncate(read);
        // Cut off since it was looked at: this is of something else.
        if !is_same(self.print.as_ref(), file)? {
            bytes.clear();
        }
        Ok(bytes)
    }

    /// Moves on behind what was taken.
    pub(super) fn advance(&mut self, taken: &[u8], to: Place) {
        self.place = to;
        self.print = Some(Print::of_end(taken, to.offset));
    }

    /// Whether everything that is there was read. Nobody knows of a file that was opened and not looked at yet.
    pub(super) fn is_at_end(&self) -> bool {
        self.modified != NEVER && self.place.offset >= self.bytes
    }
}

fn is_same(print: Option<&Print>, file: &File) -> io::Result<bool> {
    print.map_or(Ok(true), |print| print.is_in(file))
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
