//! Compressed bodies: what is undone and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use insighthub_node::ingest::{DecompressError, decompress};

const MIB: usize = 1 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Text that compresses a little, 10 bytes a line.
fn text(bytes: usize) -> Vec<u8> {
    (0..bytes / 10).flat_map(|line| format!("{:09}\n", line * 7919 % 1_000_003).into_bytes()).collect()
}

#[test]
fn every_encoding_gives_the_body_back() {
    for body in [Vec::new(), text(1_000), text(3 * MIB), vec![b' '; 40 * MIB]] {
        for (encoding, compressed) in [
            ("gzip", gzip(&body)),
            ("X-GZip", gzip(&body)),
            ("zstd", zstd(&body)),
            ("deflate", zlib(&body)),
            (" deflate ", raw_deflate(&body)),
            ("identity", body.clone()),
            ("", body.clone()),
        ] {
            let inflated = decompress(Some(encoding), &compressed, 64 * MIB).unwrap();
            assert!(*inflated == *body, "{encoding} of {} bytes", body.len());
        }
    }
    assert_eq!(*decompress(None, b"{}", 10).unwrap(), *b"{}");
}

#[test]
fn members_and_frames_one_after_another_are_one_body() {
    assert_eq!(*decompress(Some("gzip"), &[gzip(b"ab"), gzip(b"cd")].concat(), 10).unwrap(), *b"abcd");
    assert_eq!(*decompress(Some("zstd"), &[zstd(b"ab"), zstd(b"cd")].concat(), 10).unwrap(), *b"abcd");
}

#[test]
fn an_unknown_encoding_is_named() {
    for encoding in ["br", "gzip, gzip", "compress", "lzma"] {
        let error = decompress(Some(encoding), b"x", 10).unwrap_err();
        assert!(matches!(&error, DecompressError::UnknownEncoding(name) if name == encoding), "{error}");
    }
}

#[test]
fn a_broken_or_cut_off_body_is_refused() {
    let body = text(100_000);
    for (encoding, whole) in [
        ("gzip", gzip(&body)),
        ("zstd", zstd(&body)),
        ("deflate", zlib(&body)),
        ("deflate", raw_deflate(&body)),
    ] {
        for length in [1, 2, 9, whole.len() / 2, whole.len() - 1] {
            let outcome = decompress(Some(encoding), &whole[..length], MIB);
            let corrupt = matches!(outcome, Err(DecompressError::Corrupt { .. }));
            assert!(corrupt, "{encoding}, {length} of {} bytes", whole.len());
        }
        assert!(decompress(Some(encoding), b"{\"service\":\"a\"}", MIB).is_err());
        assert!(decompress(Some(encoding), &[whole, b"tail".to_vec()].concat(), MIB).is_err(), "{encoding}");
    }
}

#[test]
fn the_bound_holds_to_the_byte() {
    for size in [1_000, 9 * MIB] {
        let body = text(size);
        for (encoding, compressed) in
            [("gzip", gzip(&body)), ("zstd", zstd(&body)), ("deflate", zlib(&body)), ("", body.clone())]
        {
            assert!(decompress(Some(encoding), &compressed, body.len()).is_ok(), "{encoding}");
            let error = decompress(Some(encoding), &compressed, body.len() - 1).unwrap_err();
            assert!(matches!(error, DecompressError::TooLarge { .. }), "{encoding}: {error}");
        }
    }
}

#[test]
fn snappy_comes_as_a_block_or_as_a_stream() {
    use std::io::Write;

    let text = b"level=info msg=\"hello\" ".repeat(1_000);
    let block = snap::raw::Encoder::new().compress_vec(&text).unwrap();
    let mut stream = snap::write::FrameEncoder::new(Vec::new());
    stream.write_all(&text).unwrap();
    for body in [block, stream.into_inner().unwrap()] {
        assert_eq!(decompress(Some("snappy"), &body, text.len()).unwrap(), text.as_slice());
        let too_large = decompress(Some("snappy"), &body, text.len() - 1);
        assert!(matches!(too_large, Err(DecompressError::TooLarge { .. })));
        assert!(matches!(
            decompress(Some("snappy"), &body[..20], 1 << 20),
            Err(DecompressError::Corrupt { .. })
        ));
    }
}
