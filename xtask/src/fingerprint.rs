//! Whether sources have changed since the last build, by content: times lie after a checkout.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A number that changes when a file under these paths is changed, added or taken away.
pub(crate) fn of(paths: &[PathBuf], variant: &str) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    variant.hash(&mut hasher);
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_path_buf());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_content_or_variant_changes_the_fingerprint() {
        let folder = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let paths = [folder.clone()];
        fs::write(folder.join("a"), "1").unwrap();
        let first = of(&paths, "release").unwrap();
        assert_eq!(first, of(&paths, "release").unwrap());
        assert_ne!(first, of(&paths, "development").unwrap());
        fs::write(folder.join("a"), "2").unwrap();
        assert_ne!(first, of(&paths, "release").unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}
