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
        let mut rows = SortedRows { services, ..SortedRows::default() };
        for origin in &order {
            if let Some(batch) = batches.get(origin.batch) {
                rows.push(batch, origin.row);
            }
        }
        let places = places(&batches, &order);
        let fields = batches.iter().map(|batch| batch.records.fields.as_slice());
        rows.fields = gather_fields(fields, &places, order.len());
        Ok(rows)
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

    fn push(&mut self, batch: &StoredBatch, row: usize) {
        let records = &batch.records;
        if let Some(reason) = batch.scores.reason(row) {
            self.anomalies.push((self.len() as u32, reason.to_owned()));
        }
        self.timestamp.extend(records.timestamp.get(row));
        self.level.extend(records.level.get(row));
        self.message.push(records.message.get(row));
        // One NaN for all, so that replicas agree bit by bit.
        let latency_ms = records.latency_ms.get(row).copied().filter(|latency_ms| !latency_ms.is_nan());
        self.latency_ms.push(latency_ms.unwrap_or(f64::NAN));
        self.offset.push(batch.base_offset + row as u64);
        self.created_at.push(batch.created_at.get(row).copied().unwrap_or(0));
        self.anomaly_score.push(batch.scores.score(row).unwrap_or(f32::NAN));
    }
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

fn gather_field(
    name: &str,
    kind: FieldKind,
    columns: &[(usize, &FieldColumn)],
    places: &[Vec<u32>],
    total: usize,
) -> FieldColumn {
    let mut values: Vec<(u32, &FieldValues, usize)> = Vec::new();
    for (number, column) in columns {
        let Some(places) = places.get(*number) else { continue };
        for (at, row) in column.rows.iter().enumerate() {
            if let Some(place) = places.get(*row as usize).filter(|place| **place != NOWHERE) {
                values.push((*place, &column.values, at));
            }
        }
    }
    let mut gathered = FieldColumn::new(name.to_owned(), kind);
    for at in by_place(&values, total) {
        if let Some((place, from, at)) = values.get(at as usize) {
            gathered.rows.push(*place);
            gathered.values.push_from(from, *at);
        }
    }
    gathered
}

/// The numbers of the values in the order of their places.
fn by_place(values: &[(u32, &FieldValues, usize)], total: usize) -> Vec<u32> {
    if values.len() < total / DENSE_SHARE {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_unstable_by_key(|at| values.get(*at as usize).map(|(place, _, _)| *place));
        return order;
    }
    // Most rows have a value: putting each in its place is cheaper than sorting.
    const NONE: u32 = u32::MAX;
    let mut slots = vec![NONE; total];
    for (at, (place, _, _)) in (0u32..).zip(values) {
        if let Some(slot) = slots.get_mut(*place as usize) {
            *slot = at;
        }
    }
    slots.retain(|at| *at != NONE);
    slots
}
