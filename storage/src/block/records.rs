//! The records of some rows of a block.

use insighthub_model::{Level, LogId, Record, Timestamp};

use super::BlockReader;
use crate::column_source::{Column, ColumnError, ColumnSource, FieldView};

/// Everything a record is made of but its message, which is read for the wanted rows alone.
pub(super) struct RecordColumns<'a> {
    timestamp: Column<'a, [i64]>,
    level: Column<'a, [u8]>,
    latency_ms: Column<'a, [f64]>,
    offset: Column<'a, [u64]>,
    created_at: Column<'a, [i64]>,
    anomaly_score: Column<'a, [f32]>,
    anomalies: Column<'a, [(u32, String)]>,
    fields: Vec<(&'a str, FieldView<'static>)>,
}

impl<'a> RecordColumns<'a> {
    pub(super) fn read(block: &'a BlockReader) -> Result<Self, ColumnError> {
        Ok(RecordColumns {
            timestamp: block.timestamp()?,
            level: block.level()?,
            latency_ms: block.latency_ms()?,
            offset: block.offset()?,
            created_at: block.created_at()?,
            anomaly_score: block.anomaly_score()?,
            anomalies: block.anomalies()?,
            fields: block.field_columns()?,
        })
    }

    /// The records of these rows, in the order asked for.
    pub(super) fn records(&self, block: &BlockReader, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        let mut ascending: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        ascending.sort_unstable();
        ascending.dedup();
        let mut messages: Vec<(usize, String)> = Vec::with_capacity(ascending.len());
        block.message()?.for_each(ascending, |row, text| messages.push((row, text.to_owned())))?;
        let record = |row: &u32| {
            let at = messages.binary_search_by_key(&(*row as usize), |(row, _)| *row).ok();
            let message = at.and_then(|at| messages.get(at)).map(|(_, message)| message.as_str());
            message
                .and_then(|message| self.record(block, *row as usize, message))
                .ok_or_else(|| block.unreadable(format!("it has no row {row}")))
        };
        rows.iter().map(record).collect()
    }

    fn record(&self, block: &BlockReader, row: usize, message: &str) -> Option<Record> {
        let runs = &block.footer.services;
        let run = runs.get(runs.partition_point(|run| run.end_row as usize <= row))?;
        let anomaly = self.anomalies.binary_search_by_key(&row, |(row, _)| *row as usize);
        let reason = anomaly.ok().and_then(|at| self.anomalies.get(at)).map(|(_, reason)| reason.clone());
        let fields = self.fields.iter();
        Some(Record {
            log_id: LogId { partition: block.footer.partition, offset: *self.offset.get(row)? },
            timestamp: Timestamp(*self.timestamp.get(row)?),
            service: run.service.clone(),
            level: Level::from_number(*self.level.get(row)?)?,
            message: message.to_owned(),
            latency_ms: self.latency_ms.get(row).copied().filter(|latency_ms| !latency_ms.is_nan()),
            anomaly_score: self.anomaly_score.get(row).copied().filter(|score| !score.is_nan()),
            is_anomaly: reason.is_some(),
            anomaly_reason: reason,
            created_at: Timestamp(*self.created_at.get(row)?),
            fields: fields.filter_map(|(name, view)| Some(((*name).to_owned(), view.value(row)?))).collect(),
        })
    }
}
