//! Which files are imported, in which order: found once, then fixed, so that an import that goes on cuts the same batches.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use glob::Pattern;
use serde::{Deserialize, Serialize};

use crate::cli::error::CliError;
use crate::cli::files::input::STDIN;
use crate::cli::files::lines::Place;
use crate::cli::files::state_file::failure;

/// Folders within folders; links are not followed, so deeper ones are a mistake.
const DEPTH_MAX: usize = 64;

/// One file, as it was when the import began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Planned {
    pub(super) path: PathBuf,
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) bytes: u64,
    pub(super) modified_nanos: i128,
    /// What was read of it before.
    #[serde(default)]
    pub(super) from: Place,
}

impl Planned {
    fn of(path: PathBuf, metadata: &Metadata) -> Planned {
        // A pipe has no length that says anything.
        let bytes = if metadata.is_file() { metadata.len() } else { 0 };
        let modified_nanos = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        let (device, inode) = (metadata.dev(), metadata.ino());
        Planned { path, device, inode, bytes, modified_nanos, from: Place::default() }
    }

    fn stdin() -> Planned {
        let (device, inode, bytes, modified_nanos) = (0, 0, 0, 0);
        Planned { path: STDIN.into(), device, inode, bytes, modified_nanos, from: Place::default() }
    }

    pub(super) fn is_stdin(&self) -> bool {
        self.path == Path::new(STDIN)
    }

    /// Whether the same bytes are still there; more may have come.
    pub(super) fn is_still(&self, other: &Planned) -> bool {
        let is_same = (self.device, self.inode) == (other.device, other.inode);
        is_same && other.bytes >= self.bytes
    }

    /// Whether nothing at all has happened to it.
    pub(super) fn is_unchanged(&self, other: &Planned) -> bool {
        self.is_still(other) && (self.bytes, self.modified_nanos) == (other.bytes, other.modified_nanos)
    }
}

/// What a file is now.
pub(super) fn look(path: &Path) -> io::Result<Planned> {
    fs::metadata(path).map(|metadata| Planned::of(path.to_owned(), &metadata))
}

/// The files that paths name, in the order of the arguments and within a folder by name.
pub(super) fn find(paths: &[PathBuf], include: &[Pattern]) -> Result<Vec<Planned>, CliError> {
    let mut found = Vec::new();
    for path in paths {
        if path == Path::new(STDIN) {
            found.push(Planned::stdin());
            continue;
        }
        let metadata = fs::metadata(path).map_err(|error| failure(path, &error))?;
        if metadata.is_dir() {
            let before = found.len();
            walk(path, path, include, 0, &mut found).map_err(|error| failure(path, &error))?;
            let mut files = found.split_off(before);
            files.sort_by(|one, other| one.path.cmp(&other.path));
            found.append(&mut files);
        } else {
            found.push(Planned::of(absolute(path)?, &metadata));
        }
    }
    let mut seen = std::collections::HashSet::new();
    // A file that is named twice is meant once.
    found.retain(|file| seen.insert(file.path.clone()));
    Ok(found)
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|error| failure(path, &error))
}

fn walk(
    top: &Path,
    folder: &Path,
    include: &[Pattern],
    depth: usize,
    found: &mut Vec<Planned>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let link = fs::symlink_metadata(&path)?;
        if link.is_dir() && depth < DEPTH_MAX {
            walk(top, &path, include, depth + 1, found)?;
        }
        // A link to a file is one; a link to a folder may lead in a circle. A dangling one is nothing.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_file() && is_wanted(top, &path, include) {
            found.push(Planned::of(std::path::absolute(&path)?, &metadata));
        }
    }
    Ok(())
}

/// By its name, or by its way from the folder that was named.
fn is_wanted(top: &Path, path: &Path, include: &[Pattern]) -> bool {
    let name = path.file_name().map(Path::new).unwrap_or(path);
    let way = path.strip_prefix(top).unwrap_or(path);
    include.is_empty() || include.iter().any(|one| one.matches_path(name) || one.matches_path(way))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, include: &[&str]) -> Vec<String> {
        let include: Vec<_> = include.iter().map(|text| Pattern::new(text).unwrap()).collect();
        let found = find(&[folder.to_owned()], &include).unwrap();
        let way = |file: &Planned| file.path.strip_prefix(folder).unwrap().display().to_string();
        found.iter().map(way).collect()
    }

    #[test]
    fn folders_are_read_in_a_fixed_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.log", "a/2.log", "a/1.log.gz", "a/deep/x.csv", "c.txt"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.log")).unwrap();
        let all = ["a/1.log.gz", "a/2.log", "a/deep/x.csv", "b.log", "c.txt"];
        assert_eq!(names(folder.path(), &[]), all);
        assert_eq!(names(folder.path(), &["*.log", "*.log.gz"]), ["a/1.log.gz", "a/2.log", "b.log"]);
        assert_eq!(names(folder.path(), &["a/**/*.csv"]), ["a/deep/x.csv"]);
        let twice = [folder.path().join("b.log"), folder.path().to_owned()];
        assert_eq!(find(&twice, &[]).unwrap().len(), 5);
    }
}
