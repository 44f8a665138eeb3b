//! What a node's data directory takes, and how to make the next read come from the disk.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The kernel counts allocated blocks in this unit, whatever the file system's is.
const SECTOR_BYTES: u64 = 512;
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

/// Allocated bytes of all files below a directory; files that vanish meanwhile count nothing.
pub(super) fn allocated_bytes(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => allocated_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * SECTOR_BYTES,
        Err(_) => 0,
    });
    sizes.sum()
}

/// Whether the page cache can be dropped: by root, outside of most containers.
pub(super) fn can_drop_page_cache() -> bool {
    std::fs::OpenOptions::new().write(true).open(DROP_CACHES).is_ok()
}

/// Writes back what is dirty and drops every clean page of every file.
pub(super) fn drop_page_cache() -> std::io::Result<()> {
    // Dirty pages stay: they must be written first. There is no call for that in the standard library.
    let synced = std::process::Command::new("sync").status()?;
    if !synced.success() {
        return Err(std::io::Error::other(format!("sync ended with {synced}")));
    }
    std::fs::write(DROP_CACHES, "1\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocated_bytes_are_counted_through_subdirectories() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("partition-0000");
        std::fs::create_dir(&inner).unwrap();
        let file = std::fs::File::create(inner.join("block")).unwrap();
        std::io::Write::write_all(&mut &file, &[7; 100_000]).unwrap();
        file.sync_all().unwrap();
        let bytes = allocated_bytes(directory.path());
        assert!((100_000..200_000).contains(&bytes), "{bytes}");
        assert_eq!(allocated_bytes(&directory.path().join("none")), 0);
    }
}
