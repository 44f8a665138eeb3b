//! A damaged block is an error, whatever byte is hit; and a crash leaves a whole block or none.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

mod sample;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_storage::block::{BlockCache, BlockError, BlockReader, write_block};
use insighthub_storage::fs::{Fault, Fs, SimFs};
use insighthub_storage::sealed_head::SealedHead;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sample::{dead_letter, head_of, samples};

const DIRECTORY: &str = "/data/p3";

fn head() -> SealedHead {
    let mut runner = TestRunner::deterministic();
    let mut samples = samples(60..61).new_tree(&mut runner).unwrap().current();
    // Most messages have a template, so that templates and variables are damaged too.
    for (number, sample) in samples.iter_mut().enumerate().take(40) {
        sample.message =
            format!("took {}.5 ms for item-{:04x} of node {}", number % 9, number * 77, number % 3);
    }
    let mut head = head_of(&samples, &[20], 7, 100);
    head.dead_letters = [(3, dead_letter(3, 100))].into();
    head.resolved_dead_letters = vec![1];
    head
}

fn read_all(fs: &dyn Fs, path: &Path) -> Result<(), String> {
    let block =
        BlockReader::open(fs, path, Arc::new(BlockCache::default())).map_err(|error| error.to_string())?;
    block.verify().map_err(|error| error.to_string())
}

fn path_of(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

#[test]
fn any_changed_byte_is_found() {
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head()).unwrap();
    let path = path_of(&meta.file_name);
    assert_eq!(read_all(&fs, &path), Ok(()));
    let block = BlockReader::open(&fs, &path, Arc::default()).unwrap();
    assert!(block.chunk_bytes().any(|(name, _)| name.contains("MessageVariables")), "nothing has a template");
    for offset in 0..meta.bytes {
        fs.flip_bit(&path, offset).unwrap();
        assert!(read_all(&fs, &path).is_err(), "a changed byte at {offset} of {} was not found", meta.bytes);
        fs.flip_bit(&path, offset).unwrap();
    }
    assert_eq!(read_all(&fs, &path), Ok(()));
}

#[test]
fn any_other_length_is_found() {
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head()).unwrap();
    let path = path_of(&meta.file_name);
    let file = fs.open(&path).unwrap();
    for length in (0..meta.bytes).rev() {
        file.set_len(length).unwrap();
        assert!(read_all(&fs, &path).is_err(), "a length of {length} was taken");
    }
    file.set_len(meta.bytes + 1).unwrap();
    assert!(read_all(&fs, &path).is_err());
}

#[test]
fn a_block_of_a_later_version_is_named_as_such() {
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head()).unwrap();
    let path = path_of(&meta.file_name);
    // The version is the word before the last magic.
    fs.open(&path).unwrap().write_all_at(&9u32.to_le_bytes(), meta.bytes - 12).unwrap();
    let error = BlockReader::open(&fs, &path, Arc::default()).unwrap_err();
    assert!(matches!(error, BlockError::Version { found: 9, expected: 4, .. }), "{error}");
}

#[test]
fn a_power_cut_at_any_moment_leaves_a_whole_block_or_none() {
    let head = head();
    let (mut whole, mut absent) = (0, 0);
    for (seed, operations) in (0..40).flat_map(|seed| (0..6).map(move |operations| (seed, operations))) {
        let fs = SimFs::new(seed);
        fs.inject(Fault::StopsAfter { operations });
        let result = write_block(&fs, Path::new(DIRECTORY), &head);
        let fs = fs.power_cut();
        let name = insighthub_storage::block::file_name(
            head.partition,
            insighthub_storage::block::BlockId::of_seal(head.seal_index),
        );
        let found = fs.list(Path::new(DIRECTORY)).unwrap().contains(&name);
        if found {
            read_all(&fs, &path_of(&name)).unwrap();
            whole += 1;
        } else {
            assert!(result.is_err(), "a block that was reported durable is gone");
            absent += 1;
        }
        // After the restart the same seal is applied again.
        let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
        read_all(&fs, &path_of(&meta.file_name)).unwrap();
    }
    assert!(whole > 10 && absent > 10, "{whole} whole, {absent} absent");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_is_no_block(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let fs = SimFs::new(1);
        let path = path_of("noise.block");
        fs.create_new(&path).unwrap().write_all_at(&noise, 0).unwrap();
        prop_assert!(read_all(&fs, &path).is_err());
    }
}
