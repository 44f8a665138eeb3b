//! Any bytes as a compressed body: nothing panics, nothing comes out that is longer than the bound.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run inflate_body fuzz/corpus-inflate_body -- -max_total_time=60`

#![no_main]

use insighthub_node::ingest::decompress;

const INFLATED_BYTES_MAX: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let encodings = ["gzip", "zstd", "deflate", "identity", "gzip, zstd"];
    let encoding = encodings[usize::from(*choice) % encodings.len()];
    if let Ok(inflated) = decompress(Some(encoding), body, INFLATED_BYTES_MAX) {
        assert!(inflated.len() <= INFLATED_BYTES_MAX, "{} bytes", inflated.len());
    }
});
