//! A file, or what comes in, opened for reading: inflated where its content says that it is compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Few system calls, and little memory.
const BUFFER_BYTES: usize = 256 << 10;
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The name for what comes in.
pub(crate) const STDIN: &str = "-";

/// A stream of text.
pub(crate) struct Input {
    pub(crate) stream: Box<dyn BufRead + Send>,
    pub(crate) is_compressed: bool,
}

/// Opens a file; `read` counts the bytes of it as they lie on the disk.
pub(crate) fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Input> {
    let source: Box<dyn Read + Send> =
        if path == Path::new(STDIN) { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    inflated(Counted { source, read: Arc::clone(read) })
}

/// What a stream holds, whether or not it is compressed.
fn inflated(source: impl Read + Send + 'static) -> io::Result<Input> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let beginning = beginning(&mut source)?;
    let buffered = |stream: Box<dyn Read + Send>| -> Box<dyn BufRead + Send> {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, stream))
    };
    let rejoined = io::Cursor::new(beginning.clone()).chain(source);
    Ok(if beginning.starts_with(GZIP) {
        Input { stream: buffered(Box::new(MultiGzDecoder::new(rejoined))), is_compressed: true }
    } else if beginning.starts_with(ZSTD) {
        let decoder = zstd::stream::read::Decoder::with_buffer(rejoined)?;
        Input { stream: buffered(Box::new(decoder)), is_compressed: true }
    } else {
        Input { stream: buffered(Box::new(rejoined)), is_compressed: false }
    })
}

/// The first bytes, taken: a pipe may give less at once than tells what it is.
fn beginning(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    source.take(ZSTD.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning)
}

struct Counted {
    source: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        inflated(io::Cursor::new(bytes))?.stream.read_to_string(&mut text).map(|_| text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_says_how_it_is_compressed() {
        assert_eq!(read(b"plain".to_vec()).unwrap(), "plain");
        assert_eq!(read(Vec::new()).unwrap(), "");
        assert_eq!(read(b"a".to_vec()).unwrap(), "a");
        assert_eq!(read(gzip("zipped")).unwrap(), "zipped");
        assert_eq!(read([gzip("one "), gzip("two")].concat()).unwrap(), "one two", "as log rotation appends");
        let frame = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(read([frame("one "), frame("two")].concat()).unwrap(), "one two");
    }

    #[test]
    fn what_was_cut_off_is_an_error_and_no_end() {
        let whole = gzip(&"text ".repeat(1_000));
        assert!(read(whole[..whole.len() - 9].to_vec()).is_err());
    }
}
