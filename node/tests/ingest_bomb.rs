//! A decompression bomb costs no memory. Alone in its file: the process's peak memory is the measure.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use insighthub_node::ingest::{DecompressError, decompress};

const MIB: usize = 1 << 20;

#[test]
fn a_bomb_is_refused_without_its_memory() {
    /// The most memory this process ever held, bytes.
    fn peak_bytes() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
    // In pieces, so that making the bomb holds none of it.
    let mut bomb = zstd::Encoder::new(Vec::new(), 3).unwrap();
    let mut gzip_bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_024 {
        bomb.write_all(&[b' '; MIB]).unwrap();
        gzip_bomb.write_all(&[b' '; MIB]).unwrap();
    }
    for (encoding, bomb) in [("zstd", bomb.finish().unwrap()), ("gzip", gzip_bomb.finish().unwrap())] {
        assert!(bomb.len() < 2 * MIB);
        let before = peak_bytes();
        let error = decompress(Some(encoding), &bomb, 256 * MIB).unwrap_err();
        assert!(matches!(error, DecompressError::TooLarge { .. }));
        assert!(peak_bytes() - before < 32 * MIB, "{encoding}: {} MiB", (peak_bytes() - before) / MIB);
    }
}
