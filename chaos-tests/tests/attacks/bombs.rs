//! Bodies that are small on the wire and large behind it.

use std::io::{Read, Write};

use anyhow::{Result, ensure};

use crate::target::Target;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
/// Far above the bound of 16 MiB this node has; still quick to make.
const INFLATED_BYTES: usize = 128 << 20;

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let gzip = gzip(INFLATED_BYTES)?;
    let zstd = zstd::encode_all(std::io::repeat(b'0').take(INFLATED_BYTES as u64), 19)?;
    let deflate = deflate(INFLATED_BYTES)?;
    let in_itself = gzip_of(&gzip)?;
    ensure!(INFLATED_BYTES / gzip.len() > 1_000, "gzip: {} bytes", gzip.len());
    ensure!(INFLATED_BYTES / zstd.len() > 10_000, "zstd: {} bytes", zstd.len());
    let bombs: [(&str, &str, Vec<u8>, u16, &str); 9] = [
        ("gzip 1,028 : 1", "gzip", gzip.clone(), 413, "16777216 bytes"),
        ("zstd 32,500 : 1", "zstd", zstd, 413, "16777216 bytes"),
        ("deflate", "deflate", deflate, 413, "16777216 bytes"),
        ("brotli is not taken", "br", vec![0x5b; 172], 415, "gzip, zstd, deflate"),
        ("a stack of encodings", "gzip, gzip", in_itself.clone(), 415, "gzip, zstd, deflate"),
        ("a bomb in a stack", "zstd,gzip", gzip.clone(), 415, "not supported"),
        ("a bomb in a bomb is text", "gzip", in_itself, 400, ""),
        ("a window of 128 MiB", "zstd", wide_window()?, 400, "broken"),
        ("cut off in the middle", "gzip", gzip[..gzip.len() / 2].to_vec(), 413, "16777216 bytes"),
    ];
    let count = bombs.len();
    for (name, encoding, body, status, reason) in bombs {
        let before = target.memory_kib()?;
        let answer = target.post(&[NDJSON, ("content-encoding", encoding)], body).await?;
        ensure!(
            answer.status == status && answer.text.contains(reason),
            "{name}: {} {}",
            answer.status,
            answer.text
        );
        let growth = target.memory_kib()? - before;
        ensure!(growth < 32 * 1024, "{name} took {growth} KiB");
    }
    Ok(count)
}

fn gzip(bytes: usize) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(b'0').take(bytes as u64), &mut encoder)?;
    Ok(encoder.finish()?)
}

fn gzip_of(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn deflate(bytes: usize) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(b'0').take(bytes as u64), &mut encoder)?;
    Ok(encoder.finish()?)
}

/// A frame whose reader must set aside more than it is let.
fn wide_window() -> Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
    encoder.window_log(27)?;
    encoder.write_all(b"{\"service\":\"a\",\"level\":\"INFO\",\"message\":\"b\"}\n")?;
    encoder.flush()?;
    encoder.write_all(&[b'\n'; 1 << 20])?;
    Ok(encoder.finish()?)
}
