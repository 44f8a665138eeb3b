//! The index says the same whether it was kept seal by seal or rebuilt from blocks, and survives whatever
//! happens to its files.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{PartitionId, Timestamp};
use insighthub_storage::block::{BlockCache, BlockReader, write_block};
use insighthub_storage::fs::SimFs;
use insighthub_storage::index::{Index, IndexError, Indexed, PartitionMeta};
use insighthub_storage::sealed_head::SealedHead;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sample::{PARTITION, Sample, dead_letter, head_of, samples};

/// Seals with records, dead letters of all sizes, and dead letters of earlier seals resolved.
fn seals(groups: &[Vec<Sample>]) -> Vec<SealedHead> {
    let mut base_offset = 0;
    let mut seals = Vec::new();
    for (number, samples) in (1u64..).zip(groups) {
        let mut head = head_of(samples, &[], number * 10, base_offset);
        base_offset += samples.len() as u64;
        head.dead_letters =
            (0..3).map(|at| (number * 3 + at, dead_letter(number * 3 + at, at as usize * 9_000))).collect();
        if number > 1 {
            head.resolved_dead_letters = vec![(number - 1) * 3 + 1];
        }
        seals.push(head);
    }
    seals
}

fn some_seals(count: usize) -> Vec<SealedHead> {
    let mut runner = TestRunner::deterministic();
    let groups: Vec<_> =
        (0..count).map(|_| samples(20..40).new_tree(&mut runner).unwrap().current()).collect();
    seals(&groups)
}

fn blocks_of(seals: &[SealedHead]) -> Vec<Arc<BlockReader>> {
    let fs = SimFs::new(1);
    let open = |head: &SealedHead| {
        let meta = write_block(&fs, Path::new("/p"), head).unwrap();
        let path = Path::new("/p").join(meta.file_name);
        Arc::new(BlockReader::open(&fs, &path, Arc::new(BlockCache::default())).unwrap())
    };
    seals.iter().map(open).collect()
}

/// Blocks that no merge has touched.
fn indexed(blocks: &[Arc<BlockReader>]) -> Indexed {
    let as_of = blocks.last().map_or(0, |block| block.seal_index());
    Indexed { blocks: blocks.to_vec(), as_of, ..Indexed::default() }
}

/// All that the index answers.
#[derive(Debug, PartialEq)]
struct Content {
    meta: Option<PartitionMeta>,
    minutes: Vec<(MinuteKey, MinuteAggregate)>,
    services: String,
    dead_letters: String,
}

fn content(index: &Index) -> Content {
    let dead_letters = index.dead_letters(PARTITION, u64::MAX, usize::MAX).unwrap();
    assert_eq!(index.dead_letters_held(PARTITION).unwrap(), dead_letters.len() as u64);
    Content {
        meta: index.meta(PARTITION).unwrap(),
        minutes: index.minutes(PARTITION, None, i64::MIN, i64::MAX).unwrap(),
        services: format!("{:?}", index.services(PARTITION).unwrap()),
        dead_letters: format!("{dead_letters:?}"),
    }
}

fn index_with(directory: &Path, seals: &[SealedHead]) -> Index {
    let index = Index::open(directory).unwrap();
    index.bring_in_line(PARTITION, &Indexed::default()).unwrap();
    seals.iter().for_each(|head| index.apply_seal(head).unwrap());
    index
}

/// The content an index of these seals must have.
fn expected(seals: &[SealedHead]) -> Content {
    let directory = tempfile::tempdir().unwrap();
    content(&index_with(directory.path(), seals))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_rebuilt_index_equals_one_kept_seal_by_seal(groups in prop::collection::vec(samples(0..40), 1..5)) {
        let seals = seals(&groups);
        let directory = tempfile::tempdir().unwrap();
        let index = index_with(directory.path(), &seals);
        let kept = content(&index);
        index.rebuild(PARTITION, &indexed(&blocks_of(&seals))).unwrap();
        prop_assert_eq!(&content(&index), &kept);

        let mut merged: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        for (key, aggregate) in seals.iter().flat_map(|head| &head.minutes) {
            merged.entry(key.clone()).or_default().merge(aggregate);
        }
        prop_assert_eq!(kept.minutes, merged.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_seal_applied_twice_counts_once() {
    let seals = some_seals(2);
    let directory = tempfile::tempdir().unwrap();
    let index = index_with(directory.path(), &seals);
    let once = content(&index);
    seals.iter().for_each(|head| index.apply_seal(head).unwrap());
    assert_eq!(content(&index), once);
}

#[test]
fn minutes_are_found_by_service_and_range_and_dead_letters_by_page() {
    let mut runner = TestRunner::deterministic();
    let mut rows = samples(50..51).new_tree(&mut runner).unwrap().current();
    for (number, row) in rows.iter_mut().enumerate() {
        row.service = ["api", "api-2", "web"][number % 3].into();
        row.timestamp = Timestamp::from_minute(100 + number as i64 / 10).0;
    }
    let seals = seals(&[rows]);
    let directory = tempfile::tempdir().unwrap();
    let index = index_with(directory.path(), &seals);
    let minutes = index.minutes(PARTITION, Some("api"), 101, 102).unwrap();
    let wanted = |key: &MinuteKey| key.service == "api" && (101..=102).contains(&key.minute);
    let expected: Vec<_> = seals[0].minutes.clone().into_iter().filter(|(key, _)| wanted(key)).collect();
    assert!(!expected.is_empty());
    assert_eq!(minutes, expected);
    assert!(index.minutes(PARTITION, None, 102, 101).unwrap().is_empty());
    let services = index.services(PARTITION).unwrap();
    assert_eq!(services.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["api", "api-2", "web"]);
    assert_eq!(services.iter().map(|(_, summary)| summary.records).sum::<u64>(), 50);

    let page = |before, limit| index.dead_letters(PARTITION, before, limit).unwrap();
    assert_eq!(page(u64::MAX, 2).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(page(4, 9), [(3, dead_letter(3, 0))]);
    assert_eq!(page(6, 1), [(5, dead_letter(5, 18_000))]);
}

#[test]
fn a_clean_stop_keeps_everything_and_a_second_opener_is_refused() {
    let seals = some_seals(3);
    let directory = tempfile::tempdir().unwrap();
    let index = index_with(directory.path(), &seals);
    assert!(matches!(Index::open(directory.path()), Err(IndexError::InUse { .. })));
    index.close().unwrap();
    assert!(matches!(index.rebuild(PARTITION, &Indexed::default()), Err(IndexError::Closed)));
    let index = Index::open(directory.path()).unwrap();
    assert!(
        index.minutes(PARTITION, None, 0, 1).is_err(),
        "an index answers before it was compared with the blocks"
    );
    index.bring_in_line(PARTITION, &indexed(&blocks_of(&seals))).unwrap();
    assert_eq!(content(&index), expected(&seals));
}

#[test]
fn an_index_that_is_behind_ahead_or_beside_the_blocks_is_brought_in_line() {
    let seals = some_seals(4);
    for applied in [0, 2, 4] {
        let directory = tempfile::tempdir().unwrap();
        let index = index_with(directory.path(), &seals[..applied]);
        for known in [4, 3, 1, 0] {
            index.bring_in_line(PARTITION, &indexed(&blocks_of(&seals[..known]))).unwrap();
            assert_eq!(content(&index), expected(&seals[..known]), "from {applied} to {known} seals");
        }
    }
}

#[test]
fn partitions_do_not_touch_one_another() {
    let seals = some_seals(2);
    let mut other = seals[0].clone();
    other.partition = PartitionId(PARTITION.0 + 1);
    let directory = tempfile::tempdir().unwrap();
    let index = index_with(directory.path(), &seals);
    index.bring_in_line(other.partition, &Indexed::default()).unwrap();
    index.apply_seal(&other).unwrap();
    index.remove_partition(PARTITION).unwrap();
    assert_eq!(index.meta(PARTITION).unwrap(), None);
    assert_eq!(index.minutes(other.partition, None, i64::MIN, i64::MAX).unwrap().len(), other.minutes.len());
}

/// The files sled keeps.
fn sled_files(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory.join("sled")).unwrap().map(|found| found.unwrap().path());
    files.filter(|path| path.is_file()).collect()
}

/// What happens to a file, and how.
type Harm = (&'static str, fn(&Path));

#[test]
fn deleted_or_overwritten_files_are_survived() {
    let seals = some_seals(3);
    let blocks = blocks_of(&seals);
    let expected = expected(&seals);
    let harms: [Harm; 5] = [
        ("deleted", |path| fs::remove_file(path).unwrap()),
        ("emptied", |path| fs::write(path, b"").unwrap()),
        ("cut in half", |path| {
            let content = fs::read(path).unwrap();
            fs::write(path, &content[..content.len() / 2]).unwrap();
        }),
        ("noise at the front", |path| {
            let mut content = fs::read(path).unwrap();
            content.iter_mut().take(9000).for_each(|byte| *byte ^= 0x5a);
            fs::write(path, content).unwrap();
        }),
        ("noise all over", |path| {
            let mut content = fs::read(path).unwrap();
            content.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x5a);
            fs::write(path, content).unwrap();
        }),
    ];
    let count = {
        let directory = tempfile::tempdir().unwrap();
        index_with(directory.path(), &seals).close().unwrap();
        sled_files(directory.path()).len()
    };
    for (harm, act) in harms {
        for at in 0..count {
            let directory = tempfile::tempdir().unwrap();
            index_with(directory.path(), &seals).close().unwrap();
            // The disk was hit while the node was down, or the mark would vouch for the content.
            fs::remove_file(directory.path().join("closed-cleanly")).unwrap();
            let mut files = sled_files(directory.path());
            files.sort();
            let Some(file) = files.get(at) else { continue };
            act(file);
            let index = Index::open(directory.path()).unwrap();
            index.bring_in_line(PARTITION, &indexed(&blocks)).unwrap();
            assert_eq!(content(&index), expected, "{harm}: {}", file.display());
        }
    }
}

/// What a killed process leaves: the files as they are at some moment.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let target = to.join(found.file_name());
        if found.file_type().unwrap().is_dir() {
            copy(&found.path(), &target);
        } else {
            fs::copy(found.path(), target).unwrap();
        }
    }
}

#[test]
fn a_kill_after_any_seal_and_a_lost_tail_are_survived() {
    let seals = some_seals(6);
    let blocks = blocks_of(&seals);
    let directory = tempfile::tempdir().unwrap();
    let index = index_with(directory.path(), &[]);
    for (applied, head) in (1..).zip(&seals) {
        index.apply_seal(head).unwrap();
        if applied % 2 == 0 {
            index.flush().unwrap();
        }
        let left = tempfile::tempdir().unwrap();
        copy(directory.path(), left.path());
        // A power cut: the last pages never reached the disk.
        let log = left.path().join("sled").join("db");
        let length = fs::metadata(&log).unwrap().len();
        if applied % 3 == 0 {
            fs::File::options().write(true).open(&log).unwrap().set_len(length * 2 / 3).unwrap();
        }
        let after = Index::open(left.path()).unwrap();
        after.bring_in_line(PARTITION, &indexed(&blocks[..applied])).unwrap();
        assert_eq!(content(&after), expected(&seals[..applied]), "killed after seal {applied}");
        after.apply_seal(seals.last().unwrap()).unwrap();
    }
}

#[test]
fn after_a_reset_a_partition_answers_only_once_it_is_brought_in_line() {
    let seals = some_seals(2);
    let directory = tempfile::tempdir().unwrap();
    index_with(directory.path(), &seals[..1]).close().unwrap();
    let index = Index::open(directory.path()).unwrap();
    let error = index.apply_seal(&seals[1]).unwrap_err();
    assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
    index.rebuild(PARTITION, &indexed(&blocks_of(&seals))).unwrap();
    assert_eq!(content(&index), expected(&seals));
}
