//! Builders of chunks, kept from request to request so that their columns need not grow anew each time.
//!
//! An economy alone: what a builder from here makes is what a new one makes.

use insighthub_model::batch::BatchBuilder;
use parking_lot::Mutex;

/// Builders kept: those of a few requests that are read at the same time.
const BUILDERS_MAX: usize = 64;
/// A builder that grew beyond this, in a request unlike others, is let go.
const BUILDER_BYTES_MAX: usize = 512 * 1024;

static SPARE: Mutex<Vec<BatchBuilder>> = Mutex::new(Vec::new());

/// So many empty builders.
pub(super) fn take(count: usize) -> Vec<BatchBuilder> {
    let mut builders = {
        let mut spare = SPARE.lock();
        let rest = spare.len().saturating_sub(count);
        spare.split_off(rest)
    };
    builders.resize_with(count, BatchBuilder::default);
    builders
}

/// Gives empty builders back.
pub(super) fn give_back(builders: impl Iterator<Item = BatchBuilder>) {
    let is_kept = |builder: &BatchBuilder| {
        builder.is_empty() && (1..=BUILDER_BYTES_MAX).contains(&builder.bytes_reserved())
    };
    let builders: Vec<BatchBuilder> = builders.filter(is_kept).collect();
    let mut spare = SPARE.lock();
    let room = BUILDERS_MAX.saturating_sub(spare.len());
    spare.extend(builders.into_iter().take(room));
}

#[cfg(test)]
mod tests {
    use insighthub_model::batch::FixedFields;
    use insighthub_model::{Level, Timestamp};

    use super::*;

    fn fill(builder: &mut BatchBuilder, message: &str) {
        builder.record().finish(FixedFields {
            service: "s",
            timestamp: Timestamp(1),
            level: Level::Info,
            message,
            latency_ms: None,
            raw_bytes: 1,
        });
    }

    #[test]
    fn builders_are_kept_unless_they_hold_records_or_grew_too_large() {
        let (mut used, mut full, mut large) =
            (BatchBuilder::default(), BatchBuilder::default(), BatchBuilder::default());
        fill(&mut used, "short");
        used.take();
        fill(&mut full, "short");
        fill(&mut large, &"long".repeat(BUILDER_BYTES_MAX / 4));
        large.take();
        give_back([BatchBuilder::default(), used, full, large].into_iter());
        // Other tests take and give back at the same time: whatever comes is empty and small.
        let taken = take(BUILDERS_MAX);
        assert_eq!(taken.len(), BUILDERS_MAX);
        assert!(
            taken.iter().all(|builder| builder.is_empty() && builder.bytes_reserved() <= BUILDER_BYTES_MAX)
        );
    }
}
