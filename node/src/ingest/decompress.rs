//! Undoes the Content-Encoding of a body, within a bound on what comes out.
//!
//! A decompression bomb (gzip 1,000 : 1, zstd 32,000 : 1) must cost neither memory nor a crash. A body
//! that inflates unusually is therefore measured to its end before memory is given to it.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// Output that is simply kept, bytes: most bodies end below it.
const UNMEASURED_BYTES: usize = 8 << 20;
/// Logs rarely compress better than this; up to it, the output is kept without measuring.
const USUAL_RATIO: usize = 32;
/// zstd window, as RFC 9659 bounds it for HTTP: 8 MiB. A frame may ask for 2 GiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Why a body cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    #[error("Content-Encoding {0:?} is not supported: use gzip, zstd, deflate, snappy or none")]
    UnknownEncoding(String),
    #[error("the {encoding} body is broken or cut off: {source}")]
    Corrupt { encoding: &'static str, source: io::Error },
    #[error("the body is larger than {bytes_max} bytes once decompressed: send it in several requests")]
    TooLarge { bytes_max: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Zstd,
    Deflate,
    /// Of Loki's clients: one raw block, or a framed stream.
    Snappy,
}

/// How a framed stream of snappy begins (github.com/google/snappy, framing_format.txt).
const SNAPPY_STREAM: &[u8] = b"\xff\x06\x00\x00sNaPpY";

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
            Encoding::Deflate => "deflate",
            Encoding::Snappy => "snappy",
        }
    }

    fn reader<'a>(self, body: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(body)),
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
            Encoding::Deflate => {
                Box::new(Inflate { state: Decompress::new(has_zlib_header(body)), rest: body })
            }
            Encoding::Snappy => Box::new(snap::read::FrameDecoder::new(body)),
        })
    }
}

/// The body as it was before its Content-Encoding; borrowed where there is none.
pub fn decompress<'a>(
    content_encoding: Option<&str>,
    body: &'a [u8],
    inflated_bytes_max: usize,
) -> Result<Cow<'a, [u8]>, DecompressError> {
    let too_large = DecompressError::TooLarge { bytes_max: inflated_bytes_max };
    let name = content_encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let encoding = match name.as_str() {
        "" | "identity" | "none" if body.len() > inflated_bytes_max => return Err(too_large),
        "" | "identity" | "none" => return Ok(Cow::Borrowed(body)),
        "gzip" | "x-gzip" => Encoding::Gzip,
        "zstd" => Encoding::Zstd,
        "deflate" => Encoding::Deflate,
        "snappy" => Encoding::Snappy,
        _ => return Err(DecompressError::UnknownEncoding(name.chars().take(64).collect())),
    };
    let inflated = match encoding {
        Encoding::Snappy if !body.starts_with(SNAPPY_STREAM) => unsnap(body, inflated_bytes_max),
        _ => inflate(encoding, body, inflated_bytes_max),
    };
    let inflated =
        inflated.map_err(|source| DecompressError::Corrupt { encoding: encoding.name(), source })?;
    inflated.map(Cow::Owned).ok_or(too_large)
}

/// The inflated body; `None` when it is longer than `bytes_max`.
fn inflate(encoding: Encoding, body: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut reader = encoding.reader(body)?;
    let unmeasured = UNMEASURED_BYTES.max(body.len().saturating_mul(USUAL_RATIO)).min(bytes_max);
    let mut inflated = Vec::with_capacity(body.len().saturating_mul(4).min(unmeasured));
    reader.by_ref().take(unmeasured as u64).read_to_end(&mut inflated)?;
    let rest_max = (bytes_max - inflated.len()) as u64;
    if inflated.len() < unmeasured {
        return Ok(Some(inflated));
    }
    let rest = io::copy(&mut reader.take(rest_max + 1), &mut io::sink())?;
    if rest > rest_max {
        return Ok(None);
    }
    if rest > 0 {
        let measured = inflated.len() + rest as usize;
        inflated.clear();
        inflated.reserve_exact(measured);
        encoding.reader(body)?.read_to_end(&mut inflated)?;
    }
    Ok(Some(inflated))
}

/// One raw block of snappy, which tells its length first; `None` when it is longer than `bytes_max`.
fn unsnap(body: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    if snap::raw::decompress_len(body)? > bytes_max {
        return Ok(None);
    }
    Ok(Some(snap::raw::Decoder::new().decompress_vec(body)?))
}

/// "deflate" is zlib by RFC 9110, but some clients send the bare stream.
fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31)
        }
        _ => true,
    }
}

/// A deflate stream that says when it was cut off, which flate2's own reader does not.
struct Inflate<'a> {
    state: Decompress,
    rest: &'a [u8],
}

impl Read for Inflate<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let (taken, given) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(self.rest, out, FlushDecompress::None)?;
            let taken = (self.state.total_in() - taken) as usize;
            let given = (self.state.total_out() - given) as usize;
            self.rest = self.rest.get(taken..).unwrap_or_default();
            match status {
                _ if given > 0 || out.is_empty() => return Ok(given),
                Status::StreamEnd if self.rest.is_empty() => return Ok(0),
                Status::StreamEnd => {
                    let problem = "there are bytes after the end of the stream";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
                }
                // Input went into the state and gave nothing yet: 0 would mean the end.
                _ if taken > 0 => {}
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}
