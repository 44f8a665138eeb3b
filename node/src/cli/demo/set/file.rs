//! Records as a file of NDJSON: plain, gzip (`.gz`) or zstd (`.zst`), or stdout (`-`).

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

use super::{RecordSet, SetPlan};
use crate::cli::error::CliError;

/// Lines are handed on in pieces of about this size.
const PIECE_BYTES: usize = 1 << 20;
/// What a writer that cares about its own processor would choose.
const ZSTD_LEVEL: i32 = 3;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) records: u64,
    /// Before compression.
    pub(crate) bytes: u64,
}

/// Writes the whole set. A file that is there is replaced.
pub(crate) fn write(plan: &SetPlan, path: &Path) -> Result<Written, CliError> {
    let mut set = RecordSet::new(plan).map_err(CliError::Argument)?;
    write_lines_to(path, |text| set.next_line(text))
}

/// Writes lines as long as `next_line` appends one. A file that is there is replaced.
pub(crate) fn write_lines_to(
    path: &Path,
    mut next_line: impl FnMut(&mut Vec<u8>) -> bool,
) -> Result<Written, CliError> {
    if path.as_os_str() == "-" {
        let mut stdout = std::io::stdout().lock();
        let written = write_lines(&mut next_line, &mut stdout)?;
        return stdout.flush().map(|()| written).map_err(CliError::Output);
    }
    let unusable = |error| CliError::Argument(format!("cannot write {}: {error}", path.display()));
    let mut file = BufWriter::new(File::create(path).map_err(unusable)?);
    let written = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            let mut encoder = GzEncoder::new(&mut file, Compression::fast());
            let written = write_lines(&mut next_line, &mut encoder)?;
            encoder.finish()?;
            written
        }
        Some("zst" | "zstd") => {
            let mut encoder = Encoder::new(&mut file, ZSTD_LEVEL)?;
            let written = write_lines(&mut next_line, &mut encoder)?;
            encoder.finish()?;
            written
        }
        _ => write_lines(&mut next_line, &mut file)?,
    };
    file.flush()?;
    Ok(written)
}

fn write_lines(
    next_line: &mut impl FnMut(&mut Vec<u8>) -> bool,
    out: &mut impl Write,
) -> std::io::Result<Written> {
    let (mut written, mut piece) = (Written::default(), Vec::with_capacity(PIECE_BYTES + 4_096));
    let mut has_more = true;
    while has_more {
        piece.clear();
        while piece.len() < PIECE_BYTES && has_more {
            has_more = next_line(&mut piece);
            written.records += u64::from(has_more);
        }
        written.bytes += piece.len() as u64;
        out.write_all(&piece)?;
    }
    Ok(written)
}

/// Reads a file of NDJSON line by line: each call appends one line and says whether there was one.
pub(crate) fn lines(
    path: &Path,
) -> Result<impl FnMut(&mut Vec<u8>) -> std::io::Result<bool> + Send + 'static, CliError> {
    let unusable = |error| CliError::Argument(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(unusable)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let inside: Box<dyn Read + Send> = match extension {
        Some("gz") => Box::new(MultiGzDecoder::new(file)),
        Some("zst" | "zstd") => Box::new(Decoder::new(file).map_err(unusable)?),
        _ => Box::new(file),
    };
    let mut lines = BufReader::with_capacity(PIECE_BYTES, inside);
    Ok(move |text: &mut Vec<u8>| Ok(lines.read_until(b'\n', text)? > 0))
}
