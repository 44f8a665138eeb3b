//! A block as a source of columns.

use std::sync::Arc;

use insighthub_model::batch::{FieldColumn, FieldKind, FieldValues, TextColumn};
use insighthub_model::record::FieldValue;
use insighthub_model::{Level, LogId, PartitionId, Record, Timestamp};

use super::BlockReader;
use super::encoding::{
    Cursor, DamagedChunk, Decoded, decode_floats, decode_integers, decode_rows, decode_texts,
};
use super::layout::{ChunkEntry, ChunkName};
use crate::column_source::{Column, ColumnError, ColumnSource};

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

impl ColumnSource for BlockReader {
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

    fn level_mask(&self) -> u8 {
        self.footer.level_mask
    }

    fn may_hold_token(&self, token: &str) -> bool {
        // An unreadable filter proves nothing; the columns will say what is wrong.
        self.token_filter().map_or(true, |filter| filter.may_hold_token(token))
    }

    fn may_hold_field(&self, name: &str) -> bool {
        self.footer.fields(name).next().is_some()
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

    fn message(&self) -> Read<'_, TextColumn> {
        let rows = self.rows();
        let texts = self.cached(self.position(&ChunkName::Message)?, |cursor, _| {
            let texts = decode_texts(cursor, rows)?;
            let bytes = texts.bytes_held();
            Ok((Arc::new(texts), bytes))
        })?;
        Ok(Column::Shared(texts))
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
                let reasons = decode_texts(cursor, count)?;
                let bytes = reasons.bytes_held() + count * size_of::<(u32, String)>();
                Ok((rows.into_iter().zip(reasons.iter().map(str::to_owned)).collect(), bytes))
            })?;
        Ok(Column::Shared(anomalies))
    }

    fn field(&self, name: &str) -> Result<Vec<Column<'_, FieldColumn>>, ColumnError> {
        let columns = self.footer.fields(name).map(|(at, kind)| self.field_column(at, name, kind));
        columns.map(|column| column.map(Column::Shared)).collect()
    }

    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let columns = RecordColumns::read(self)?;
        let record = |row: &u32| {
            columns.record(self, *row as usize).ok_or_else(|| self.unreadable(format!("it has no row {row}")))
        };
        rows.iter().map(record).collect()
    }
}

impl BlockReader {
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
            let values: Arc<[T]> =
                decode_integers(cursor, rows)?.into_iter().map(convert).collect::<Decoded<_>>()?;
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
                if let Some(place) = values.get_mut(*row as usize) {
                    *place = value;
                }
            }
            Ok((values.into(), total * size_of::<T>()))
        })?;
        Ok(Column::Shared(values))
    }

    /// All fields, by name and type.
    pub(super) fn field_columns(&self) -> Result<Vec<Arc<FieldColumn>>, ColumnError> {
        self.footer.all_fields().map(|(at, name, kind)| self.field_column(at, name, kind)).collect()
    }

    fn field_column(&self, at: usize, name: &str, kind: FieldKind) -> Result<Arc<FieldColumn>, ColumnError> {
        let total = self.rows();
        self.cached(at, |cursor, chunk| {
            let rows = decode_rows(cursor, chunk.values as usize, total)?;
            let values = decode_values(cursor, chunk, kind)?;
            let column = FieldColumn { name: name.to_owned(), rows, values };
            let bytes = column.bytes_held();
            Ok((Arc::new(column), bytes))
        })
    }
}

fn decode_values(cursor: &mut Cursor<'_>, chunk: &ChunkEntry, kind: FieldKind) -> Decoded<FieldValues> {
    let count = chunk.values as usize;
    Ok(match kind {
        FieldKind::Bool => {
            FieldValues::Bool(decode_integers(cursor, count)?.into_iter().map(|value| value != 0).collect())
        }
        FieldKind::Int => FieldValues::Int(decode_integers(cursor, count)?),
        FieldKind::Float => FieldValues::Float(decode_floats(cursor, count)?),
        FieldKind::Text => FieldValues::Text(decode_texts(cursor, count)?),
        FieldKind::Json => FieldValues::Json(decode_texts(cursor, count)?),
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
    let mut rows: Vec<u32> = (0..offsets.len() as u32).collect();
    rows.sort_by_key(|row| offsets.get(*row as usize));
    let mut rows = rows.into_iter();
    let mut created_at = vec![0; offsets.len()];
    for (length, moment) in lengths.into_iter().zip(moments) {
        for _ in 0..length {
            let row = rows.next().ok_or(DAMAGED)?;
            *created_at.get_mut(row as usize).ok_or(DAMAGED)? = moment;
        }
    }
    if rows.next().is_none() { Ok(created_at) } else { Err(DAMAGED) }
}

/// Everything a record is made of.
struct RecordColumns<'a> {
    service: Column<'a, [u16]>,
    timestamp: Column<'a, [i64]>,
    level: Column<'a, [u8]>,
    message: Column<'a, TextColumn>,
    latency_ms: Column<'a, [f64]>,
    offset: Column<'a, [u64]>,
    created_at: Column<'a, [i64]>,
    anomaly_score: Column<'a, [f32]>,
    anomalies: Column<'a, [(u32, String)]>,
    fields: Vec<Arc<FieldColumn>>,
}

impl<'a> RecordColumns<'a> {
    fn read(block: &'a BlockReader) -> Result<Self, ColumnError> {
        Ok(RecordColumns {
            service: block.service()?,
            timestamp: block.timestamp()?,
            level: block.level()?,
            message: block.message()?,
            latency_ms: block.latency_ms()?,
            offset: block.offset()?,
            created_at: block.created_at()?,
            anomaly_score: block.anomaly_score()?,
            anomalies: block.anomalies()?,
            fields: block.field_columns()?,
        })
    }

    fn record(&self, block: &BlockReader, row: usize) -> Option<Record> {
        let service = block.services.get(usize::from(*self.service.get(row)?))?;
        let anomaly = self.anomalies.binary_search_by_key(&row, |(row, _)| *row as usize);
        let reason = anomaly.ok().and_then(|at| self.anomalies.get(at)).map(|(_, reason)| reason.clone());
        Some(Record {
            log_id: LogId { partition: block.footer.partition, offset: *self.offset.get(row)? },
            timestamp: Timestamp(*self.timestamp.get(row)?),
            service: service.clone(),
            level: Level::from_number(*self.level.get(row)?)?,
            message: self.message.get(row).to_owned(),
            latency_ms: self.latency_ms.get(row).copied().filter(|latency_ms| !latency_ms.is_nan()),
            anomaly_score: self.anomaly_score.get(row).copied().filter(|score| !score.is_nan()),
            is_anomaly: reason.is_some(),
            anomaly_reason: reason,
            created_at: Timestamp(*self.created_at.get(row)?),
            fields: self.fields.iter().filter_map(|column| field_of(column, row)).collect(),
        })
    }
}

fn field_of(column: &FieldColumn, row: usize) -> Option<(String, FieldValue)> {
    let at = column.position(row)?;
    let value = match &column.values {
        FieldValues::Bool(values) => FieldValue::Bool(*values.get(at)?),
        FieldValues::Int(values) => FieldValue::Int(*values.get(at)?),
        FieldValues::Float(values) => FieldValue::Float(*values.get(at)?),
        FieldValues::Text(texts) => FieldValue::Text(texts.get(at).to_owned()),
        FieldValues::Json(texts) => FieldValue::Json(texts.get(at).to_owned()),
    };
    Some((column.name.clone(), value))
}
