//! The records of a frozen head in the order of a block: by service, timestamp and offset.
//!
//! The same records give the same columns however they were split into batches: services and fields are
//! ordered by name, and nothing of a batch's own numbering is left.

use std::collections::BTreeMap;

use insighthub_model::batch::{FieldColumn, FieldKind, FieldValues, TextColumn};

use super::BlockError;
use crate::column_source::ServiceRun;
use crate::sealed_head::SealedHead;
use crate::stored_batch::StoredBatch;

/// Services are numbered by `u16`.
const SERVICES_MAX: usize = 1 << 16;
/// Rows are numbered by `u32`, and a decoded column must fit in memory; far above what is sealed.
const ROWS_MAX: usize = 1 << 24;
/// Texts of a column are addressed by `u32`.
const TEXT_BYTES_MAX: usize = u32::MAX as usize / 2;

/// Columns with a value in one row of so many are gathered by place.
const DENSE_SHARE: usize = 16;

/// All columns of a block, decoded.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SortedRows {
    pub(super) services: Vec<ServiceRun>,
    pub(super) timestamp: Vec<i64>,
    pub(super) level: Vec<u8>,
    pub(super) message: TextColumn,
    pub(super) latency_ms: Vec<f64>,
    pub(super) offset: Vec<u64>,
    pub(super) created_at: Vec<i64>,
    pub(super) anomaly_score: Vec<f32>,
    pub(super) anomalies: Vec<(u32, String)>,
    /// By name and kind.
    pub(super) fields: Vec<FieldColumn>,
}

/// Where a record of the block comes from.
#[derive(Clone, Copy)]
struct Origin {
    batch: usize,
    row: usize,
}

impl SortedRows {
    /// Sorts a head's records.
    pub(super) fn of(head: &SealedHead) -> Result<SortedRows, BlockError> {
        let mut batches: Vec<&StoredBatch> = head.batches.iter().map(AsRef::as_ref).collect();
        batches.sort_by_key(|batch| batch.base_offset);
        check_sizes(&batches)?;
        let (services, order) = sort(&batches)?;
        let of = Gathering { batches: &batches, order: &order };
        let fields = batches.iter().map(|batch| batch.records.fields.as_slice());
        Ok(SortedRows {
            services,
            timestamp: of.column(|batch, row| batch.records.timestamp.get(row).copied().unwrap_or(0)),
            level: of.column(|batch, row| batch.records.level.get(row).copied().unwrap_or(0)),
            message: of.messages(),
            latency_ms: of.column(latency_ms),
            offset: of.column(|batch, row| batch.base_offset + row as u64),
            created_at: of.column(|batch, row| batch.created_at.get(row).copied().unwrap_or(0)),
            anomaly_score: of.column(|batch, row| batch.scores.score(row).unwrap_or(f32::NAN)),
            anomalies: of.anomalies(),
            fields: gather_fields(fields, &places(&batches, &order), order.len()),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// What all columns take in memory.
    pub(super) fn bytes_held(&self) -> usize {
        let fixed = size_of::<i64>() * 4 + size_of::<u8>() + size_of::<f32>();
        let fields: usize = self.fields.iter().map(FieldColumn::bytes_held).sum();
        self.len() * fixed + self.message.bytes_held() + fields
    }
}

/// Takes the fixed columns out of the batches, column by column.
struct Gathering<'a> {
    batches: &'a [&'a StoredBatch],
    order: &'a [Origin],
}

impl<'a> Gathering<'a> {
    fn rows(&self) -> impl Iterator<Item = (&'a StoredBatch, usize)> {
        let batches = self.batches;
        self.order.iter().filter_map(move |origin| Some((*batches.get(origin.batch)?, origin.row)))
    }

    fn column<T>(&self, value: impl Fn(&StoredBatch, usize) -> T) -> Vec<T> {
        let mut column = Vec::with_capacity(self.order.len());
        column.extend(self.rows().map(|(batch, row)| value(batch, row)));
        column
    }

    fn messages(&self) -> TextColumn {
        let mut messages = TextColumn::default();
        let bytes = self.batches.iter().map(|batch| batch.records.message.arena_text().len()).sum();
        messages.reserve(self.order.len(), bytes);
        self.rows().for_each(|(batch, row)| messages.push(batch.records.message.get(row)));
        messages
    }

    fn anomalies(&self) -> Vec<(u32, String)> {
        let rows = (0u32..).zip(self.rows()).filter(|(_, (batch, _))| !batch.scores.anomalies.is_empty());
        rows.filter_map(|(at, (batch, row))| Some((at, batch.scores.reason(row)?.to_owned()))).collect()
    }
}

fn latency_ms(batch: &StoredBatch, row: usize) -> f64 {
    // One NaN for all, so that replicas agree bit by bit.
    let latency_ms = batch.records.latency_ms.get(row).copied().filter(|latency_ms| !latency_ms.is_nan());
    latency_ms.unwrap_or(f64::NAN)
}

fn check_sizes(batches: &[&StoredBatch]) -> Result<(), BlockError> {
    let within = |what, count, max| {
        if count <= max { Ok(()) } else { Err(BlockError::TooLarge { what, count, max }) }
    };
    within("rows", batches.iter().map(|batch| batch.len()).sum(), ROWS_MAX)?;
    // Bounds every text column at once.
    within("bytes", batches.iter().map(|batch| batch.records.bytes_held()).sum(), TEXT_BYTES_MAX)
}

/// The services with their rows, and where each row comes from.
fn sort(batches: &[&StoredBatch]) -> Result<(Vec<ServiceRun>, Vec<Origin>), BlockError> {
    let mut runs: BTreeMap<&str, Vec<(i64, Origin)>> = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        // Bucket per service first: looking a name up once per batch, not once per row.
        let mut buckets: Vec<Vec<(i64, Origin)>> = vec![Vec::new(); batch.records.services.len()];
        for (row, (service, timestamp)) in
            batch.records.service.iter().zip(&batch.records.timestamp).enumerate()
        {
            if let Some(bucket) = buckets.get_mut(usize::from(*service)) {
                bucket.push((*timestamp, Origin { batch: number, row }));
            }
        }
        for (service, bucket) in batch.records.services.iter().zip(buckets) {
            if !bucket.is_empty() {
                runs.entry(service).or_default().extend(bucket);
            }
        }
    }
    if runs.len() > SERVICES_MAX {
        return Err(BlockError::TooLarge { what: "services", count: runs.len(), max: SERVICES_MAX });
    }
    let mut services = Vec::with_capacity(runs.len());
    let mut order = Vec::new();
    for (service, mut run) in runs {
        // Stable, and batches are in offset order: equal timestamps stay in offset order.
        run.sort_by_key(|(timestamp, _)| *timestamp);
        order.extend(run.iter().map(|(_, origin)| *origin));
        services.push(ServiceRun {
            service: service.to_owned(),
            end_row: order.len() as u32,
            first_timestamp: run.first().map_or(0, |(timestamp, _)| *timestamp),
            last_timestamp: run.last().map_or(0, |(timestamp, _)| *timestamp),
        });
    }
    Ok((services, order))
}

/// A row that has no place in the block.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The fields of several parts as columns of one block of `total` rows; `places` says where each part's rows are in it.
pub(super) fn gather_fields<'a>(
    parts: impl Iterator<Item = &'a [FieldColumn]>,
    places: &[Vec<u32>],
    total: usize,
) -> Vec<FieldColumn> {
    let mut sources: BTreeMap<(&str, FieldKind), Vec<(usize, &FieldColumn)>> = BTreeMap::new();
    for (number, columns) in parts.enumerate() {
        for column in columns {
            sources.entry((&column.name, column.values.kind())).or_default().push((number, column));
        }
    }
    let gathered =
        sources.into_iter().map(|((name, kind), columns)| gather_field(name, kind, &columns, places, total));
    gathered.filter(|column| !column.rows.is_empty()).collect()
}

/// Batch by batch and row by row, the row in the block.
fn places(batches: &[&StoredBatch], order: &[Origin]) -> Vec<Vec<u32>> {
    let mut places: Vec<Vec<u32>> = batches.iter().map(|batch| vec![0; batch.len()]).collect();
    for (row, origin) in order.iter().enumerate() {
        if let Some(place) = places.get_mut(origin.batch).and_then(|batch| batch.get_mut(origin.row)) {
            *place = row as u32;
        }
    }
    places
}

/// Where a value of a field comes from: which of its columns, and which value there.
type ValueOrigin = (u32, u32);

fn gather_field(
    name: &str,
    kind: FieldKind,
    columns: &[(usize, &FieldColumn)],
    places: &[Vec<u32>],
    total: usize,
) -> FieldColumn {
    let origins = by_place(columns, places, total);
    let mut gathered = FieldColumn::new(name.to_owned(), kind);
    gathered.rows = origins.iter().map(|(place, _)| *place).collect();
    match &mut gathered.values {
        FieldValues::Bool(to) => {
            *to = plain_values(columns, &origins, |values| match values {
                FieldValues::Bool(values) => values,
                _ => &[],
            })
        }
        FieldValues::Int(to) => {
            *to = plain_values(columns, &origins, |values| match values {
                FieldValues::Int(values) => values,
                _ => &[],
            })
        }
        FieldValues::Float(to) => {
            *to = plain_values(columns, &origins, |values| match values {
                FieldValues::Float(values) => values,
                _ => &[],
            })
        }
        FieldValues::Text(to) | FieldValues::Json(to) => *to = texts(columns, &origins),
    }
    gathered
}

fn plain_values<'a, T: Copy + Default + 'a>(
    columns: &[(usize, &'a FieldColumn)],
    origins: &[(u32, ValueOrigin)],
    values: impl Fn(&'a FieldValues) -> &'a [T],
) -> Vec<T> {
    let sources: Vec<&[T]> = columns.iter().map(|(_, column)| values(&column.values)).collect();
    let value = |column: u32, at: u32| sources.get(column as usize)?.get(at as usize).copied();
    origins.iter().map(|(_, (column, at))| value(*column, *at).unwrap_or_default()).collect()
}

fn texts(columns: &[(usize, &FieldColumn)], origins: &[(u32, ValueOrigin)]) -> TextColumn {
    let none = TextColumn::default();
    let mut sources: Vec<&TextColumn> = Vec::with_capacity(columns.len());
    for (_, column) in columns {
        sources.push(match &column.values {
            FieldValues::Text(texts) | FieldValues::Json(texts) => texts,
            _ => &none,
        });
    }
    let mut gathered = TextColumn::default();
    gathered.reserve(origins.len(), sources.iter().map(|texts| texts.arena_text().len()).sum());
    for (_, (column, at)) in origins {
        gathered.push(sources.get(*column as usize).map_or("", |texts| texts.get(*at as usize)));
    }
    gathered
}

/// The values with their places, in the order of these.
fn by_place(columns: &[(usize, &FieldColumn)], places: &[Vec<u32>], total: usize) -> Vec<(u32, ValueOrigin)> {
    let count = columns.iter().map(|(_, column)| column.rows.len()).sum();
    let each = (0u32..).zip(columns).flat_map(|(number, (batch, column))| {
        let places = places.get(*batch).map_or(&[][..], Vec::as_slice);
        let place = move |row: u32| places.get(row as usize).copied().filter(|place| *place != NOWHERE);
        (0u32..).zip(&column.rows).filter_map(move |(at, row)| Some((place(*row)?, (number, at))))
    });
    let mut ordered = Vec::with_capacity(count);
    if count < total / DENSE_SHARE {
        ordered.extend(each);
        ordered.sort_unstable_by_key(|(place, _)| *place);
        return ordered;
    }
    // Most rows have a value: putting each in its place is cheaper than sorting.
    const NONE: ValueOrigin = (u32::MAX, u32::MAX);
    let mut slots = vec![NONE; total];
    for (place, origin) in each {
        if let Some(slot) = slots.get_mut(place as usize) {
            *slot = origin;
        }
    }
    ordered.extend((0u32..).zip(slots).filter(|(_, origin)| *origin != NONE));
    ordered
}
