//! Segment files: their names, the header each starts with, and what a checksum in them starts from.

use std::path::{Path, PathBuf};

use super::WalError;

/// Size of a segment header; the first record follows it.
pub(crate) const SEGMENT_HEADER_BYTES: u32 = 64;

/// Version of the layout of segments and records. Another version is refused, not guessed at.
const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"IHUB-WAL";

const SUFFIX: &str = ".wal";
const SPARE_SUFFIX: &str = ".spare";

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Grows by one from segment to segment; never used twice.
    pub(crate) number: u32,
    /// Where the records of the segment before end. What lies behind that there was never acknowledged.
    pub(crate) previous_end: u32,
    /// Drawn once for the log: records of another log, or ones faked inside a payload, fail their checksum.
    pub(crate) identity: u64,
}

impl SegmentHeader {
    /// What checksums of record headers in this segment start from.
    pub(crate) fn seed(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.identity.to_le_bytes()), &self.number.to_le_bytes())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES as usize);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.identity.to_le_bytes());
        out.extend_from_slice(&self.previous_end.to_le_bytes());
        out.resize(SEGMENT_HEADER_BYTES as usize - 4, 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Decodes the header of `file`, which must be segment `number`.
    pub(crate) fn decode(bytes: &[u8], number: u32, file: &Path) -> Result<Self, WalError> {
        let corrupt = |offset, reason: &str| WalError::corrupt(file, offset, reason);
        let (Some(fixed), Some(magic)) =
            (bytes.first_chunk::<{ SEGMENT_HEADER_BYTES as usize }>(), bytes.first_chunk::<8>())
        else {
            return Err(corrupt(0, "the file is too short for a segment header"));
        };
        if *magic != MAGIC {
            return Err(corrupt(0, "the file does not start like a segment"));
        }
        let word = |at: usize| -> [u8; 4] {
            fixed.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
        };
        let version = u32::from_le_bytes(word(8));
        let (covered, crc) = fixed.split_at(SEGMENT_HEADER_BYTES as usize - 4);
        if crc32c::crc32c(covered).to_le_bytes() != crc {
            return Err(corrupt(0, "the segment header fails its checksum"));
        }
        if version != FORMAT_VERSION {
            return Err(corrupt(
                8,
                &format!("format version {version}, but this build reads {FORMAT_VERSION}"),
            ));
        }
        let identity =
            u64::from(u32::from_le_bytes(word(16))) | u64::from(u32::from_le_bytes(word(20))) << 32;
        let header = Self {
            number: u32::from_le_bytes(word(12)),
            previous_end: u32::from_le_bytes(word(24)),
            identity,
        };
        if header.number != number {
            return Err(corrupt(12, &format!("the header says segment {}", header.number)));
        }
        Ok(header)
    }
}

/// Path of segment `number`; names sort like numbers.
pub(crate) fn segment_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:010}{SUFFIX}"))
}

/// Number of the segment with that file name, if it is one.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() == 10).then(|| digits.parse().ok()).flatten()
}

/// Path of a prepared file that is no segment yet.
pub(crate) fn spare_path(directory: &Path, tag: u64) -> PathBuf {
    directory.join(format!("{tag:010}{SPARE_SUFFIX}"))
}

/// Tag of the spare with that file name, if it is one.
pub(crate) fn spare_tag(name: &str) -> Option<u64> {
    name.strip_suffix(SPARE_SUFFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { number: 9, previous_end: 77_000, identity: 0x1234_5678_9abc_def0 };

    #[test]
    fn a_segment_header_reads_back_as_written() {
        let bytes = HEADER.encode();
        assert_eq!(bytes.len(), SEGMENT_HEADER_BYTES as usize);
        assert_eq!(SegmentHeader::decode(&bytes, 9, Path::new("file")).unwrap(), HEADER);
    }

    #[test]
    fn any_flipped_bit_in_a_segment_header_is_refused() {
        for place in 0..SEGMENT_HEADER_BYTES as usize * 8 {
            let mut bytes = HEADER.encode();
            bytes[place / 8] ^= 1 << (place % 8);
            assert!(SegmentHeader::decode(&bytes, 9, Path::new("file")).is_err(), "bit {place}");
        }
    }

    #[test]
    fn an_unknown_version_is_named() {
        let mut bytes = HEADER.encode();
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..60]).to_le_bytes();
        bytes[60..].copy_from_slice(&crc);
        let message = SegmentHeader::decode(&bytes, 9, Path::new("file")).unwrap_err().to_string();
        assert!(message.contains("format version 2"), "{message}");
    }

    #[test]
    fn names_lead_back_to_numbers() {
        let path = segment_path(Path::new("/wal"), 42);
        assert_eq!(path.file_name().unwrap(), "0000000042.wal");
        assert_eq!(segment_number("0000000042.wal"), Some(42));
        assert_eq!(segment_number("42.wal"), None);
        assert_eq!(segment_number("0000000042.spare"), None);
        assert_eq!(spare_tag("0000000007.spare"), Some(7));
    }
}
