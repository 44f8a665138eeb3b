//! From rows to a block file. Pure but for the last step: the same records give the same bytes.

use std::borrow::Cow;
use std::path::Path;

use insighthub_model::PartitionId;
use insighthub_model::batch::{FieldColumn, FieldValues, TextColumn};

use super::checksum::{Sections, content_checksum};
use super::encoding::{Distinct, Encoder, put_varint};
use super::layout::{ChunkEntry, ChunkName, Footer, MAGIC};
use super::minutes::{encode_counts, encode_latencies};
use super::sorted::SortedRows;
use super::store::store;
use super::templates::{PLAIN, TEMPLATED, cut};
use super::token_filter::TokenSet;
use super::{BlockError, BlockId, BlockMeta, Omitted, file_name};
use crate::codec;
use crate::column_source::ValueRange;
use crate::fs::Fs;
use crate::note::Note;
use crate::sealed_head::SealedHead;

/// Version of the sections' values inside their chunks.
pub(super) const SECTION_VERSION: u8 = 1;

/// Writes the block of a head into the partition's directory and makes it durable. Writing it again
/// replaces the file by an equal one.
pub fn write_block(fs: &dyn Fs, directory: &Path, head: &SealedHead) -> Result<BlockMeta, BlockError> {
    write_block_with(fs, directory, head, &[], &Omitted::default())
}

/// The same with notes, which ascend, and without some of the head.
pub fn write_block_with(
    fs: &dyn Fs,
    directory: &Path,
    head: &SealedHead,
    notes: &[Note],
    omitted: &Omitted,
) -> Result<BlockMeta, BlockError> {
    let mut rows = SortedRows::of(head)?;
    let mut minutes = Cow::Borrowed(&head.minutes);
    if !omitted.offsets.is_empty() {
        rows = SortedRows::merged(&[rows], &omitted.offsets);
        minutes = Cow::Owned(rows.minutes());
    }
    let mut dead_letters = Cow::Borrowed(&head.dead_letters);
    if !omitted.dead_letters.is_empty() {
        dead_letters.to_mut().retain(|number, _| omitted.dead_letters.binary_search(number).is_err());
    }
    let mut resolved = head.resolved_dead_letters.clone();
    resolved.sort_unstable();
    resolved.dedup();
    let sections =
        Sections { minutes: &minutes, dead_letters: &dead_letters, resolved_dead_letters: &resolved, notes };
    let id = BlockId::of_seal(head.seal_index);
    write_rows(fs, directory, (head.partition, id), &rows, sections)
}

/// Writes a block of rows that are sorted already.
pub(super) fn write_rows(
    fs: &dyn Fs,
    directory: &Path,
    (partition, id): (PartitionId, BlockId),
    rows: &SortedRows,
    sections: Sections<'_>,
) -> Result<BlockMeta, BlockError> {
    let checksum = content_checksum(rows, sections).map_err(encode_error)?;
    let mut writer = BlockWriter::new()?;
    writer.columns(rows)?;
    writer.sections(sections)?;
    let footer = footer((partition, id), rows, writer.chunks, checksum);
    let mut bytes = writer.bytes;
    bytes.extend_from_slice(&footer.encode().map_err(encode_error)?);
    let meta = BlockMeta {
        partition,
        id,
        file_name: file_name(partition, id),
        bytes: bytes.len() as u64,
        raw_bytes: footer.raw_bytes,
        rows: u64::from(footer.rows),
        offset_range: footer.offset_range,
        time_range: footer.time_range,
        content_checksum: checksum,
    };
    store(fs, directory, &meta.file_name, &bytes)?;
    Ok(meta)
}

fn encode_error(error: codec::CodecError) -> BlockError {
    BlockError::Encode(error.to_string())
}

fn footer(
    (partition, id): (PartitionId, BlockId),
    rows: &SortedRows,
    chunks: Vec<ChunkEntry>,
    content_checksum: u64,
) -> Footer {
    let lowest_offset = rows.offset.iter().copied().min().unwrap_or(0);
    let next_offset = rows.offset.iter().copied().max().map_or(lowest_offset, |last| last + 1);
    let first = rows.services.iter().map(|run| run.first_timestamp).min().unwrap_or(0);
    let last = rows.services.iter().map(|run| run.last_timestamp).max().unwrap_or(0);
    Footer {
        partition,
        id,
        raw_bytes: rows.bytes_held() as u64,
        rows: rows.len() as u32,
        offset_range: (lowest_offset, next_offset),
        time_range: (first, last),
        level_mask: rows.level.iter().fold(0, |mask, level| mask | 1u8.unbounded_shl(u32::from(*level))),
        services: rows.services.clone(),
        chunks,
        content_checksum,
    }
}

struct BlockWriter {
    encoder: Encoder,
    bytes: Vec<u8>,
    chunks: Vec<ChunkEntry>,
    tokens: TokenSet,
}

impl BlockWriter {
    fn new() -> Result<BlockWriter, BlockError> {
        let encoder = Encoder::new().map_err(|error| BlockError::Encode(error.to_string()))?;
        Ok(BlockWriter { encoder, bytes: MAGIC.to_vec(), chunks: Vec::new(), tokens: TokenSet::default() })
    }

    /// Appends a chunk written by `encode`.
    fn chunk(
        &mut self,
        name: ChunkName,
        values: usize,
        encode: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) -> Result<(), BlockError> {
        let start = self.bytes.len();
        encode(&mut self.encoder, &mut self.bytes);
        let written = self.bytes.get(start..).unwrap_or(&[]);
        let too_large =
            |_| BlockError::TooLarge { what: "bytes", count: written.len(), max: u32::MAX as usize };
        let bytes = u32::try_from(written.len()).map_err(too_large)?;
        let crc = crc32c::crc32c(written);
        let (offset, distinct, range) = (start as u64, None, None);
        self.chunks.push(ChunkEntry { name, values: values as u32, offset, bytes, crc, distinct, range });
        Ok(())
    }

    /// Says of the last chunk what is known of its values.
    fn describe(&mut self, distinct: Option<usize>, range: Option<ValueRange>) {
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.distinct = distinct.map(|distinct| distinct as u32);
            chunk.range = range;
        }
    }

    fn columns(&mut self, rows: &SortedRows) -> Result<(), BlockError> {
        let count = rows.len();
        self.chunk(ChunkName::Timestamp, count, |encoder, out| encoder.integers(&rows.timestamp, out))?;
        self.describe(None, ValueRange::of_integers(&rows.timestamp));
        self.chunk(ChunkName::Level, count, |encoder, out| {
            encoder.integers(&rows.level.iter().map(|level| i64::from(*level)).collect::<Vec<_>>(), out);
        })?;
        self.messages(&rows.message)?;
        let latencies = present(&rows.latency_ms, |latency| !latency.is_nan());
        self.chunk(ChunkName::Latency, latencies.0.len(), |encoder, out| {
            encoder.rows(&latencies.0, count, out);
            encoder.floats(&latencies.1, out);
        })?;
        self.describe(None, ValueRange::of_floats(latencies.1.iter().copied()));
        self.chunk(ChunkName::Offset, count, |encoder, out| {
            encoder.integers(&rows.offset.iter().map(|offset| *offset as i64).collect::<Vec<_>>(), out);
        })?;
        self.chunk(ChunkName::CreatedAt, count, |encoder, out| created_at(encoder, rows, out))?;
        let scores = present(&rows.anomaly_score, |score| !score.is_nan());
        self.chunk(ChunkName::AnomalyScore, scores.0.len(), |encoder, out| {
            encoder.rows(&scores.0, count, out);
            encoder.floats(&scores.1, out);
        })?;
        self.describe(None, ValueRange::of_floats(scores.1.iter().map(|score| f64::from(*score))));
        self.chunk(ChunkName::Anomalies, rows.anomalies.len(), |encoder, out| {
            let (rows, reasons): (Vec<u32>, TextColumn) = split_anomalies(&rows.anomalies);
            encoder.rows(&rows, count, out);
            encoder.texts(&reasons, Distinct::of(&reasons).as_ref(), out);
        })?;
        rows.fields.iter().try_for_each(|column| self.field(column, count))?;
        let filter = std::mem::take(&mut self.tokens).filter().to_bytes();
        self.chunk(ChunkName::TokenFilter, filter.len(), |_, out| out.extend_from_slice(&filter))
    }

    fn field(&mut self, column: &FieldColumn, count: usize) -> Result<(), BlockError> {
        let distinct = match &column.values {
            FieldValues::Text(texts) | FieldValues::Json(texts) => Distinct::of(texts),
            _ => None,
        };
        self.tokens.add_field(column, distinct.as_ref());
        let name = ChunkName::Field(column.name.clone(), column.values.kind());
        self.chunk(name, column.rows.len(), |encoder, out| {
            encoder.rows(&column.rows, count, out);
            match &column.values {
                FieldValues::Bool(values) => {
                    encoder.integers(&values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>(), out);
                }
                FieldValues::Int(values) => encoder.integers(values, out),
                FieldValues::Float(values) => encoder.floats(values, out),
                FieldValues::Text(texts) | FieldValues::Json(texts) => {
                    encoder.texts(texts, distinct.as_ref(), out);
                }
            }
        })?;
        let range = match &column.values {
            FieldValues::Int(values) => ValueRange::of_integers(values),
            FieldValues::Float(values) => ValueRange::of_floats(values.iter().copied()),
            FieldValues::Bool(_) | FieldValues::Text(_) | FieldValues::Json(_) => None,
        };
        self.describe(distinct.map(|distinct| distinct.first_rows.len()), range);
        Ok(())
    }

    /// Templates and their variables, or the messages as they are where they have too little in common.
    fn messages(&mut self, messages: &TextColumn) -> Result<(), BlockError> {
        let Some(draft) = cut(messages) else {
            let distinct = Distinct::of(messages);
            self.tokens.add_texts(messages, distinct.as_ref());
            self.chunk(ChunkName::Message, messages.len(), |encoder, out| {
                out.push(PLAIN);
                encoder.texts(messages, distinct.as_ref(), out);
            })?;
            self.describe(distinct.map(|distinct| distinct.first_rows.len()), None);
            return Ok(());
        };
        self.tokens.add_draft(&draft);
        self.chunk(ChunkName::Message, messages.len(), |encoder, out| {
            out.push(TEMPLATED);
            draft.encode_templates(encoder, out);
        })?;
        for (first, end, rows) in draft.groups() {
            self.chunk(ChunkName::MessageVariables(first), rows, |encoder, out| {
                draft.encode_group(first, end, encoder, out);
            })?;
        }
        Ok(())
    }

    fn sections(&mut self, sections: Sections<'_>) -> Result<(), BlockError> {
        let minutes = sections.minutes;
        self.chunk(ChunkName::Minutes, minutes.len(), |encoder, out| encode_counts(minutes, encoder, out))?;
        self.chunk(ChunkName::MinuteLatencies, minutes.len(), |encoder, out| {
            encode_latencies(minutes, encoder, out);
        })?;
        let letters: Vec<_> = sections.dead_letters.iter().collect();
        self.section(ChunkName::DeadLetters, letters.len(), &letters)?;
        let resolved = sections.resolved_dead_letters;
        self.section(ChunkName::ResolvedDeadLetters, resolved.len(), resolved)?;
        let notes = sections.notes;
        self.section(ChunkName::Notes, notes.len(), notes)?;
        let first = notes.iter().map(|note| note.from).min();
        let range = first.zip(notes.iter().map(|note| note.to).max());
        self.describe(None, range.and_then(|(first, last)| ValueRange::of_integers(&[first, last])));
        Ok(())
    }

    fn section<T: serde::Serialize + ?Sized>(
        &mut self,
        name: ChunkName,
        values: usize,
        content: &T,
    ) -> Result<(), BlockError> {
        let bytes = codec::encode(SECTION_VERSION, &content).map_err(encode_error)?;
        self.chunk(name, values, |encoder, out| encoder.opaque(&bytes, out))
    }
}

/// The rows whose values are there, and those values.
fn present<T: Copy>(values: &[T], is_there: impl Fn(T) -> bool) -> (Vec<u32>, Vec<T>) {
    (0u32..).zip(values.iter().copied()).filter(|(_, value)| is_there(*value)).unzip()
}

fn split_anomalies(anomalies: &[(u32, String)]) -> (Vec<u32>, TextColumn) {
    let rows = anomalies.iter().map(|(row, _)| *row).collect();
    (rows, anomalies.iter().map(|(_, reason)| reason.as_str()).collect())
}

/// Offsets rise with the moment of taking in, so in offset order equal moments follow one another.
fn created_at(encoder: &mut Encoder, rows: &SortedRows, out: &mut Vec<u8>) {
    let moments = in_offset_order(&rows.offset, &rows.created_at);
    let runs: Vec<_> = moments.chunk_by(|a, b| a == b).collect();
    let lengths: Vec<i64> = runs.iter().map(|run| run.len() as i64).collect();
    let moments: Vec<i64> = runs.iter().filter_map(|run| run.first()).copied().collect();
    put_varint(out, runs.len() as u64);
    encoder.integers(&lengths, out);
    encoder.integers(&moments, out);
}

/// The moments by ascending offset.
fn in_offset_order(offsets: &[u64], moments: &[i64]) -> Vec<i64> {
    let first = offsets.iter().copied().min().unwrap_or(0);
    let end = offsets.iter().copied().max().map_or(0, |last| (last - first).saturating_add(1));
    let both = offsets.iter().copied().zip(moments.iter().copied());
    // Offsets of a head follow one another: each has its place.
    if end == offsets.len() as u64 {
        let mut placed = vec![0; offsets.len()];
        for (offset, moment) in both {
            if let Some(place) = placed.get_mut((offset - first) as usize) {
                *place = moment;
            }
        }
        return placed;
    }
    let mut sorted: Vec<(u64, i64)> = both.collect();
    sorted.sort_unstable();
    sorted.into_iter().map(|(_, moment)| moment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_put_in_the_order_of_offsets() {
        assert_eq!(in_offset_order(&[7, 5, 6, 8], &[30, 10, 20, 40]), [10, 20, 30, 40]);
        assert_eq!(in_offset_order(&[9, 5, 6], &[30, 10, 20]), [10, 20, 30], "some were left out");
        assert_eq!(in_offset_order(&[], &[]), [0i64; 0]);
    }
}
