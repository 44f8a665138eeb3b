//! A dead letter, or a service, as a source of one row, so that a deletion's conditions are asked of it as of a record.

use std::sync::Arc;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{FieldValue, Level, LogId, PartitionId, Scores, Timestamp};

use crate::stored_batch::StoredBatch;

/// Its message is all that came, its time the moment it came, its fields those that can be read.
pub(super) fn source_of_letter(letter: &DeadLetter) -> StoredBatch {
    let fields = letter.fields();
    let text_of = |wanted: &str| {
        fields.iter().find_map(|(name, value)| match value {
            FieldValue::Text(text) if name == wanted => Some(text.as_str()),
            _ => None,
        })
    };
    let mut builder = BatchBuilder::default();
    let mut row = builder.record();
    for (name, value) in &fields {
        if let Err(error) = row.field(name, value) {
            tracing::debug!(name, ?error, "a field of a dead letter cannot be asked about");
        }
    }
    row.finish(FixedFields {
        service: letter.service.as_deref().or_else(|| text_of("service")).unwrap_or_default(),
        timestamp: letter.received_at,
        level: text_of("level").and_then(|level| level.parse().ok()).unwrap_or(Level::Info),
        message: &String::from_utf8_lossy(&letter.raw),
        latency_ms: None,
        raw_bytes: 0,
    });
    source(builder, letter.received_at)
}

/// A record of a service that says nothing else.
pub(super) fn source_of_service(service: &str, at: Timestamp) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    builder.record().finish(FixedFields {
        service,
        timestamp: at,
        level: Level::Info,
        message: "",
        latency_ms: None,
        raw_bytes: 0,
    });
    source(builder, at)
}

fn source(mut builder: BatchBuilder, at: Timestamp) -> StoredBatch {
    StoredBatch::new(
        LogId { partition: PartitionId(0), offset: 0 },
        vec![at.0],
        Arc::new(builder.take()),
        Arc::new(Scores::default()),
    )
}
