//! An open block: the footer in memory, every chunk read when asked for, checked, decoded and cached.
//!
//! Reading blocks the thread. A chunk that is damaged is an error, never a guess and never skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
use serde::de::DeserializeOwned;

use super::cache::{BlockCache, block_number};
use super::checksum::{Sections, content_checksum};
use super::chunk_buffer::ChunkBuffer;
use super::encoding::{Cursor, DamagedChunk, Decoded, decode_opaque};
use super::layout::{ChunkEntry, ChunkName, FORMAT_VERSION, Footer, MAGIC, TRAILER_BYTES, Trailer};
use super::picks::Pick;
use super::sorted::SortedRows;
use super::token_filter::TokenFilter;
use super::writer::SECTION_VERSION;
use super::{BlockError, BlockId, BlockMeta, file_name, minutes};
use crate::codec;
use crate::column_source::{
    ColumnError, ColumnSource, MinuteCounts, MinuteLatencies, ServiceRun, ValueRange, WorkedOut,
};
use crate::fs::{Fs, FsFile};
use crate::note::Note;

/// A block on disk.
#[derive(Debug)]
pub struct BlockReader {
    path: PathBuf,
    /// Kept open: a reader goes on reading while retention removes the name.
    file: Arc<dyn FsFile>,
    bytes: u64,
    pub(super) footer: Footer,
    pub(super) services: Vec<String>,
    cache: Arc<BlockCache>,
    /// Its number in the cache.
    number: u64,
    /// Chunk by chunk: values of it were picked.
    asked_for: Vec<AtomicBool>,
}

/// What is kept of a chunk beside its column.
#[derive(Clone, Copy, Debug)]
enum Beside {
    WorkedOut,
    Picks,
}

impl Drop for BlockReader {
    fn drop(&mut self) {
        self.cache.forget(self.number);
    }
}

impl BlockReader {
    /// Opens a block and reads its footer.
    pub fn open(fs: &dyn Fs, path: &Path, cache: Arc<BlockCache>) -> Result<BlockReader, BlockError> {
        let io = |source| BlockError::Io { action: "read", path: path.into(), source };
        let damaged =
            |reason: DamagedChunk| BlockError::Damaged { path: path.into(), reason: reason.to_string() };
        let file = fs.open_read(path).map_err(io)?;
        let bytes = file.len().map_err(io)?;
        let too_short = DamagedChunk("the file is too short for a block");
        let mut magic = [0; MAGIC.len()];
        let mut trailer = [0; TRAILER_BYTES];
        let trailer_start = bytes.checked_sub(TRAILER_BYTES as u64).ok_or(too_short).map_err(damaged)?;
        file.read_exact_at(&mut magic, 0).map_err(io)?;
        file.read_exact_at(&mut trailer, trailer_start).map_err(io)?;
        if magic != *MAGIC {
            return Err(damaged(DamagedChunk("the file does not begin like a block")));
        }
        let trailer = Trailer::decode(&trailer).map_err(damaged)?;
        if trailer.version != FORMAT_VERSION {
            let (found, expected) = (trailer.version, FORMAT_VERSION);
            return Err(BlockError::Version { path: path.into(), found, expected });
        }
        let footer_start = trailer_start.checked_sub(u64::from(trailer.footer_bytes));
        let footer_start = footer_start.ok_or(too_short).map_err(damaged)?;
        let mut footer = vec![0; trailer.footer_bytes as usize];
        file.read_exact_at(&mut footer, footer_start).map_err(io)?;
        let footer = Footer::decode(&footer, trailer.footer_crc, footer_start).map_err(damaged)?;
        let services = footer.services.iter().map(|run| run.service.clone()).collect();
        let number = block_number();
        let asked_for = footer.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(BlockReader { path: path.into(), file, bytes, footer, services, cache, number, asked_for })
    }

    pub fn id(&self) -> BlockId {
        self.footer.id
    }

    pub fn seal_index(&self) -> u64 {
        self.footer.id.seal_index
    }

    /// The services with their rows and time ranges, by name.
    pub fn service_runs(&self) -> &[ServiceRun] {
        &self.footer.services
    }

    /// What [`super::write_block`] returned when this block was written.
    pub fn meta(&self) -> BlockMeta {
        BlockMeta {
            partition: self.footer.partition,
            id: self.footer.id,
            file_name: file_name(self.footer.partition, self.footer.id),
            bytes: self.bytes,
            raw_bytes: self.footer.raw_bytes,
            rows: u64::from(self.footer.rows),
            offset_range: self.footer.offset_range,
            time_range: self.footer.time_range,
            content_checksum: self.footer.content_checksum,
        }
    }

    /// What each column and section takes on disk, in file order.
    pub fn chunk_bytes(&self) -> impl Iterator<Item = (String, u64)> {
        self.footer.chunks.iter().map(|chunk| (format!("{:?}", chunk.name), u64::from(chunk.bytes)))
    }

    /// Bytes of the footer and the trailer.
    pub fn footer_bytes(&self) -> u64 {
        let chunks_end = self.footer.chunks.last().map_or(0, |chunk| chunk.offset + u64::from(chunk.bytes));
        self.bytes - chunks_end
    }

    /// The changes of the minute aggregates.
    pub fn minutes(&self) -> Result<BTreeMap<MinuteKey, MinuteAggregate>, ColumnError> {
        let (counts, latencies) = (self.minute_counts()?, self.minute_latencies()?);
        minutes::to_map(&counts, &latencies).map_err(|reason| self.unreadable(reason))
    }

    /// Reads no column.
    pub fn has_dead_letters(&self) -> bool {
        self.footer.chunks.iter().any(|chunk| chunk.name == ChunkName::DeadLetters && chunk.values > 0)
    }

    /// Dead letters by their number.
    pub fn dead_letters(&self) -> Result<BTreeMap<u64, DeadLetter>, ColumnError> {
        let letters: Vec<(u64, DeadLetter)> = self.section(ChunkName::DeadLetters)?;
        Ok(letters.into_iter().collect())
    }

    /// Numbers of dead letters that were resolved, ascending.
    pub fn resolved_dead_letters(&self) -> Result<Vec<u64>, ColumnError> {
        self.section(ChunkName::ResolvedDeadLetters)
    }

    /// Reads no column.
    pub fn may_have_notes(&self, from: i64, to: i64) -> bool {
        let of_notes = self.footer.chunks.iter().find(|chunk| chunk.name == ChunkName::Notes);
        match of_notes.and_then(|chunk| chunk.range) {
            Some(ValueRange::Int(first, last)) => first <= to && from <= last,
            _ => false,
        }
    }

    /// Ascending.
    pub fn notes(&self) -> Result<Vec<Note>, ColumnError> {
        self.section(ChunkName::Notes)
    }

    pub(super) fn minute_counts(&self) -> Result<Arc<MinuteCounts>, ColumnError> {
        self.cached(self.position(&ChunkName::Minutes)?, |cursor, chunk| {
            let counts = minutes::decode_counts(cursor, chunk.values as usize)?;
            let bytes = counts.bytes_held();
            Ok((Arc::new(counts), bytes))
        })
    }

    pub(super) fn minute_latencies(&self) -> Result<Arc<MinuteLatencies>, ColumnError> {
        self.cached(self.position(&ChunkName::MinuteLatencies)?, |cursor, chunk| {
            let latencies = minutes::decode_latencies(cursor, chunk.values as usize)?;
            let bytes = latencies.bytes_held();
            Ok((Arc::new(latencies), bytes))
        })
    }

    /// Reads everything and compares it with the content checksum.
    pub fn verify(&self) -> Result<(), ColumnError> {
        let rows = self.sorted_rows()?;
        let (minutes, dead_letters) = (self.minutes()?, self.dead_letters()?);
        let resolved = self.resolved_dead_letters()?;
        let notes = self.notes()?;
        let sections = Sections {
            minutes: &minutes,
            dead_letters: &dead_letters,
            resolved_dead_letters: &resolved,
            notes: &notes,
        };
        let found = content_checksum(&rows, sections).map_err(|error| self.unreadable(error))?;
        self.token_filter()?;
        if found == self.footer.content_checksum {
            Ok(())
        } else {
            Err(self.unreadable("its content does not match its checksum"))
        }
    }

    pub(super) fn sorted_rows(&self) -> Result<SortedRows, ColumnError> {
        Ok(SortedRows {
            services: self.footer.services.clone(),
            timestamp: self.timestamp()?.to_vec(),
            level: self.level()?.to_vec(),
            message: self.message()?.to_column()?,
            latency_ms: self.latency_ms()?.to_vec(),
            offset: self.offset()?.to_vec(),
            created_at: self.created_at()?.to_vec(),
            anomaly_score: self.anomaly_score()?.to_vec(),
            anomalies: self.anomalies()?.to_vec(),
            fields: self.field_columns()?.iter().map(|(name, column)| column.to_column(name)).collect(),
        })
    }

    /// Brings into the cache what decides whether rows of it are looked at; what cannot be read stays out.
    pub(crate) fn warm(&self) {
        self.token_filter().ok();
        self.message().ok();
    }

    pub(super) fn token_filter(&self) -> Result<Arc<TokenFilter>, ColumnError> {
        self.cached(self.position(&ChunkName::TokenFilter)?, |cursor, chunk| {
            let filter = TokenFilter::from_bytes(cursor.take(chunk.bytes as usize)?);
            let filter = filter.ok_or(DamagedChunk("the token filter has another length"))?;
            let bytes = filter.bytes_held();
            Ok((Arc::new(filter), bytes))
        })
    }

    /// The decoded column of a chunk: from the cache, or read, checked, decoded and then cached. `decode` also says how
    /// many bytes the column holds in memory.
    pub(super) fn cached<T: Clone + Send + Sync + 'static>(
        &self,
        at: usize,
        decode: impl FnOnce(&mut Cursor<'_>, &ChunkEntry) -> Decoded<(T, usize)>,
    ) -> Result<T, ColumnError> {
        self.cached_as((self.number, at), at, decode)
    }

    /// The same for a part of a chunk: a slot of the variables of messages, by its number among all slots.
    pub(super) fn cached_slot<T: Clone + Send + Sync + 'static>(
        &self,
        slot: usize,
        at: usize,
        decode: impl FnOnce(&mut Cursor<'_>, &ChunkEntry) -> Decoded<(T, usize)>,
    ) -> Result<T, ColumnError> {
        self.cached_as((self.number, self.footer.chunks.len() + slot), at, decode)
    }

    fn cached_as<T: Clone + Send + Sync + 'static>(
        &self,
        key: (u64, usize),
        at: usize,
        decode: impl FnOnce(&mut Cursor<'_>, &ChunkEntry) -> Decoded<(T, usize)>,
    ) -> Result<T, ColumnError> {
        if let Some(column) = self.cache.get::<T>(key) {
            return Ok(column);
        }
        let (column, bytes) = self.decoded(at, decode)?;
        self.cache.put(key, column.clone(), bytes);
        Ok(column)
    }

    /// What was made of a chunk, if it is still kept.
    pub(super) fn recall(&self, at: usize) -> Option<WorkedOut> {
        self.cache.get(self.key_beside(at, Beside::WorkedOut))
    }

    /// Keeps what was made of a chunk beside its column.
    pub(super) fn keep(&self, at: usize, made: WorkedOut, bytes: usize) {
        self.cache.put(self.key_beside(at, Beside::WorkedOut), made, bytes);
    }

    /// What was picked from a chunk, newest first.
    pub(super) fn kept_picks(&self, at: usize) -> Arc<[Arc<Pick>]> {
        self.cache.get(self.key_beside(at, Beside::Picks)).unwrap_or_default()
    }

    pub(super) fn keep_picks(&self, at: usize, picks: Arc<[Arc<Pick>]>) {
        let bytes = picks.iter().map(|pick| pick.bytes_held()).sum();
        self.cache.put(self.key_beside(at, Beside::Picks), picks, bytes);
    }

    /// From the other end than chunks and slots.
    fn key_beside(&self, at: usize, what: Beside) -> (u64, usize) {
        (self.number, usize::MAX - at * 2 - what as usize)
    }

    /// True while the decoded column of a chunk is in memory.
    pub(super) fn holds(&self, at: usize) -> bool {
        self.cache.holds((self.number, at))
    }

    /// Says that chunks will be read soon, those that lie side by side together. What is in memory is left out.
    pub(super) fn announce_chunks(&self, is_wanted: impl Fn(&ChunkName) -> bool) {
        let chunks = self.footer.chunks.iter().enumerate();
        let wanted = chunks.filter(|(at, chunk)| is_wanted(&chunk.name) && !self.holds(*at));
        let mut open: Option<(u64, u64)> = None;
        for (_, chunk) in wanted {
            let end = chunk.offset + u64::from(chunk.bytes);
            open = match open {
                Some((start, before)) if before == chunk.offset => Some((start, end)),
                before => {
                    before.iter().for_each(|(start, end)| self.file.will_read(*start, end - start));
                    Some((chunk.offset, end))
                }
            };
        }
        open.iter().for_each(|(start, end)| self.file.will_read(*start, end - start));
    }

    fn section<T: DeserializeOwned>(&self, name: ChunkName) -> Result<T, ColumnError> {
        let at = self.position(&name)?;
        let bytes = self.decoded(at, |cursor, _| decode_opaque(cursor))?;
        codec::decode(SECTION_VERSION, &bytes).map_err(|error| self.unreadable(format!("{name:?}: {error}")))
    }

    /// True for a column that is in memory, or that was asked for before: it may be asked for again.
    pub(super) fn is_worth_keeping(&self, at: usize) -> bool {
        self.holds(at)
            || self.asked_for.get(at).is_none_or(|asked_for| asked_for.swap(true, Ordering::Relaxed))
    }

    pub(super) fn position(&self, name: &ChunkName) -> Result<usize, ColumnError> {
        self.footer.position(name).map_err(|reason| self.unreadable(format!("{name:?}: {reason}")))
    }

    pub(super) fn decoded<T>(
        &self,
        at: usize,
        decode: impl FnOnce(&mut Cursor<'_>, &ChunkEntry) -> Decoded<T>,
    ) -> Result<T, ColumnError> {
        let chunk = self.footer.chunks.get(at).ok_or_else(|| self.unreadable("it has too few chunks"))?;
        let failed = |reason: &dyn std::fmt::Display| self.unreadable(format!("{:?}: {reason}", chunk.name));
        let mut buffer = ChunkBuffer::take();
        let bytes = match buffer.holds(self.number, at) {
            true => buffer.content(chunk.bytes),
            false => {
                let bytes = buffer.for_chunk(chunk.bytes);
                self.file.read_exact_at(bytes, chunk.offset).map_err(|error| failed(&error))?;
                if crc32c::crc32c(bytes) != chunk.crc {
                    return Err(failed(&"the CRC is wrong"));
                }
                &*bytes
            }
        };
        let mut cursor = Cursor::new(bytes);
        let value = decode(&mut cursor, chunk).map_err(|error| failed(&error))?;
        cursor.expect_end().map_err(|error| failed(&error))?;
        buffer.keep(self.number, at);
        Ok(value)
    }

    pub(super) fn unreadable(&self, reason: impl std::fmt::Display) -> ColumnError {
        ColumnError::Unreadable { block: self.path.display().to_string(), reason: reason.to_string() }
    }
}
