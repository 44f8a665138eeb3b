//! Records that have been applied and wait in memory to be sealed into a block.

use std::sync::Arc;

use insighthub_model::{LogId, Offset, PartitionId, Record, RecordBatch, Scores, Timestamp};

/// An applied batch: what was sent, what the detector said, and the offsets it was given.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    pub partition: PartitionId,
    /// Offset of row 0; the rows follow one another.
    pub base_offset: Offset,
    /// When the leader took each row in, nanoseconds since 1970. As long as `records`.
    pub created_at: Vec<i64>,
    pub records: Arc<RecordBatch>,
    pub scores: Arc<Scores>,
}

impl StoredBatch {
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Offset after the last row.
    pub fn end_offset(&self) -> Offset {
        self.base_offset + self.len() as u64
    }

    /// The record of a row, owned, as the API shows it; `None` past the end.
    pub fn record(&self, row: usize) -> Option<Record> {
        let view = self.records.view(row)?;
        let reason = self.scores.reason(row);
        Some(Record {
            log_id: LogId { partition: self.partition, offset: self.base_offset + row as u64 },
            timestamp: view.timestamp(),
            service: view.service().to_owned(),
            level: view.level(),
            message: view.message().to_owned(),
            latency_ms: view.latency_ms(),
            anomaly_score: self.scores.score(row),
            is_anomaly: reason.is_some(),
            anomaly_reason: reason.map(str::to_owned),
            created_at: Timestamp(self.created_at.get(row).copied().unwrap_or(0)),
            fields: view.fields().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }

    pub fn bytes_held(&self) -> usize {
        self.records.bytes_held() + self.len() * (size_of::<i64>() + size_of::<f32>())
    }
}
