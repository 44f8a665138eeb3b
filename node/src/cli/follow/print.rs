//! A piece of a file by its hash: whether a file is still the one that was read, or a copy of it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Enough to tell lines of logs apart, and read at once.
const BYTES_MAX: usize = 512;

/// See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    from: u64,
    pub(super) to: u64,
    hash: u64,
}

impl Print {
    /// Of the end of some bytes that end at `to`.
    pub(super) fn of_end(bytes: &[u8], to: u64) -> Print {
        let piece = bytes.get(bytes.len().saturating_sub(BYTES_MAX)..).unwrap_or(bytes);
        Print { from: to - piece.len() as u64, to, hash: xxh3_64(piece) }
    }

    /// Of what a file holds in front of `to`.
    pub(super) fn before(file: &File, to: u64) -> io::Result<Print> {
        let mut piece = vec![0; usize::try_from(to).unwrap_or(BYTES_MAX).min(BYTES_MAX)];
        let from = to - piece.len() as u64;
        file.read_exact_at(&mut piece, from)?;
        Ok(Print::of_end(&piece, to))
    }

    /// Whether a file has the same bytes in the same place.
    pub(super) fn is_in(&self, file: &File) -> io::Result<bool> {
        let mut piece = vec![0; usize::try_from(self.to - self.from).unwrap_or(BYTES_MAX).min(BYTES_MAX)];
        match file.read_exact_at(&mut piece, self.from) {
            Ok(()) => Ok(xxh3_64(&piece) == self.hash),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_known_by_what_stands_before_a_place() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&b"first line\nsecond line\n".repeat(50)).unwrap();
        let print = Print::before(&file, 1_000).unwrap();
        assert!(print.is_in(&file).unwrap());
        assert_eq!(print, Print::of_end(&b"first line\nsecond line\n".repeat(50)[..1_000], 1_000));
        file.set_len(900).unwrap();
        assert!(!print.is_in(&file).unwrap(), "it is shorter");
        file.set_len(1_000).unwrap();
        assert!(!print.is_in(&file).unwrap(), "it holds other bytes");
        assert!(Print::before(&file, 0).unwrap().is_in(&file).unwrap(), "nothing is in everything");
    }
}
