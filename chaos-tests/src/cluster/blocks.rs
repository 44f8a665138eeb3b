//! The block files of a node on its disk: read to compare nodes, damaged to see what comes of it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// What a disk may do to a file it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// One bit in the middle reads as another.
    FlipBit,
    /// The second half is gone.
    Truncate,
    /// The file is gone.
    Delete,
}

impl Harm {
    pub const EVERY: [Harm; 3] = [Harm::FlipBit, Harm::Truncate, Harm::Delete];

    /// Harms a file in place: whoever has it open sees it too.
    pub fn strike(self, path: &Path) -> Result<()> {
        self.try_strike(path).with_context(|| format!("{self:?} of {}", path.display()))
    }

    fn try_strike(self, path: &Path) -> Result<()> {
        let middle = fs::metadata(path)?.len() / 2;
        match self {
            Harm::FlipBit => {
                let file = OpenOptions::new().read(true).write(true).open(path)?;
                let mut byte = [0];
                file.read_exact_at(&mut byte, middle)?;
                Ok(file.write_all_at(&[byte[0] ^ 0x10], middle)?)
            }
            Harm::Truncate => Ok(OpenOptions::new().write(true).open(path)?.set_len(middle)?),
            Harm::Delete => Ok(fs::remove_file(path)?),
        }
    }
}

/// Where the block files below a data directory lie, relative to it, in order of partition and seal.
pub fn block_paths(data: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for partition in fs::read_dir(data).with_context(|| data.display().to_string())? {
        let partition = partition?.path();
        if !partition.is_dir() {
            continue;
        }
        for file in fs::read_dir(&partition)? {
            let file = file?.path();
            if file.extension().is_some_and(|extension| extension == "block") {
                found.push(file.strip_prefix(data)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Their contents.
pub fn block_files(data: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let read = |path: PathBuf| {
        let full = data.join(&path);
        let bytes = fs::read(&full).with_context(|| full.display().to_string())?;
        Ok((path, bytes))
    };
    block_paths(data)?.into_iter().map(read).collect()
}

/// Whether a file has these bytes; one that is not there has not.
pub fn holds(path: &Path, bytes: &[u8]) -> bool {
    let is_as_long = File::open(path).and_then(|file| file.metadata());
    is_as_long.is_ok_and(|file| file.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|found| found == bytes)
}

/// Fails with the first file of `theirs` that is missing in `ours` or has other bytes, or the other way round.
pub fn ensure_equal(ours: &BTreeMap<PathBuf, Vec<u8>>, theirs: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for (path, bytes) in theirs {
        let found = ours.get(path).with_context(|| format!("{} is missing", path.display()))?;
        let differs = found.iter().zip(bytes).position(|(ours, theirs)| ours != theirs);
        ensure!(differs.is_none(), "{} differs at byte {differs:?}", path.display());
        ensure!(found.len() == bytes.len(), "{} has another length", path.display());
    }
    let more = ours.keys().find(|path| !theirs.contains_key(*path));
    ensure!(more.is_none(), "{more:?} is only on one of them");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir_all(data.path().join("partition-0001")).unwrap();
        for (name, bytes) in
            [("0001-07.block", &b"0123456789"[..]), ("0001-09.block", b"x"), ("snapshot", b"s")]
        {
            fs::write(data.path().join("partition-0001").join(name), bytes).unwrap();
        }
        data
    }

    #[test]
    fn blocks_are_found_and_compared_byte_by_byte() {
        let (one, other) = (data(), data());
        let whole = block_files(one.path()).unwrap();
        assert_eq!(whole.len(), 2, "a snapshot is no block");
        ensure_equal(&whole, &block_files(other.path()).unwrap()).unwrap();
        for harm in Harm::EVERY {
            let harmed = data();
            let path = harmed.path().join("partition-0001/0001-07.block");
            assert!(holds(&path, b"0123456789"));
            harm.strike(&path).unwrap();
            assert!(!holds(&path, b"0123456789"), "{harm:?}");
            let found = block_files(harmed.path()).unwrap();
            ensure_equal(&found, &whole).unwrap_err();
            ensure_equal(&whole, &found).unwrap_err();
        }
    }

    #[test]
    fn a_flipped_bit_leaves_the_rest() {
        let data = data();
        let path = data.path().join("partition-0001/0001-07.block");
        Harm::FlipBit.strike(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"01234%6789");
    }
}
