//! What a backup consists of. One line with format version and checksum, then JSON.
//!
//! It is written last: a folder without one, or with an older one, is not mistaken for what was broken off.

use insighthub_model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::access::hex;

pub(super) const VERSION: u32 = 1;
const FIRST_WORD: &str = "insighthub-backup";
const NAME_BYTES_MAX: usize = 160;

/// A file of the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Of the content, hexadecimal.
    pub(crate) sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionEntry {
    pub(crate) records: u64,
    pub(crate) state: FileEntry,
    /// In the order in which the state names them.
    pub(crate) blocks: Vec<FileEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) cluster_id: String,
    /// Of the program that fetched it.
    pub(crate) program: String,
    /// Everything acknowledged before this is in it.
    pub(crate) begun_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) users: usize,
    pub(crate) tokens: usize,
    pub(crate) control: FileEntry,
    /// By number, from 0.
    pub(crate) partitions: Vec<PartitionEntry>,
}

/// Why bytes are no manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoManifest {
    Version(String),
    Damaged(String),
}

impl Manifest {
    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let body = serde_json::to_vec_pretty(self)?;
        let mut bytes = format!("{FIRST_WORD} {VERSION} {}\n", hex(&Sha256::digest(&body))).into_bytes();
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Manifest, NoManifest> {
        let damaged = |reason: &str| NoManifest::Damaged(reason.to_owned());
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("has no first line"))?;
        let (first, body) = bytes.split_at(end);
        let first = String::from_utf8_lossy(first);
        let words: Vec<&str> = first.split(' ').collect();
        let [FIRST_WORD, version, checksum] = words.as_slice() else {
            return Err(damaged("does not begin like a manifest"));
        };
        if *version != VERSION.to_string() {
            return Err(NoManifest::Version((*version).to_owned()));
        }
        let body = body.get(1..).unwrap_or_default();
        if *checksum != hex(&Sha256::digest(body)) {
            return Err(damaged("does not match its checksum"));
        }
        let manifest: Manifest =
            serde_json::from_slice(body).map_err(|error| damaged(&format!("cannot be read: {error}")))?;
        let foreign = manifest.files().find(|file| !is_plain_name(&file.name));
        match foreign {
            Some(file) => Err(damaged(&format!("names the file {:?}, which no backup has", file.name))),
            None => Ok(manifest),
        }
    }

    fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let of_partitions = self
            .partitions
            .iter()
            .flat_map(|partition| std::iter::once(&partition.state).chain(partition.blocks.iter()));
        std::iter::once(&self.control).chain(of_partitions)
    }

    /// The files beside the blocks.
    pub(super) fn states(&self) -> impl Iterator<Item = &FileEntry> {
        std::iter::once(&self.control).chain(self.partitions.iter().map(|partition| &partition.state))
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &FileEntry> {
        self.partitions.iter().flat_map(|partition| &partition.blocks)
    }

    pub(crate) fn records(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.records).fold(0, u64::saturating_add)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).fold(0, u64::saturating_add)
    }
}

/// The name of a file right here, whatever reads it: nothing that leads elsewhere or is hidden.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.starts_with('.') && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> FileEntry {
        FileEntry { name: name.to_owned(), bytes: 3, sha256: "00".to_owned() }
    }

    fn manifest(block: &str) -> Manifest {
        let partition = PartitionEntry { records: 7, state: file("p.state"), blocks: vec![file(block)] };
        Manifest {
            cluster_id: "c".to_owned(),
            program: "0.1".to_owned(),
            begun_at: Timestamp(1_000_000_000),
            finished_at: Timestamp(2_000_000_000),
            users: 1,
            tokens: 2,
            control: file("control.state"),
            partitions: vec![partition.clone(), partition],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let written = manifest("0000-1.block");
        let read = Manifest::decode(&written.encode().unwrap()).unwrap();
        assert_eq!((read.records(), read.bytes()), (14, 15));
        assert_eq!(read, written);
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let bytes = manifest("0000-1.block").encode().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Manifest::decode(&changed).is_err(), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let bytes = manifest("0000-1.block").encode().unwrap();
        let later = String::from_utf8(bytes).unwrap().replacen(" 1 ", " 2 ", 1);
        assert_eq!(Manifest::decode(later.as_bytes()), Err(NoManifest::Version("2".to_owned())));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../../etc/passwd", "/etc/passwd", "a/b", ".hidden", "..", "", "a\\b", "a\nb"] {
            let decoded = Manifest::decode(&manifest(name).encode().unwrap());
            assert!(matches!(decoded, Err(NoManifest::Damaged(_))), "{name:?}: {decoded:?}");
        }
    }
}
