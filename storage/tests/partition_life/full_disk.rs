//! The disk fills while blocks are merged: the merge waits for room, and nothing else does.

use insighthub_model::Level;
use proptest::prelude::TestCaseError;

use crate::history::History;
use crate::in_simulated_time;
use crate::plain::PlainRecord;
use crate::replica::RETRIES_WITHIN;
use crate::steps::Step;

/// A merge of one run writes its block and the snapshot that names it.
const MERGE_WRITES: u64 = 2;
const MERGED_BLOCKS: usize = 3;

fn records(minute: i64) -> Vec<PlainRecord> {
    let record = |row: usize| PlainRecord {
        service: row % 3,
        minute: minute + row as i64 % 2,
        nanos: row as i64 * 7_000_003,
        level: Level::ALL[row % Level::ALL.len()],
        words: (row % 5, row / 5 % 5),
        latency_ms: row.is_multiple_of(2).then_some(row as f64),
        is_anomaly: row.is_multiple_of(11),
    };
    (0..30).map(record).collect()
}

/// The disk is full once the merge has written so often; true if that was before its end.
async fn merge_while_the_disk_fills(writes: u64, with_power: bool) -> Result<bool, TestCaseError> {
    let mut history = History::new();
    for minute in 0..MERGED_BLOCKS as i64 {
        history.take(&Step::Append(records(minute))).await;
        history.take(&Step::Seal).await;
    }
    history.take(&Step::Fill { writes }).await;
    history.take(&Step::Merge { at: 0, length: MERGED_BLOCKS }).await;
    history.check("where its merge has no room")?;
    let has_struck = history.shaky.is_full();
    assert_eq!(history.shaky.replica.is_idle(), !has_struck, "after {writes} writes");

    // What the log has room for goes on, and waits in memory for its block.
    history.take(&Step::Append(records(1))).await;
    history.take(&Step::Seal).await;
    history.take(&Step::Append(records(2))).await;
    history.check("where blocks wait for room")?;
    if has_struck {
        assert_eq!(history.shaky.replica.status().frozen_heads, 1, "after {writes} writes");
        history.restart_where_it_is(with_power);
        history.check("that was started on a full disk")?;
        tokio::time::sleep(RETRIES_WITHIN).await;
        history.check("that tried again on a full disk")?;
        assert!(!history.shaky.replica.is_idle(), "it has merged without room, after {writes} writes");
    }

    history.make_room().await;
    history.check("that has room again")?;
    let status = history.shaky.replica.status();
    assert_eq!((status.blocks, status.frozen_heads), (2, 0), "after {writes} writes");
    history.finish().await?;
    Ok(has_struck)
}

#[test]
fn a_merge_that_fills_the_disk_waits_for_room_and_loses_nothing() {
    for with_power in [false, true] {
        let strikes = |writes: &u64| {
            in_simulated_time(*writes, merge_while_the_disk_fills(*writes, with_power)).unwrap()
        };
        let struck: Vec<u64> = (0..MERGE_WRITES + 2).filter(strikes).collect();
        assert_eq!(struck, Vec::from_iter(0..MERGE_WRITES), "with power: {with_power}");
    }
}
