//! Records that have been applied and wait in memory to be sealed into a block.

use std::sync::Arc;

use insighthub_model::{LogId, Offset, PartitionId, Record, RecordBatch, Scores, Timestamp};

use crate::value_filter::ValueFilters;

/// Applied records: what was sent, what the detector said, and the offsets they were given. One chunk as it came, or
/// several that were joined.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    pub partition: PartitionId,
    /// Offset of row 0; the rows follow one another.
    pub base_offset: Offset,
    /// When the leader took each row in, nanoseconds since 1970. As long as `records`.
    pub created_at: Vec<i64>,
    pub records: Arc<RecordBatch>,
    pub scores: Arc<Scores>,
    /// First and last timestamp, nanoseconds since 1970.
    time_range: (i64, i64),
    /// One bit per level that occurs.
    level_mask: u8,
    /// Of a batch that was joined for the last time.
    value_filters: Option<ValueFilters>,
}

impl StoredBatch {
    /// Records of which the first has this id.
    pub fn new(
        first: LogId,
        created_at: Vec<i64>,
        records: Arc<RecordBatch>,
        scores: Arc<Scores>,
    ) -> StoredBatch {
        let level_bit = |level: &u8| 1u8.unbounded_shl(u32::from(*level));
        StoredBatch {
            partition: first.partition,
            base_offset: first.offset,
            created_at,
            time_range: records.time_range().unwrap_or((0, 0)),
            level_mask: records.level.iter().fold(0, |mask, level| mask | level_bit(level)),
            records,
            scores,
            value_filters: None,
        }
    }

    /// Batches that follow one another, at least one, as one; what they are as records stays what it is.
    pub fn joined(batches: &[Arc<StoredBatch>]) -> Option<StoredBatch> {
        let first = batches.first()?;
        for (before, batch) in batches.iter().zip(batches.iter().skip(1)) {
            assert_eq!(before.end_offset(), batch.base_offset, "batches that are joined follow one another");
        }
        let records: Vec<&RecordBatch> = batches.iter().map(|batch| batch.records.as_ref()).collect();
        let scores = Scores::joined(batches.iter().map(|batch| (batch.scores.as_ref(), batch.len())));
        let mut created_at = Vec::with_capacity(batches.iter().map(|batch| batch.len()).sum());
        batches.iter().for_each(|batch| created_at.extend_from_slice(&batch.created_at));
        let first = LogId { partition: first.partition, offset: first.base_offset };
        Some(StoredBatch::new(first, created_at, Arc::new(RecordBatch::joined(&records)), Arc::new(scores)))
    }

    /// The same with filters of its ids: what a query for one of them need not look at.
    #[must_use]
    pub fn filtered(self) -> StoredBatch {
        StoredBatch { value_filters: Some(ValueFilters::of(&self.records)), ..self }
    }

    /// False when no row has this text in a field of this name, whatever the case and the field's types.
    pub fn may_hold_value(&self, name: &str, value: &str) -> bool {
        self.value_filters.as_ref().is_none_or(|filters| filters.may_hold(&self.records, name, value))
    }

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

    /// First and last timestamp, nanoseconds since 1970; zeros when there are no rows.
    pub fn time_range(&self) -> (i64, i64) {
        self.time_range
    }

    /// One bit per level that occurs (bit n = level number n).
    pub fn level_mask(&self) -> u8 {
        self.level_mask
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
        let filters = self.value_filters.as_ref().map_or(0, ValueFilters::bytes_held);
        let hashes = self.scores.message_hashes.len() * size_of::<u64>();
        self.records.bytes_held() + self.len() * (size_of::<i64>() + size_of::<f32>()) + hashes + filters
    }
}
