//! The records of some rows of a block. What is in memory is taken from there; of a column that is not, the values of
//! these rows are picked, and only when it is asked for again it is decoded whole and kept.

use insighthub_model::batch::FieldKind;
use insighthub_model::record::FieldValue;
use insighthub_model::{Level, LogId, Record, Timestamp};

use super::BlockReader;
use super::encoding::{
    Cursor, DamagedChunk, Decoded, decode_integers, decode_rows, pick_floats, pick_integers, pick_texts,
};
use super::layout::{ChunkEntry, ChunkName};
use crate::column_source::{Column, ColumnError, ColumnSource, Rows};

/// Above this share of a block's rows (one in so many) whole columns are cheaper.
const FEW_ROWS_SHARE: usize = 64;

/// A field's name, and its value in each of the wanted rows; a field of several types comes several times.
type Field<'a> = (&'a str, Vec<Option<FieldValue>>);

/// The values of the wanted rows, each as long as there are rows wanted.
struct Picked<'a> {
    timestamp: Vec<i64>,
    level: Vec<u8>,
    latency_ms: Vec<f64>,
    offset: Vec<u64>,
    created_at: Vec<i64>,
    anomaly_score: Vec<f32>,
    anomalies: Column<'a, [(u32, String)]>,
    fields: Vec<Field<'a>>,
    message: Vec<String>,
}

/// The records of these rows, in the order asked for.
pub(super) fn records(block: &BlockReader, wanted: &[u32]) -> Result<Vec<Record>, ColumnError> {
    let mut rows: Vec<usize> = wanted.iter().map(|row| *row as usize).collect();
    rows.sort_unstable();
    rows.dedup();
    if let Some(row) = rows.iter().find(|row| **row >= block.rows()) {
        return Err(block.unreadable(format!("it has no row {row}")));
    }
    let picked = Picked::read(block, &rows)?;
    let record = |row: &u32| {
        let at = rows.binary_search(&(*row as usize)).ok();
        let record = at.and_then(|at| picked.record(block, *row as usize, at));
        record.ok_or_else(|| block.unreadable(format!("it has no row {row}")))
    };
    wanted.iter().map(record).collect()
}

impl<'a> Picked<'a> {
    fn read(block: &'a BlockReader, rows: &[usize]) -> Result<Self, ColumnError> {
        let few = Few { block, rows };
        let offset = few.of(
            &ChunkName::Offset,
            || Ok(taken(&block.offset()?, rows)),
            |cursor, chunk| {
                let offsets = pick_integers(cursor, chunk.values as usize, rows)?;
                Ok(offsets.into_iter().map(|offset| offset as u64).collect())
            },
        )?;
        let mut message = Vec::with_capacity(rows.len());
        block.message()?.for_each(rows.iter().copied(), |_, text| message.push(text.to_owned()))?;
        Ok(Picked {
            timestamp: few.of(
                &ChunkName::Timestamp,
                || Ok(taken(&block.timestamp()?, rows)),
                |cursor, chunk| pick_integers(cursor, chunk.values as usize, rows),
            )?,
            level: few.of(
                &ChunkName::Level,
                || Ok(taken(&block.level()?, rows)),
                |cursor, chunk| {
                    let levels = pick_integers(cursor, chunk.values as usize, rows)?;
                    let level =
                        |level: i64| u8::try_from(level).map_err(|_| DamagedChunk("a level is out of range"));
                    levels.into_iter().map(level).collect()
                },
            )?,
            latency_ms: few.of(
                &ChunkName::Latency,
                || Ok(taken(&block.latency_ms()?, rows)),
                |cursor, chunk| few.sparse(cursor, chunk, f64::NAN, pick_floats),
            )?,
            anomaly_score: few.of(
                &ChunkName::AnomalyScore,
                || Ok(taken(&block.anomaly_score()?, rows)),
                |cursor, chunk| few.sparse(cursor, chunk, f32::NAN, pick_floats),
            )?,
            created_at: few.created_at(&offset)?,
            anomalies: block.anomalies()?,
            fields: few.fields()?,
            offset,
            message,
        })
    }

    /// The record of a row, whose values are at this place.
    fn record(&self, block: &BlockReader, row: usize, at: usize) -> Option<Record> {
        let runs = &block.footer.services;
        let run = runs.get(runs.partition_point(|run| run.end_row as usize <= row))?;
        let anomaly = self.anomalies.binary_search_by_key(&row, |(row, _)| *row as usize);
        let reason = anomaly.ok().and_then(|at| self.anomalies.get(at)).map(|(_, reason)| reason.clone());
        let field = |(name, values): &Field<'_>| Some(((*name).to_owned(), values.get(at)?.clone()?));
        Some(Record {
            log_id: LogId { partition: block.footer.partition, offset: *self.offset.get(at)? },
            timestamp: Timestamp(*self.timestamp.get(at)?),
            service: run.service.clone(),
            level: Level::from_number(*self.level.get(at)?)?,
            message: self.message.get(at)?.clone(),
            latency_ms: self.latency_ms.get(at).copied().filter(|latency_ms| !latency_ms.is_nan()),
            anomaly_score: self.anomaly_score.get(at).copied().filter(|score| !score.is_nan()),
            is_anomaly: reason.is_some(),
            anomaly_reason: reason,
            created_at: Timestamp(*self.created_at.get(at)?),
            fields: self.fields.iter().filter_map(field).collect(),
        })
    }
}

/// A few rows of a block, ascending.
#[derive(Clone, Copy)]
struct Few<'a, 'r> {
    block: &'a BlockReader,
    rows: &'r [usize],
}

impl<'a> Few<'a, '_> {
    /// The values of a column, from the whole of it or picked.
    fn of<T>(
        self,
        name: &ChunkName,
        whole: impl FnOnce() -> Result<Vec<T>, ColumnError>,
        pick: impl FnOnce(&mut Cursor<'_>, &ChunkEntry) -> Decoded<Vec<T>>,
    ) -> Result<Vec<T>, ColumnError> {
        let at = self.block.position(name)?;
        if self.wants_whole(at) { whole() } else { self.block.decoded(at, pick) }
    }

    fn wants_whole(self, at: usize) -> bool {
        self.rows.len() * FEW_ROWS_SHARE > self.block.rows() || self.block.is_worth_keeping(at)
    }

    /// Of a column that is stored only where it has a value.
    fn sparse<T: Copy>(
        self,
        cursor: &mut Cursor<'_>,
        chunk: &ChunkEntry,
        absent: T,
        pick: impl FnOnce(&mut Cursor<'_>, usize, &[usize]) -> Decoded<Vec<T>>,
    ) -> Decoded<Vec<T>> {
        let count = chunk.values as usize;
        let has = decode_rows(cursor, count, self.block.rows())?;
        let (at, places) = self.places(&has);
        let mut values = vec![absent; self.rows.len()];
        for (at, value) in at.into_iter().zip(pick(cursor, count, &places)?) {
            values.get_mut(at).into_iter().for_each(|place| *place = value);
        }
        Ok(values)
    }

    /// Which of the rows have a value, and where it is.
    fn places(self, has: &Rows<'_>) -> (Vec<usize>, Vec<usize>) {
        let row = |(at, row): (usize, &usize)| Some((at, has.position(*row)?));
        self.rows.iter().enumerate().filter_map(row).unzip()
    }

    /// Moments are kept in the order of offsets, which follow one another in most blocks: then an offset says where its
    /// moment is.
    fn created_at(self, offsets: &[u64]) -> Result<Vec<i64>, ColumnError> {
        let (first, end) = self.block.footer.offset_range;
        let total = self.block.rows();
        let follow = end.checked_sub(first) == Some(total as u64);
        let at = self.block.position(&ChunkName::CreatedAt)?;
        if !follow || self.wants_whole(at) {
            return Ok(taken(&self.block.created_at()?, self.rows));
        }
        self.block.decoded(at, |cursor, _| {
            let runs = cursor.length()?;
            if runs > total {
                return Err(DamagedChunk("the moments do not fit the rows"));
            }
            let lengths = decode_integers(cursor, runs)?;
            let moments = decode_integers(cursor, runs)?;
            let ends: Vec<u64> = lengths
                .into_iter()
                .scan(0u64, |end, length| {
                    *end = end.saturating_add_signed(length);
                    Some(*end)
                })
                .collect();
            let moment = |offset: &u64| {
                let run = ends.partition_point(|end| *end <= offset.saturating_sub(first));
                moments.get(run).copied().ok_or(DamagedChunk("the moments do not fit the rows"))
            };
            offsets.iter().map(moment).collect()
        })
    }

    fn fields(self) -> Result<Vec<Field<'a>>, ColumnError> {
        let fields = self.block.footer.all_fields();
        fields.map(|(at, name, kind)| Ok((name, self.field(at, kind)?))).collect()
    }

    fn field(self, at: usize, kind: FieldKind) -> Result<Vec<Option<FieldValue>>, ColumnError> {
        if self.wants_whole(at) {
            let view = self.block.field_column(at, kind)?;
            return Ok(self.rows.iter().map(|row| view.value(*row)).collect());
        }
        self.block.decoded(at, |cursor, chunk| {
            let count = chunk.values as usize;
            let has = decode_rows(cursor, count, self.block.rows())?;
            let (at, places) = self.places(&has);
            let mut values = vec![None; self.rows.len()];
            for (at, value) in at.into_iter().zip(pick_values(cursor, count, &places, kind)?) {
                values.get_mut(at).into_iter().for_each(|place| *place = Some(value.clone()));
            }
            Ok(values)
        })
    }
}

fn pick_values(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
    kind: FieldKind,
) -> Decoded<Vec<FieldValue>> {
    Ok(match kind {
        FieldKind::Bool => pick_integers(cursor, count, places)?
            .into_iter()
            .map(|value| FieldValue::Bool(value != 0))
            .collect(),
        FieldKind::Int => pick_integers(cursor, count, places)?.into_iter().map(FieldValue::Int).collect(),
        FieldKind::Float => pick_floats(cursor, count, places)?.into_iter().map(FieldValue::Float).collect(),
        FieldKind::Text => {
            pick_texts(cursor, count, places)?.iter().map(|text| FieldValue::Text(text.to_owned())).collect()
        }
        FieldKind::Json => {
            pick_texts(cursor, count, places)?.iter().map(|text| FieldValue::Json(text.to_owned())).collect()
        }
    })
}

fn taken<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|row| values.get(*row)).copied().collect()
}
