//! Some rows of a batch as a batch.

use super::{FieldColumn, RecordBatch};

impl RecordBatch {
    /// The given rows, which ascend; without keys, which nobody asks for any more.
    pub fn select(&self, rows: &[u32]) -> RecordBatch {
        let places = || rows.iter().map(|row| *row as usize);
        RecordBatch {
            services: self.services.clone(),
            service: places().filter_map(|row| self.service.get(row).copied()).collect(),
            timestamp: places().filter_map(|row| self.timestamp.get(row).copied()).collect(),
            level: places().filter_map(|row| self.level.get(row).copied()).collect(),
            message: places().map(|row| self.message.get(row)).collect(),
            latency_ms: places().filter_map(|row| self.latency_ms.get(row).copied()).collect(),
            fields: self.fields.iter().filter_map(|column| select(column, rows)).collect(),
            keys: Vec::new(),
        }
    }
}

/// `None` when none of the rows has the field.
fn select(column: &FieldColumn, rows: &[u32]) -> Option<FieldColumn> {
    let mut selected = FieldColumn::new(column.name.clone(), column.values.kind());
    for (place, row) in (0u32..).zip(rows) {
        if let Some(at) = column.position(*row as usize) {
            selected.rows.push(place);
            selected.values.push_from(&column.values, at);
        }
    }
    (!selected.rows.is_empty()).then_some(selected)
}

#[cfg(test)]
mod tests {
    use super::super::{BatchBuilder, FixedFields};
    use crate::{Level, Timestamp};

    #[test]
    fn the_selected_rows_are_what_they_were() {
        let mut builder = BatchBuilder::default();
        for number in 0..20i64 {
            let mut record = builder.record();
            if number % 3 == 0 {
                record.int("n", number).unwrap();
            }
            if number == 4 {
                record.text("once", "x").unwrap();
            }
            record.finish(FixedFields {
                timestamp: Timestamp(number),
                service: ["a", "b"][number as usize % 2],
                level: Level::Warn,
                message: &number.to_string(),
                latency_ms: (number % 2 == 0).then_some(number as f64),
                raw_bytes: 1,
            });
        }
        let batch = builder.take();
        let rows = [1, 2, 3, 9, 18, 19];
        let selected = batch.select(&rows);
        assert_eq!(selected.len(), rows.len());
        for (at, row) in rows.iter().enumerate() {
            let (a, b) = (selected.view(at).unwrap(), batch.view(*row as usize).unwrap());
            assert_eq!((a.service(), a.timestamp(), a.message()), (b.service(), b.timestamp(), b.message()));
            assert_eq!((a.level(), a.latency_ms()), (b.level(), b.latency_ms()));
            assert_eq!(a.fields().collect::<Vec<_>>(), b.fields().collect::<Vec<_>>());
        }
        assert_eq!(selected.columns("once").count(), 0);
    }
}
