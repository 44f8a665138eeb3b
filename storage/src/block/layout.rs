//! Where everything lies in a block file: chunks, footer, trailer.

use insighthub_model::PartitionId;
use insighthub_model::batch::FieldKind;
use serde::{Deserialize, Serialize};

use super::BlockId;
use super::encoding::{DamagedChunk, Decoded};
use crate::codec;
use crate::column_source::{ServiceRun, ValueRange};

/// First and last bytes of a block file.
pub(super) const MAGIC: &[u8; 8] = b"IHBLOCK\n";
/// Version of everything between the magics.
pub(super) const FORMAT_VERSION: u32 = 4;
/// Footer length, footer CRC, format version, magic.
pub(super) const TRAILER_BYTES: usize = 20;
const FOOTER_CODEC_VERSION: u8 = 2;

/// What a chunk holds. The order of the variants is the disk form; new ones go at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum ChunkName {
    Timestamp,
    Level,
    /// The messages, or their templates and row by row the number of the template.
    Message,
    /// Rows that have a latency, and the latencies.
    Latency,
    Offset,
    /// In offset order as runs of equal values: one append has one moment.
    CreatedAt,
    /// Rows that have a score, and the scores.
    AnomalyScore,
    /// Rows that are anomalies, and the reasons.
    Anomalies,
    /// Rows that have the field with this type, and the values.
    Field(String, FieldKind),
    TokenFilter,
    /// Counts by service, minute and level.
    Minutes,
    DeadLetters,
    ResolvedDeadLetters,
    /// Variables of a group of templates, the first of which has this number; the next group begins where it ends.
    MessageVariables(u32),
    /// Latencies, one sketch for each of the counts.
    MinuteLatencies,
    /// What was found out about services.
    Notes,
}

impl ChunkName {
    /// True for what records are made of.
    pub(super) fn is_of_records(&self) -> bool {
        !matches!(
            self,
            ChunkName::TokenFilter
                | ChunkName::Minutes
                | ChunkName::MinuteLatencies
                | ChunkName::DeadLetters
                | ChunkName::ResolvedDeadLetters
                | ChunkName::Notes
        )
    }
}

/// A chunk in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ChunkEntry {
    pub(super) name: ChunkName,
    /// Values in it: rows for a column, items for a section.
    pub(super) values: u32,
    pub(super) offset: u64,
    pub(super) bytes: u32,
    pub(super) crc: u32,
    /// Different values, where they were counted.
    pub(super) distinct: Option<u32>,
    /// Lowest and highest value, of numbers.
    pub(super) range: Option<ValueRange>,
}

/// All that is known of a block without reading a chunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) partition: PartitionId,
    pub(super) id: BlockId,
    pub(super) raw_bytes: u64,
    pub(super) rows: u32,
    pub(super) offset_range: (u64, u64),
    pub(super) time_range: (i64, i64),
    pub(super) level_mask: u8,
    pub(super) services: Vec<ServiceRun>,
    /// In file order, without gaps; fields by name and kind.
    pub(super) chunks: Vec<ChunkEntry>,
    /// See `checksum`.
    pub(super) content_checksum: u64,
}

impl Footer {
    /// The footer's bytes with the trailer: all that follows the chunks.
    pub(super) fn encode(&self) -> Result<Vec<u8>, codec::CodecError> {
        let mut bytes = codec::encode(FOOTER_CODEC_VERSION, self)?;
        let (length, crc) = (bytes.len() as u32, crc32c::crc32c(&bytes));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        Ok(bytes)
    }

    /// The footer of these bytes, which end at `end` in the file.
    pub(super) fn decode(bytes: &[u8], crc: u32, end: u64) -> Decoded<Footer> {
        if crc32c::crc32c(bytes) != crc {
            return Err(DamagedChunk("the footer's CRC is wrong"));
        }
        let footer: Footer = codec::decode(FOOTER_CODEC_VERSION, bytes)
            .map_err(|_| DamagedChunk("the footer cannot be read"))?;
        footer.check(end)?;
        Ok(footer)
    }

    /// The number of a chunk.
    pub(super) fn position(&self, name: &ChunkName) -> Decoded<usize> {
        let at = self.chunks.iter().position(|chunk| chunk.name == *name);
        at.ok_or(DamagedChunk("a column or section is missing"))
    }

    /// The numbers of a field's chunks, one per type.
    pub(super) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, FieldKind)> + 'a {
        self.all_fields().filter(move |(_, field, _)| *field == name).map(|(at, _, kind)| (at, kind))
    }

    /// The groups of templates: number of the chunk and first template, ascending.
    pub(super) fn variables(&self) -> impl Iterator<Item = (usize, u32)> {
        self.chunks.iter().enumerate().filter_map(|(at, chunk)| match chunk.name {
            ChunkName::MessageVariables(first) => Some((at, first)),
            _ => None,
        })
    }

    /// The chunks that are fields: number, name and type.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = (usize, &str, FieldKind)> {
        self.chunks.iter().enumerate().filter_map(|(at, chunk)| match &chunk.name {
            ChunkName::Field(name, kind) => Some((at, name.as_str(), *kind)),
            _ => None,
        })
    }

    /// Every byte of the file belongs to exactly one checked part, and rows to exactly one service.
    fn check(&self, end: u64) -> Decoded<()> {
        let mut offset = MAGIC.len() as u64;
        for chunk in &self.chunks {
            if chunk.offset != offset {
                return Err(DamagedChunk("the footer leaves a gap between chunks"));
            }
            offset = offset.saturating_add(u64::from(chunk.bytes));
        }
        if offset != end {
            return Err(DamagedChunk("the file is longer or shorter than its footer says"));
        }
        let ends = || self.services.iter().map(|run| run.end_row);
        let ascending = ends().is_sorted_by(|a, b| a < b);
        if !ascending || ends().next_back().unwrap_or(0) != self.rows || self.services.len() > 1 << 16 {
            return Err(DamagedChunk("the footer's services do not cover its rows"));
        }
        Ok(())
    }
}

/// The last bytes of a block file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trailer {
    pub(super) footer_bytes: u32,
    pub(super) footer_crc: u32,
    pub(super) version: u32,
}

impl Trailer {
    pub(super) fn decode(bytes: &[u8; TRAILER_BYTES]) -> Decoded<Trailer> {
        let (words, magic) = bytes.split_at(TRAILER_BYTES - MAGIC.len());
        if magic != MAGIC {
            return Err(DamagedChunk("the file does not end like a block"));
        }
        let (words, _) = words.as_chunks::<4>();
        match words {
            [length, crc, version] => Ok(Trailer {
                footer_bytes: u32::from_le_bytes(*length),
                footer_crc: u32::from_le_bytes(*crc),
                version: u32::from_le_bytes(*version),
            }),
            _ => Err(DamagedChunk("the trailer has another length")),
        }
    }
}
