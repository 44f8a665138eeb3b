//! Batches one after another as one batch.

use std::collections::HashMap;

use super::{FieldColumn, FieldKind, FieldValues, RecordBatch, TextColumn};

/// A column to be: the parts it is put together from, each with the row it begins at.
struct Column<'a> {
    name: &'a str,
    kind: FieldKind,
    parts: Vec<(u32, &'a FieldColumn)>,
}

/// The columns to be, in the order of their first appearance.
#[derive(Default)]
struct Columns<'a> {
    all: Vec<Column<'a>>,
    places: HashMap<(&'a str, FieldKind), usize>,
}

impl RecordBatch {
    /// The rows of the batches in their order: as if they had been built as one batch. Every value is copied once,
    /// into columns of their exact size; but for keys, which nobody asks for any more. At most 65,536 rows: services
    /// are numbered by `u16`.
    pub fn joined(batches: &[&RecordBatch]) -> RecordBatch {
        let rows: usize = batches.iter().map(|batch| batch.len()).sum();
        assert!(rows <= 1 << 16, "{rows} rows are too many for one batch");
        let (services, service) = joined_services(batches, rows);
        let mut columns = Columns::default();
        let mut first_row = 0;
        for batch in batches {
            columns.take_in(&batch.fields, first_row);
            first_row += batch.len() as u32;
        }
        RecordBatch {
            services,
            service,
            timestamp: concat(batches, rows, |batch| &batch.timestamp),
            level: concat(batches, rows, |batch| &batch.level),
            message: TextColumn::joined(batches.iter().map(|batch| &batch.message)),
            latency_ms: concat(batches, rows, |batch| &batch.latency_ms),
            fields: columns.all.iter().map(Column::joined).collect(),
            keys: Vec::new(),
        }
    }
}

fn concat<'a, T: Copy + 'a>(
    batches: &[&'a RecordBatch],
    rows: usize,
    column: impl Fn(&'a RecordBatch) -> &'a [T],
) -> Vec<T> {
    let mut joined = Vec::with_capacity(rows);
    batches.iter().for_each(|batch| joined.extend_from_slice(column(batch)));
    joined
}

fn joined_services<'a>(batches: &[&'a RecordBatch], rows: usize) -> (Vec<String>, Vec<u16>) {
    let (mut services, mut service) = (Vec::new(), Vec::with_capacity(rows));
    let mut codes: HashMap<&str, u16> = HashMap::new();
    for batch in batches {
        let mut code_of = |name: &'a String| {
            *codes.entry(name).or_insert_with(|| {
                services.push(name.clone());
                services.len() as u16 - 1
            })
        };
        let of_batch: Vec<u16> = batch.services.iter().map(&mut code_of).collect();
        let code = |local: &u16| of_batch.get(usize::from(*local)).copied().unwrap_or(0);
        service.extend(batch.service.iter().map(code));
    }
    (services, service)
}

impl<'a> Columns<'a> {
    fn take_in(&mut self, fields: &'a [FieldColumn], first_row: u32) {
        // Batches resemble each other: a column mostly stands where it stood in the one before.
        for (at, field) in fields.iter().enumerate() {
            let (name, kind) = (field.name.as_str(), field.values.kind());
            let stands_there =
                self.all.get(at).is_some_and(|column| column.kind == kind && column.name == name);
            let place = if stands_there { at } else { self.place(name, kind) };
            if let Some(column) = self.all.get_mut(place) {
                column.parts.push((first_row, field));
            }
        }
    }

    fn place(&mut self, name: &'a str, kind: FieldKind) -> usize {
        *self.places.entry((name, kind)).or_insert_with(|| {
            self.all.push(Column { name, kind, parts: Vec::new() });
            self.all.len() - 1
        })
    }
}

impl Column<'_> {
    fn joined(&self) -> FieldColumn {
        let mut rows = Vec::with_capacity(self.parts.iter().map(|(_, part)| part.rows.len()).sum());
        for (first_row, part) in &self.parts {
            rows.extend(part.rows.iter().map(|row| first_row + row));
        }
        let values = match self.kind {
            FieldKind::Bool => FieldValues::Bool(self.values(rows.len(), |values| match values {
                FieldValues::Bool(values) => values,
                _ => &[],
            })),
            FieldKind::Int => FieldValues::Int(self.values(rows.len(), |values| match values {
                FieldValues::Int(values) => values,
                _ => &[],
            })),
            FieldKind::Float => FieldValues::Float(self.values(rows.len(), |values| match values {
                FieldValues::Float(values) => values,
                _ => &[],
            })),
            FieldKind::Text => FieldValues::Text(self.texts()),
            FieldKind::Json => FieldValues::Json(self.texts()),
        };
        FieldColumn { name: self.name.to_owned(), rows, values }
    }

    fn values<T: Copy>(&self, count: usize, values: impl Fn(&FieldValues) -> &[T]) -> Vec<T> {
        let mut joined = Vec::with_capacity(count);
        self.parts.iter().for_each(|(_, part)| joined.extend_from_slice(values(&part.values)));
        joined
    }

    fn texts(&self) -> TextColumn {
        TextColumn::joined(self.parts.iter().filter_map(|(_, part)| match &part.values {
            FieldValues::Text(texts) | FieldValues::Json(texts) => Some(texts),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{BatchBuilder, FixedFields, encode};
    use super::*;
    use crate::{Level, Timestamp};

    /// Service, and the fields: of each name the type it has, if it is there. Several types of one name are several
    /// columns.
    type Sample = (usize, [Option<u8>; 4]);

    fn batch_of(samples: &[Sample], first: usize) -> RecordBatch {
        let mut builder = BatchBuilder::default();
        for (number, (service, fields)) in (first..).zip(samples) {
            let mut record = builder.record();
            for (name, kind) in ["a", "b", "c", "d"].into_iter().zip(fields) {
                match kind {
                    None => {}
                    Some(0) => record.int(name, number as i64).unwrap(),
                    Some(1) => record.text(name, &"x".repeat(number % 5)).unwrap(),
                    Some(2) => record.bool(name, number.is_multiple_of(2)).unwrap(),
                    Some(3) => record.float(name, number as f64 / 3.0).unwrap(),
                    Some(_) => record.json(name, &format!("[{number}]")).unwrap(),
                }
            }
            record.finish(FixedFields {
                service: ["api", "db", "web"][*service],
                timestamp: Timestamp(number as i64 * 7),
                level: Level::ALL[number % Level::ALL.len()],
                message: &format!("message {number} é"),
                latency_ms: number.is_multiple_of(3).then_some(number as f64),
                raw_bytes: 1,
            });
        }
        builder.take()
    }

    fn sample() -> impl Strategy<Value = Sample> {
        let kind = || prop::option::of(0u8..5);
        (0usize..3, [kind(), kind(), kind(), kind()])
    }

    proptest! {
        #[test]
        fn parts_are_joined_to_what_their_records_make_at_once(
            samples in prop::collection::vec(sample(), 1..60),
            cuts in prop::collection::btree_set(1usize..60, 0..6),
        ) {
            let mut starts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < samples.len()).collect();
            starts.insert(0, 0);
            let ends = starts.iter().skip(1).copied().chain([samples.len()]);
            let parts: Vec<RecordBatch> =
                starts.iter().zip(ends).map(|(start, end)| batch_of(&samples[*start..end], *start)).collect();
            let joined = RecordBatch::joined(&parts.iter().collect::<Vec<_>>());
            // Their bytes, for NaN is not equal to itself.
            prop_assert_eq!(encode(&joined), encode(&batch_of(&samples, 0)));
        }
    }
}
