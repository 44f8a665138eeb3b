//! The checksum of a block's content: of the decoded values, so that it stays the same when a compressor
//! changes, and differs when replicas differ.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{FieldColumn, FieldValues, TextColumn};
use insighthub_model::dead_letter::DeadLetter;
use xxhash_rust::xxh3::Xxh3;

use super::sorted::SortedRows;
use crate::codec::{self, CodecError};
use crate::note::Note;

/// Bytes gathered before they are hashed: hashing eight at a time costs more than the hash.
const BUFFER_BYTES: usize = 4096;

/// What a block holds beside records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections<'a> {
    pub(super) minutes: &'a BTreeMap<MinuteKey, MinuteAggregate>,
    pub(super) dead_letters: &'a BTreeMap<u64, DeadLetter>,
    /// Ascending, each once.
    pub(super) resolved_dead_letters: &'a [u64],
    /// Ascending.
    pub(super) notes: &'a [Note],
}

/// The checksum of all a block holds.
pub(super) fn content_checksum(rows: &SortedRows, sections: Sections<'_>) -> Result<u64, CodecError> {
    let mut hash = Hash { state: Xxh3::new(), buffer: Vec::with_capacity(BUFFER_BYTES + 8) };
    hash.number(rows.len() as u64);
    for run in &rows.services {
        hash.text(&run.service);
        hash.number(u64::from(run.end_row));
    }
    hash.numbers(rows.timestamp.iter().map(|value| *value as u64));
    hash.bytes(&rows.level);
    hash.texts(&rows.message);
    hash.numbers(rows.latency_ms.iter().map(|value| value.to_bits()));
    hash.numbers(rows.offset.iter().copied());
    hash.numbers(rows.created_at.iter().map(|value| *value as u64));
    hash.numbers(rows.anomaly_score.iter().map(|value| u64::from(value.to_bits())));
    for (row, reason) in &rows.anomalies {
        hash.number(u64::from(*row));
        hash.text(reason);
    }
    rows.fields.iter().for_each(|column| hash.field(column));
    hash.bytes(&codec::encode(1, sections.minutes)?);
    hash.bytes(&codec::encode(1, sections.dead_letters)?);
    hash.numbers(sections.resolved_dead_letters.iter().copied());
    hash.bytes(&codec::encode(1, &sections.notes)?);
    hash.flush();
    Ok(hash.state.digest())
}

struct Hash {
    state: Xxh3,
    buffer: Vec<u8>,
}

impl Hash {
    fn number(&mut self, number: u64) {
        self.buffer.extend_from_slice(&number.to_le_bytes());
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = u64>) {
        numbers.for_each(|number| self.number(number));
    }

    /// With the length first, so that what follows cannot shift into it.
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.flush();
        self.state.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn texts(&mut self, texts: &TextColumn) {
        self.numbers(texts.ends().iter().map(|end| u64::from(*end)));
        self.text(texts.arena_text());
    }

    fn field(&mut self, column: &FieldColumn) {
        self.text(&column.name);
        self.number(column.values.kind() as u64);
        self.number(column.rows.len() as u64);
        self.numbers(column.rows.iter().map(|row| u64::from(*row)));
        match &column.values {
            FieldValues::Bool(values) => self.numbers(values.iter().map(|value| u64::from(*value))),
            FieldValues::Int(values) => self.numbers(values.iter().map(|value| *value as u64)),
            FieldValues::Float(values) => self.numbers(values.iter().map(|value| value.to_bits())),
            FieldValues::Text(values) | FieldValues::Json(values) => self.texts(values),
        }
    }

    fn flush(&mut self) {
        self.state.update(&self.buffer);
        self.buffer.clear();
    }
}
