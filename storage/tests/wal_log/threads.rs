//! The log with its real threads, on the real disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use insighthub_storage::fs::{Fault, RealFs, SimFs};
use insighthub_storage::wal::{GroupId, Wal, WalError, WalOptions};
use tokio::sync::oneshot;

use crate::model::{directory, entry, mark, read_all, small};

const DEADLINE: Duration = Duration::from_secs(30);

fn options() -> WalOptions {
    WalOptions { segment_bytes: 1 << 20, cache_bytes_max: 1 << 20, queue_bytes_max: 1 << 20, ..small() }
}

async fn append_and_wait(wal: &Wal, group: GroupId, index: u64, body: Vec<u8>) -> Result<(), WalError> {
    let (told, durable) = oneshot::channel();
    let done = Box::new(move |result| assert!(told.send(result).is_ok()));
    wal.append(group, vec![entry(index, 1, body)], done).await?;
    durable.await.unwrap().map_err(WalError::Failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_find_everything_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let wal = Wal::open(RealFs::shared(), place.path(), options()).unwrap();
    let writers = (0..8).map(|group| {
        let wal = wal.clone();
        tokio::spawn(async move {
            for index in 1..=100 {
                append_and_wait(&wal, GroupId(group), index, vec![group as u8; 10_000]).await.unwrap();
                if index % 40 == 0 {
                    wal.purge(GroupId(group), mark(index - 20)).unwrap();
                }
            }
            wal.save_vote(GroupId(group), Bytes::from(format!("vote {group}"))).await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let stats = wal.stats();
    assert!(stats.records_written >= 800 && stats.syncs > 0, "{stats:?}");
    assert!(stats.rotations >= 7, "{stats:?}");
    let before = read_all(&wal);
    wal.close();
    drop(wal);
    let wal = Wal::open(RealFs::shared(), place.path(), options()).unwrap();
    assert_eq!(read_all(&wal), before);
    assert_eq!(before.len(), 8);
    assert_eq!(wal.recovery_report().cut, None, "a closed log has no torn end");
}

#[tokio::test]
async fn readers_get_old_entries_while_segments_are_recycled() {
    let place = tempfile::tempdir().unwrap();
    let options = WalOptions { segment_bytes: 64 << 10, cache_bytes_max: 0, ..options() };
    let wal = Wal::open(RealFs::shared(), place.path(), options).unwrap();
    let reads = AtomicU64::new(0);
    for index in 1..=300u64 {
        append_and_wait(&wal, GroupId(0), index, vec![index as u8; 5000]).await.unwrap();
        let found = wal.read(GroupId(0), index.saturating_sub(8)..index + 1, u64::MAX).await.unwrap();
        for entry in &found {
            assert!(entry.body.iter().all(|byte| *byte == entry.index as u8));
        }
        reads.fetch_add(found.len() as u64, Ordering::Relaxed);
        if index > 8 {
            wal.purge(GroupId(0), mark(index - 8)).unwrap();
        }
    }
    assert!(reads.load(Ordering::Relaxed) > 2000);
}

#[tokio::test]
async fn an_append_beyond_the_queue_waits_and_then_goes_through() {
    let place = tempfile::tempdir().unwrap();
    let options = WalOptions { queue_bytes_max: 10_000, ..options() };
    let wal = Wal::open(RealFs::shared(), place.path(), options).unwrap();
    // Five times the queue at once, and one append that alone is larger than the queue.
    let mut appends = tokio::task::JoinSet::new();
    for group in 1..=4u16 {
        let wal = wal.clone();
        appends.spawn(async move {
            append_and_wait(&wal, GroupId(group), 1, vec![1; 5000 * usize::from(group)]).await
        });
    }
    while let Some(done) = tokio::time::timeout(DEADLINE, appends.join_next()).await.unwrap() {
        done.unwrap().unwrap();
    }
    assert_eq!(wal.stats().queued_bytes, 0, "all room is given back");
}

#[tokio::test]
async fn everybody_waiting_hears_of_a_failure() {
    let fs = SimFs::new(1);
    let wal = Wal::open(fs.as_fs(), &directory(), small()).unwrap();
    append_and_wait(&wal, GroupId(1), 1, vec![1; 10]).await.unwrap();
    let mut failure = wal.watch_failure();
    fs.inject(Fault::SyncFails { after: 0 });
    let error = append_and_wait(&wal, GroupId(1), 2, vec![1; 10]).await.unwrap_err();
    assert!(matches!(error, WalError::Failed(_)));
    tokio::time::timeout(DEADLINE, failure.changed()).await.unwrap().unwrap();
    assert!(failure.borrow().is_some());
    let error = wal.save_vote(GroupId(1), Bytes::new()).await.unwrap_err();
    assert!(matches!(error, WalError::Failed(_)));
}

#[tokio::test]
async fn a_closed_log_refuses_and_keeps_the_newest_commit_mark() {
    let fs = SimFs::new(1);
    let wal = Wal::open(fs.as_fs(), &directory(), small()).unwrap();
    append_and_wait(&wal, GroupId(1), 1, vec![1; 10]).await.unwrap();
    wal.save_committed(GroupId(1), Bytes::from("1")).unwrap();
    wal.close();
    assert!(matches!(append_and_wait(&wal, GroupId(1), 2, vec![]).await, Err(WalError::Closed)));
    drop(wal);
    let wal = Wal::open(fs.power_cut().as_fs(), &directory(), small()).unwrap();
    assert_eq!(wal.committed(GroupId(1)), Some(Bytes::from("1")));
}

#[tokio::test]
async fn the_last_handle_may_go_on_the_flushers_own_thread() {
    let fs = SimFs::new(1);
    let wal = Wal::open(fs.as_fs(), &directory(), small()).unwrap();
    let (gone, wait) = oneshot::channel();
    let last = wal.clone();
    let done = Box::new(move |_| {
        drop(last);
        assert!(gone.send(()).is_ok());
    });
    wal.append(GroupId(1), vec![entry(1, 1, vec![])], done).await.unwrap();
    drop(wal);
    tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_full_disk_is_waited_out() {
    let fs = SimFs::new(1);
    let wal = Wal::open(fs.as_fs(), &directory(), small()).unwrap();
    let started = Instant::now();
    while wal.spare_bytes() == 0 {
        assert!(started.elapsed() < DEADLINE);
        tokio::task::yield_now().await;
    }
    fs.set_capacity(fs.used_bytes());
    let writer = tokio::spawn({
        let wal = wal.clone();
        async move {
            for index in 1..=20 {
                append_and_wait(&wal, GroupId(1), index, vec![1; 1000]).await.unwrap();
            }
        }
    });
    while !wal.waits_for_space() {
        assert!(started.elapsed() < DEADLINE);
        tokio::task::yield_now().await;
    }
    fs.set_capacity(u64::MAX);
    tokio::time::timeout(DEADLINE, writer).await.unwrap().unwrap();
    assert!(!wal.is_failed() && Arc::new(wal).indices(GroupId(1)) == (1..21));
}
