//! Each fault alone, with what exactly must follow.

use std::sync::Arc;

use bytes::Bytes;
use insighthub_storage::fs::{Fault, Fs, SimFs};
use insighthub_storage::wal::{Flusher, GroupId, PurgeMark, Wal, WalError, WalOptions};
use parking_lot::Mutex;

use crate::model::{directory, entry, mark, read_all, segments, small, wait};

const GROUP: GroupId = GroupId(1);

/// Results of callbacks in the order they came.
type Told = Arc<Mutex<Vec<(u64, bool)>>>;

fn open(fs: &SimFs) -> (Wal, Flusher) {
    Wal::open_stepped(fs.as_fs(), &directory(), small()).unwrap()
}

fn open_error(fs: &SimFs) -> String {
    Wal::open_stepped(fs.as_fs(), &directory(), small()).unwrap_err().to_string()
}

fn append(wal: &Wal, group: GroupId, index: u64, size: usize, told: &Told) -> Result<(), WalError> {
    let told = Arc::clone(told);
    let done = Box::new(move |result: Result<(), _>| told.lock().push((index, result.is_ok())));
    wait(wal.append(group, vec![entry(index, 1, vec![7; size])], done))
}

/// A log with entries 1 to `last`, each in a write of its own, and the process gone.
fn written(fs: &SimFs, last: u64, size: usize) -> SimFs {
    let (wal, mut flusher) = open(fs);
    for index in 1..=last {
        append(&wal, GROUP, index, size, &Told::default()).unwrap();
        assert!(flusher.step());
    }
    fs.kill()
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    let told = Told::default();
    append(&wal, GROUP, 1, 10, &told).unwrap();
    assert!(flusher.step());
    fs.inject(Fault::SyncFails { after: 0 });
    append(&wal, GROUP, 2, 10, &told).unwrap();
    append(&wal, GroupId(2), 3, 10, &told).unwrap();
    assert!(!flusher.step());
    assert_eq!(*told.lock(), [(1, true), (2, false), (3, false)]);
    assert!(wal.is_failed() && wal.watch_failure().borrow().is_some());
    for _ in 0..3 {
        assert!(matches!(append(&wal, GROUP, 3, 10, &told), Err(WalError::Failed(_))));
        assert!(matches!(wait(wal.save_vote(GROUP, Bytes::new())), Err(WalError::Failed(_))));
        assert!(matches!(wal.truncate(GROUP, 1), Err(WalError::Failed(_))));
        assert!(matches!(wal.purge(GROUP, mark(1)), Err(WalError::Failed(_))));
        assert!(matches!(wal.save_committed(GROUP, Bytes::new()), Err(WalError::Failed(_))));
        assert!(!flusher.step());
    }
    let reason = wal.failure().unwrap().reason;
    assert!(reason.contains("sync") && reason.contains(".wal"), "{reason}");
    assert_eq!(told.lock().len(), 3, "each is told once");
}

#[test]
fn what_a_restart_shows_after_a_failed_sync_survives_the_next_power_cut() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    append(&wal, GROUP, 1, 10, &Told::default()).unwrap();
    fs.inject(Fault::SyncFails { after: 0 });
    flusher.step();
    // The page cache still has the entry, marked clean: a sync alone would not store it.
    let fs = fs.kill();
    let shown = read_all(&open(&fs).0);
    assert_eq!(shown.get(&GROUP).unwrap().entries.len(), 1);
    assert_eq!(read_all(&open(&fs.power_cut()).0), shown);
}

#[test]
fn a_full_disk_makes_writes_wait_and_space_lets_them_go_on() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    let told = Told::default();
    fs.set_capacity(fs.used_bytes());
    let mut index = 0;
    while !wal.waits_for_space() {
        index += 1;
        append(&wal, GROUP, index, 1000, &told).unwrap();
        flusher.step();
        assert!(index < 100);
    }
    let acknowledged = told.lock().len() as u64;
    assert_eq!(acknowledged, index - 1, "what needs a new segment waits");
    assert!(!flusher.step() && !wal.is_failed());
    assert_eq!(read_all(&wal).get(&GROUP).unwrap().entries.len() as u64, index, "reading goes on");
    fs.set_capacity(u64::MAX);
    assert!(flusher.step() && !wal.waits_for_space());
    assert_eq!(told.lock().last(), Some(&(index, true)));
    assert_eq!(read_all(&open(&fs.power_cut()).0).get(&GROUP).unwrap().entries.len() as u64, index);
}

#[test]
fn a_flipped_bit_in_an_older_segment_is_refused_with_file_and_offset() {
    let fs = written(&SimFs::new(1), 9, 1000);
    let file = segments(&fs).first().unwrap().clone();
    fs.flip_bit(&file, 64 + 40 + 500).unwrap();
    let message = open_error(&fs);
    assert!(message.contains(file.to_str().unwrap()), "{message}");
    assert!(message.contains("offset 64") && message.contains("content fails its checksum"), "{message}");
}

#[test]
fn a_flipped_bit_before_a_later_write_of_the_last_segment_is_refused() {
    for place in [64 + 2, 64 + 9, 64 + 17, 64 + 45] {
        let fs = written(&SimFs::new(1), 3, 1000);
        let file = segments(&fs).last().unwrap().clone();
        fs.flip_bit(&file, place).unwrap();
        let message = open_error(&fs);
        assert!(
            message.contains("a later write follows at offset") && message.contains("offset 64"),
            "{message}"
        );
    }
}

#[test]
fn a_flipped_bit_in_a_segment_header_is_refused() {
    let fs = written(&SimFs::new(1), 1, 10);
    fs.flip_bit(segments(&fs).last().unwrap(), 13).unwrap();
    let message = open_error(&fs);
    assert!(message.contains("segment header fails its checksum"), "{message}");
}

#[test]
fn a_missing_segment_is_refused() {
    let fs = written(&SimFs::new(1), 12, 1000);
    let all = segments(&fs);
    assert!(all.len() > 2);
    fs.remove(all.get(1).unwrap()).unwrap();
    let message = open_error(&fs);
    assert!(message.contains("segment 2 is missing"), "{message}");
}

#[test]
fn an_unfinished_last_write_is_cut_and_reported() {
    let fs = written(&SimFs::new(1), 3, 1000);
    let file = segments(&fs).last().unwrap().clone();
    // In the last record: nothing can have been written after it, so it may have been torn.
    fs.flip_bit(&file, 64 + 2 * 1048 + 300).unwrap();
    let (wal, _flusher) = open(&fs);
    assert_eq!(read_all(&wal).get(&GROUP).unwrap().entries.len(), 2);
    assert_eq!(wal.recovery_report().cut, Some((file, 64 + 2 * 1048)));
}

#[test]
fn an_entry_damaged_while_running_is_never_served() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    for index in 1..=8 {
        append(&wal, GROUP, index, 1000, &Told::default()).unwrap();
        flusher.step();
    }
    fs.flip_bit(segments(&fs).first().unwrap(), 64 + 40 + 500).unwrap();
    let error = wal.read_blocking(GROUP, 1..2, u64::MAX).unwrap_err();
    assert!(matches!(error, WalError::Corrupt { offset: 64, .. }), "{error}");
    assert_eq!(wal.read_blocking(GROUP, 2..3, u64::MAX).unwrap().len(), 1);
}

#[test]
fn records_of_a_recycled_segment_are_never_taken_for_its_own() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    // All records of one size: old ones lie exactly where new ones would.
    for index in 1..=40 {
        append(&wal, GROUP, index, 1000, &Told::default()).unwrap();
        flusher.step();
        wal.purge(GROUP, mark(index)).unwrap();
        flusher.step();
    }
    assert!(segments(&fs).len() <= 2);
    let spares = fs.list(&directory()).unwrap().iter().filter(|name| name.ends_with(".spare")).count();
    assert!(spares > 0, "segments are recycled");
    let before = read_all(&wal);
    assert_eq!(read_all(&open(&fs.power_cut()).0), before);
}

#[test]
fn segments_go_when_the_last_group_lets_go() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    append(&wal, GroupId(9), 1, 100, &Told::default()).unwrap();
    for index in 1..=30 {
        append(&wal, GROUP, index, 1000, &Told::default()).unwrap();
        flusher.step();
    }
    wal.purge(GROUP, mark(30)).unwrap();
    flusher.step();
    let oldest = wal.oldest_segment().unwrap();
    assert_eq!(wal.pinned_groups(), [GroupId(9)]);
    assert!(oldest.segments > 5 && oldest.number == 1);
    assert_eq!(oldest.pinned_by.get(&GroupId(9)).unwrap().entries, 1);
    wal.purge(GroupId(9), mark(1)).unwrap();
    flusher.step();
    assert_eq!(segments(&fs).len(), 1);
    assert!(wal.pinned_groups().is_empty() && wal.live().is_empty());
}

#[test]
fn marks_outlive_the_segments_they_were_written_in() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    wal.submit_vote(GroupId(3), Bytes::from("vote"), Box::new(|_| ())).unwrap();
    wal.save_committed(GroupId(3), Bytes::from("committed")).unwrap();
    wal.purge(GroupId(4), PurgeMark { term: 5, index: 77, payload: Bytes::from("77") }).unwrap();
    for index in 1..=20 {
        append(&wal, GROUP, index, 1000, &Told::default()).unwrap();
        flusher.step();
        wal.purge(GROUP, mark(index)).unwrap();
        flusher.step();
    }
    assert!(wal.oldest_segment().unwrap().number > 3);
    let (wal, _flusher) = open(&fs.power_cut());
    assert_eq!(wal.vote(GroupId(3)), Some(Bytes::from("vote")));
    assert_eq!(wal.committed(GroupId(3)), Some(Bytes::from("committed")));
    assert_eq!(wal.purged(GroupId(4)).unwrap().term, 5);
    assert_eq!(wal.indices(GroupId(4)), 78..78);
}

#[test]
fn many_commit_marks_become_one_record() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    let before = wal.stats().records_written;
    for mark in 0..1000 {
        wal.save_committed(GROUP, Bytes::from(mark.to_string())).unwrap();
    }
    assert!(!flusher.step(), "a commit mark causes no write of its own");
    append(&wal, GROUP, 1, 10, &Told::default()).unwrap();
    flusher.step();
    assert_eq!(wal.stats().records_written - before, 2);
    assert_eq!(open(&fs.power_cut()).0.committed(GROUP), Some(Bytes::from("999")));
}

#[test]
fn one_sync_serves_all_groups_that_wait_and_tells_them_in_order() {
    let fs = SimFs::new(1);
    let (wal, mut flusher) = open(&fs);
    let told = Told::default();
    for group in 1..=8 {
        append(&wal, GroupId(group), u64::from(group), 100, &told).unwrap();
    }
    let before = fs.syncs();
    assert!(told.lock().is_empty() && flusher.step());
    assert_eq!(fs.syncs() - before, 1);
    assert_eq!(*told.lock(), (1..=8).map(|index| (index, true)).collect::<Vec<_>>());
}

#[test]
fn holes_and_overwrites_are_refused() {
    let fs = SimFs::new(1);
    let (wal, _flusher) = open(&fs);
    let told = Told::default();
    append(&wal, GROUP, 5, 10, &told).unwrap();
    for wrong in [4, 5, 7] {
        let error = append(&wal, GROUP, wrong, 10, &told).unwrap_err();
        assert!(matches!(error, WalError::OutOfOrder { expected: 6, .. }), "{error}");
    }
    append(&wal, GROUP, 6, 10, &told).unwrap();
}

#[test]
fn one_log_has_one_owner() {
    let fs = SimFs::new(1);
    let (wal, flusher) = open(&fs);
    assert!(open_error(&fs).contains("in use by another process"));
    drop((wal, flusher));
    drop(open(&fs));
}

#[test]
fn restarts_leave_no_trail_of_segments() {
    let mut fs = written(&SimFs::new(1), 2, 100);
    for _ in 0..20 {
        drop(open(&fs));
        fs = fs.kill();
    }
    assert!(segments(&fs).len() <= 22);
    let (wal, mut flusher) = open(&fs);
    wal.purge(GROUP, mark(2)).unwrap();
    flusher.step();
    assert_eq!(segments(&fs).len(), 1);
}

#[test]
fn options_out_of_range_are_brought_into_it() {
    let options = WalOptions { segment_bytes: 1, ..small() };
    let fs = SimFs::new(1);
    let (wal, mut flusher) = Wal::open_stepped(fs.as_fs(), &directory(), options).unwrap();
    append(&wal, GROUP, 1, 100, &Told::default()).unwrap();
    assert!(flusher.step());
}
