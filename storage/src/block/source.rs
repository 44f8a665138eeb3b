//! A block as a source of columns.

use std::sync::Arc;

use insighthub_model::batch::FieldKind;
use insighthub_model::{Level, PartitionId, Record};

use super::BlockReader;
use super::encoding::{
    Cursor, DamagedChunk, Decoded, decode_floats, decode_integers, decode_rows, decode_texts,
};
use super::layout::{ChunkEntry, ChunkName};
use super::templates::{HeldMessages, decode_messages};
use super::{picks, records};
use crate::column_source::{
    Column, ColumnError, ColumnName, ColumnSource, FieldView, Messages, MinuteCounts, MinuteLatencies,
    PickedField, ServiceRun, Statistics, TemplatedMessages, Values, WorkedOut,
};

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

impl ColumnSource for BlockReader {
    fn hidden(&self) -> Result<Vec<u32>, ColumnError> {
        Ok(Vec::new())
    }

    fn partition(&self) -> PartitionId {
        self.footer.partition
    }

    fn rows(&self) -> usize {
        self.footer.rows as usize
    }

    fn time_range(&self) -> (i64, i64) {
        self.footer.time_range
    }

    fn offset_range(&self) -> (u64, u64) {
        self.footer.offset_range
    }

    fn services(&self) -> &[String] {
        &self.services
    }

    fn service_runs(&self) -> Option<&[ServiceRun]> {
        Some(&self.footer.services)
    }

    fn level_mask(&self) -> u8 {
        self.footer.level_mask
    }

    fn may_hold_token(&self, token: &str) -> bool {
        // An unreadable filter proves nothing; the columns will say what is wrong.
        self.token_filter().map_or(true, |filter| filter.may_hold_token(token))
    }

    fn field_names(&self) -> Vec<&str> {
        self.footer.all_fields().map(|(_, name, _)| name).collect()
    }

    fn may_hold_field(&self, name: &str) -> bool {
        self.footer.fields(name).next().is_some()
    }

    fn may_hold_value(&self, name: &str, value: &str) -> bool {
        let mut kinds = self.footer.fields(name).map(|(_, kind)| kind).peekable();
        // Only texts are in the filter.
        kinds.peek().is_some()
            && (kinds.any(|kind| kind != FieldKind::Text)
                || self.token_filter().map_or(true, |filter| filter.may_hold_value(name, value)))
    }

    fn statistics(&self, column: ColumnName<'_>) -> Option<Vec<Statistics>> {
        let of = |chunk: &ChunkEntry, kind| {
            let ChunkEntry { values, distinct, range, .. } = *chunk;
            Statistics { kind, values, distinct, range }
        };
        let fixed = |name: &ChunkName| {
            self.footer
                .chunks
                .iter()
                .filter(|chunk| chunk.name == *name)
                .map(|chunk| of(chunk, FieldKind::Float))
                .collect()
        };
        Some(match column {
            ColumnName::LatencyMs => fixed(&ChunkName::Latency),
            ColumnName::AnomalyScore => fixed(&ChunkName::AnomalyScore),
            ColumnName::Field(name) => {
                let chunks = self.footer.fields(name);
                chunks.filter_map(|(at, kind)| Some(of(self.footer.chunks.get(at)?, kind))).collect()
            }
            _ => return None,
        })
    }

    fn announce(&self, column: ColumnName<'_>) {
        // Of a record's message one group of variables is read.
        let passes = |name: &ChunkName| {
            column == ColumnName::Records && matches!(name, ChunkName::MessageVariables(_))
        };
        self.announce_chunks(|name| is_of(column, name) && !passes(name));
    }

    fn announce_words(&self) {
        self.announce_chunks(|name| *name == ChunkName::TokenFilter);
    }

    fn remembered(
        &self,
        column: ColumnName<'_>,
        is_of_use: &dyn Fn(&WorkedOut) -> bool,
    ) -> Option<WorkedOut> {
        self.recall(self.first_chunk_of(column)?).filter(is_of_use)
    }

    fn remember(&self, column: ColumnName<'_>, worked_out: WorkedOut, bytes: usize) {
        if let Some(at) = self.first_chunk_of(column) {
            self.keep(at, worked_out, bytes);
        }
    }

    fn stored_bytes(&self, column: ColumnName<'_>) -> u64 {
        let chunks = self.footer.chunks.iter().filter(|chunk| is_of(column, &chunk.name));
        chunks.map(|chunk| u64::from(chunk.bytes)).sum()
    }

    fn minute_counts(&self) -> Result<Option<Arc<MinuteCounts>>, ColumnError> {
        BlockReader::minute_counts(self).map(Some)
    }

    fn minute_latencies(&self) -> Result<Option<Arc<MinuteLatencies>>, ColumnError> {
        BlockReader::minute_latencies(self).map(Some)
    }

    fn service(&self) -> Read<'_, [u16]> {
        let mut services = Vec::with_capacity(self.rows());
        for (number, run) in self.footer.services.iter().enumerate() {
            services.resize(run.end_row as usize, number as u16);
        }
        Ok(Column::Shared(services.into()))
    }

    fn timestamp(&self) -> Read<'_, [i64]> {
        self.numbers(&ChunkName::Timestamp, Ok)
    }

    fn level(&self) -> Read<'_, [u8]> {
        self.numbers(&ChunkName::Level, |number| {
            let level = u8::try_from(number).ok().filter(|level| Level::from_number(*level).is_some());
            level.ok_or(DamagedChunk("a level is out of range"))
        })
    }

    fn message(&self) -> Result<Messages<'_>, ColumnError> {
        let rows = self.rows();
        let held = self.cached(self.position(&ChunkName::Message)?, |cursor, _| {
            let held = decode_messages(cursor, rows)?;
            let bytes = held.bytes_held();
            Ok((held, bytes))
        })?;
        Ok(match held {
            HeldMessages::Plain(texts) => Messages::Plain(Column::Shared(texts)),
            HeldMessages::Templated(templates, codes) => {
                Messages::Templated(TemplatedMessages { templates, codes, variables: self })
            }
        })
    }

    fn latency_ms(&self) -> Read<'_, [f64]> {
        self.sparse(&ChunkName::Latency, f64::NAN, decode_floats)
    }

    fn offset(&self) -> Read<'_, [u64]> {
        self.numbers(&ChunkName::Offset, |number| Ok(number as u64))
    }

    fn anomaly_score(&self) -> Read<'_, [f32]> {
        self.sparse(&ChunkName::AnomalyScore, f32::NAN, decode_floats)
    }

    fn anomalies(&self) -> Read<'_, [(u32, String)]> {
        let total = self.rows();
        let anomalies: Arc<[(u32, String)]> =
            self.cached(self.position(&ChunkName::Anomalies)?, |cursor, chunk| {
                let count = chunk.values as usize;
                let rows = decode_rows(cursor, count, total)?;
                let reasons = decode_texts(cursor, count)?.to_column();
                let bytes = reasons.bytes_held() + count * size_of::<(u32, String)>();
                Ok((
                    rows.iter().map(|row| row as u32).zip(reasons.iter().map(str::to_owned)).collect(),
                    bytes,
                ))
            })?;
        Ok(Column::Shared(anomalies))
    }

    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        // Shared columns live as long as anybody holds them, whatever the block does.
        self.footer.fields(name).map(|(at, kind)| self.field_column(at, kind)).collect()
    }

    fn field_once(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        let column = |(at, kind): (usize, FieldKind)| match self.holds(at) {
            true => self.field_column(at, kind),
            false => self.decoded(at, |cursor, chunk| decode_field(cursor, chunk, kind, self.rows())),
        };
        self.footer.fields(name).map(column).collect()
    }

    fn picked_fields(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        rows: &[usize],
    ) -> Result<Option<Vec<PickedField<'_>>>, ColumnError> {
        picks::picked_fields(self, wanted, rows)
    }

    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        records::records(self, rows)
    }
}

/// True for the chunks that a column is made of.
fn is_of(column: ColumnName<'_>, name: &ChunkName) -> bool {
    match (column, name) {
        (ColumnName::Timestamp, ChunkName::Timestamp)
        | (ColumnName::Level, ChunkName::Level)
        | (ColumnName::Message, ChunkName::Message)
        | (ColumnName::MessageVariables, ChunkName::MessageVariables(_))
        | (ColumnName::LatencyMs, ChunkName::Latency)
        | (ColumnName::Offset, ChunkName::Offset)
        | (ColumnName::AnomalyScore, ChunkName::AnomalyScore)
        | (ColumnName::Anomalies, ChunkName::Anomalies)
        | (ColumnName::MinuteCounts, ChunkName::Minutes)
        | (ColumnName::MinuteLatencies, ChunkName::MinuteLatencies) => true,
        (ColumnName::Field(wanted), ChunkName::Field(name, _)) => wanted == name,
        (ColumnName::Records, name) => name.is_of_records(),
        _ => false,
    }
}

impl BlockReader {
    fn first_chunk_of(&self, column: ColumnName<'_>) -> Option<usize> {
        self.footer.chunks.iter().position(|chunk| is_of(column, &chunk.name))
    }

    /// When the leader took each row in, nanoseconds since 1970.
    pub fn created_at(&self) -> Read<'_, [i64]> {
        let offsets = self.offset()?;
        let moments: Arc<[i64]> = self.cached(self.position(&ChunkName::CreatedAt)?, |cursor, _| {
            let moments = decode_created_at(cursor, &offsets)?;
            let bytes = size_of_val(moments.as_slice());
            Ok((moments.into(), bytes))
        })?;
        Ok(Column::Shared(moments))
    }

    fn numbers<T: Send + Sync + 'static>(
        &self,
        name: &ChunkName,
        convert: impl Fn(i64) -> Decoded<T>,
    ) -> Read<'_, [T]> {
        let rows = self.rows();
        let values: Arc<[T]> = self.cached(self.position(name)?, |cursor, _| {
            let integers = decode_integers(cursor, rows)?;
            let mut values = Vec::with_capacity(integers.len());
            for integer in integers {
                values.push(convert(integer)?);
            }
            let values: Arc<[T]> = values.into();
            let bytes = size_of_val(&*values);
            Ok((values, bytes))
        })?;
        Ok(Column::Shared(values))
    }

    /// A column stored only where it has a value, with `absent` elsewhere.
    fn sparse<T: Copy + Send + Sync + 'static>(
        &self,
        name: &ChunkName,
        absent: T,
        decode: impl FnOnce(&mut Cursor<'_>, usize) -> Decoded<Vec<T>>,
    ) -> Read<'_, [T]> {
        let total = self.rows();
        let values: Arc<[T]> = self.cached(self.position(name)?, |cursor, chunk| {
            let rows = decode_rows(cursor, chunk.values as usize, total)?;
            let present = decode(cursor, chunk.values as usize)?;
            let mut values = vec![absent; total];
            for (row, value) in rows.iter().zip(present) {
                if let Some(place) = values.get_mut(row) {
                    *place = value;
                }
            }
            Ok((values.into(), total * size_of::<T>()))
        })?;
        Ok(Column::Shared(values))
    }

    /// All fields with their names, by name and type.
    pub(super) fn field_columns(&self) -> Result<Vec<(&str, FieldView<'static>)>, ColumnError> {
        let fields = self.footer.all_fields();
        fields.map(|(at, name, kind)| Ok((name, self.field_column(at, kind)?))).collect()
    }

    pub(super) fn field_column(&self, at: usize, kind: FieldKind) -> Result<FieldView<'static>, ColumnError> {
        let total = self.rows();
        self.cached(at, |cursor, chunk| {
            let view = decode_field(cursor, chunk, kind, total)?;
            let bytes = view.bytes_held();
            Ok((view, bytes))
        })
    }
}

fn decode_field(
    cursor: &mut Cursor<'_>,
    chunk: &ChunkEntry,
    kind: FieldKind,
    total: usize,
) -> Decoded<FieldView<'static>> {
    let rows = decode_rows(cursor, chunk.values as usize, total)?;
    Ok(FieldView { rows, values: decode_values(cursor, chunk, kind)? })
}

fn decode_values(cursor: &mut Cursor<'_>, chunk: &ChunkEntry, kind: FieldKind) -> Decoded<Values<'static>> {
    let count = chunk.values as usize;
    Ok(match kind {
        FieldKind::Bool => {
            let values = decode_integers(cursor, count)?;
            Values::Bool(Column::Shared(values.into_iter().map(|value| value != 0).collect()))
        }
        FieldKind::Int => Values::Int(Column::Shared(decode_integers(cursor, count)?.into())),
        FieldKind::Float => Values::Float(Column::Shared(decode_floats(cursor, count)?.into())),
        FieldKind::Text => Values::Text(decode_texts(cursor, count)?),
        FieldKind::Json => Values::Json(decode_texts(cursor, count)?),
    })
}

/// Runs of equal moments in offset order, put back into row order.
fn decode_created_at(cursor: &mut Cursor<'_>, offsets: &[u64]) -> Decoded<Vec<i64>> {
    const DAMAGED: DamagedChunk = DamagedChunk("the moments do not fit the rows");
    let runs = cursor.length()?;
    if runs > offsets.len() {
        return Err(DAMAGED);
    }
    let lengths = decode_integers(cursor, runs)?;
    let moments = decode_integers(cursor, runs)?;
    let mut rows = in_offset_order(offsets).into_iter();
    let mut created_at = vec![0; offsets.len()];
    for (length, moment) in lengths.into_iter().zip(moments) {
        for _ in 0..length {
            let row = rows.next().ok_or(DAMAGED)?;
            *created_at.get_mut(row as usize).ok_or(DAMAGED)? = moment;
        }
    }
    if rows.next().is_none() { Ok(created_at) } else { Err(DAMAGED) }
}

/// The rows in the order of their offsets.
fn in_offset_order(offsets: &[u64]) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let lowest = offsets.iter().copied().min().unwrap_or(0);
    let mut rows = vec![NONE; offsets.len()];
    for (row, offset) in (0u32..).zip(offsets) {
        if let Some(place) = usize::try_from(offset - lowest).ok().and_then(|place| rows.get_mut(place)) {
            *place = row;
        }
    }
    // Offsets of a block follow one another, so each has its place; where they do not, sorting tells.
    if rows.contains(&NONE) {
        rows = (0..offsets.len() as u32).collect();
        rows.sort_by_key(|row| offsets.get(*row as usize));
    }
    rows
}
