//! Samples of records: drawn by a hash of their log ids, so that every replica draws the same, whether a record lies
//! in a head or in a block.

use insighthub_model::LogId;

use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;
use crate::query::log_id_hash::log_id_hash;

/// One record in how many must be looked at, so that it is about `target` of them.
pub fn one_in(records: u64, target: u64) -> u32 {
    u32::try_from(records.div_ceil(target.max(1))).unwrap_or(u32::MAX).max(1)
}

/// Leaves one row in so many.
pub(super) fn thin(source: &dyn ColumnSource, rows: &mut Bitmap, one_in: u32) -> Result<(), ColumnError> {
    if one_in <= 1 {
        return Ok(());
    }
    let (partition, offsets, last) = (source.partition(), source.offset()?, u64::MAX / u64::from(one_in));
    rows.retain(|row| {
        offsets.get(row).is_some_and(|offset| log_id_hash(LogId { partition, offset: *offset }) <= last)
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_few_is_not_sampled() {
        assert_eq!([0, 1, 100].map(|records| one_in(records, 100)), [1, 1, 1]);
        assert_eq!([101, 250, 1_000_000].map(|records| one_in(records, 100)), [2, 3, 10_000]);
        assert_eq!(one_in(u64::MAX, 0), u32::MAX);
    }
}
