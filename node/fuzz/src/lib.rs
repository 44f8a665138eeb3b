//! The node's parsers under the node's name, so that the checks are written once.

#[path = "../../src/access/mod.rs"]
pub mod access;
#[allow(unused_imports, reason = "some of it is for the edge of the node")]
#[path = "../../src/ingest/mod.rs"]
pub mod ingest;
#[path = "../../src/backup/manifest.rs"]
mod manifest;

use manifest::Manifest;
use sha2::{Digest, Sha256};

/// A manifest as it comes, and one whose checksum is right: what is taken names only files right beside it, and is written
/// to bytes that read to the same.
pub fn check_manifest(input: &[u8]) {
    let sum = access::hex(&Sha256::digest(input));
    let sealed = [format!("insighthub-backup 1 {sum}\n").as_bytes(), input].concat();
    for bytes in [input, &sealed] {
        let Ok(read) = Manifest::decode(bytes) else { continue };
        let mut names = read.states().chain(read.blocks()).map(|file| &file.name);
        assert!(names.all(|name| !name.contains(['/', '\\', '\0']) && !name.starts_with('.')));
        drop((read.records(), read.bytes()));
        let written = read.encode().expect("what was read can be written");
        assert!(Manifest::decode(&written).is_ok_and(|again| again == read), "a manifest is written alike");
    }
}
