//! What is written into a block is read from it, and nothing else ever is.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

mod sample;

use std::path::Path;
use std::sync::Arc;

use insighthub_model::query::token;
use insighthub_model::{FieldValue, Level};
use insighthub_storage::block::{BlockCache, BlockError, BlockReader, write_block};
use insighthub_storage::column_source::ColumnSource;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::sealed_head::SealedHead;
use proptest::prelude::*;
use sample::{dead_letter, head_of, samples, shown};

const DIRECTORY: &str = "/data/p3";

fn open(fs: &dyn Fs, path: &Path) -> Result<BlockReader, BlockError> {
    BlockReader::open(fs, path, Arc::new(BlockCache::default()))
}

fn written(head: &SealedHead) -> (SimFs, BlockReader) {
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), head).unwrap();
    let reader = open(&fs, &Path::new(DIRECTORY).join(&meta.file_name)).unwrap();
    assert_eq!(reader.meta(), meta);
    (fs, reader)
}

fn bytes_of(head: &SealedHead) -> Vec<u8> {
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), head).unwrap();
    fs.read(&Path::new(DIRECTORY).join(meta.file_name)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_block_shows_the_records_of_its_head(samples in samples(0..120), cuts in prop::collection::vec(any::<usize>(), 0..4)) {
        let head = head_of(&samples, &cuts, 77, 1000);
        let (_fs, block) = written(&head);
        let rows: Vec<u32> = (0..block.rows() as u32).collect();
        let expected = head.batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.record(row).unwrap()));
        let expected = shown(expected.collect());
        // A block's rows are in that order already.
        let found: Vec<String> = block.records(&rows).unwrap().iter().map(|record| format!("{record:?}")).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(block.minutes().unwrap(), head.minutes);
        block.verify().unwrap();
    }

    #[test]
    fn any_split_into_batches_gives_the_same_bytes(
        samples in samples(0..120),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        other in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        prop_assert_eq!(bytes_of(&head_of(&samples, &cuts, 9, 5)), bytes_of(&head_of(&samples, &other, 9, 5)));
    }

    #[test]
    fn a_block_and_its_head_agree_on_every_column(samples in samples(1..80)) {
        let head = head_of(&samples, &[], 1, 0);
        let (_fs, block) = written(&head);
        let batch = head.batches.iter().find(|batch| !batch.is_empty()).unwrap();
        let sources: [&dyn ColumnSource; 2] = [&block, batch.as_ref()];
        let [a, b] = sources.map(|source| {
            let offsets = source.offset().unwrap();
            let mut rows: Vec<usize> = (0..source.rows()).collect();
            rows.sort_by_key(|row| offsets[*row]);
            let service = source.service().unwrap();
            let services: Vec<&str> = rows.iter().map(|row| source.services()[usize::from(service[*row])].as_str()).collect();
            let floats: Vec<(u64, u32)> = rows.iter().map(|row| (source.latency_ms().unwrap()[*row].to_bits(), source.anomaly_score().unwrap()[*row].to_bits())).collect();
            let (timestamp, level) = (source.timestamp().unwrap(), source.level().unwrap());
            let numbers: Vec<(i64, u8)> = rows.iter().map(|row| (timestamp[*row], level[*row])).collect();
            let message = source.message().unwrap().to_column().unwrap();
            let messages: Vec<&str> = rows.iter().map(|row| message.get(*row)).collect();
            let mut anomalies: Vec<(u64, String)> = source.anomalies().unwrap().iter().map(|(row, reason)| (offsets[*row as usize], reason.clone())).collect();
            anomalies.sort();
            let shape = (source.rows(), source.time_range(), source.offset_range(), source.level_mask(), source.partition());
            format!("{services:?} {floats:?} {numbers:?} {messages:?} {anomalies:?} {shape:?}")
        });
        prop_assert_eq!(a, b);
        for name in ["a", "trace.id", "ü", "absent"] {
            prop_assert_eq!(block.may_hold_field(name), batch.may_hold_field(name));
            prop_assert_eq!(block.field(name).unwrap().len(), batch.field(name).unwrap().len());
        }
    }

    #[test]
    fn no_token_or_value_that_is_there_is_denied(samples in samples(0..80)) {
        let (_fs, block) = written(&head_of(&samples, &[], 1, 0));
        for sample in &samples {
            prop_assert!(token::tokens(&sample.message).all(|token| block.may_hold_token(&token)));
            for (name, value) in &sample.fields {
                if let FieldValue::Text(text) = value {
                    prop_assert!(token::tokens(text).all(|token| block.may_hold_token(&token)));
                    prop_assert!(block.may_hold_value(name, text));
                }
            }
        }
    }
}

#[test]
fn a_block_without_records_still_holds_its_dead_letters() {
    let mut head = head_of(&[], &[], 12, 0);
    head.dead_letters = (5..9).map(|number| (number, dead_letter(number, 20_000))).collect();
    head.resolved_dead_letters = vec![4, 2, 4];
    let (_fs, block) = written(&head);
    assert_eq!(block.rows(), 0);
    assert_eq!(block.dead_letters().unwrap(), head.dead_letters);
    assert_eq!(block.resolved_dead_letters().unwrap(), [2, 4]);
    block.verify().unwrap();
}

#[test]
fn levels_and_absent_tokens_are_known_without_reading_columns() {
    let sample = sample::Sample {
        service: "checkout".into(),
        timestamp: 5,
        level: Level::Error as u8,
        message: "Stripe timeout".into(),
        latency_ms: None,
        score: None,
        reason: None,
        created_at: 6,
        fields: [("user.id".to_owned(), FieldValue::Text("A-17".into()))].into(),
    };
    let (_fs, block) = written(&head_of(&[sample], &[], 1, 40));
    assert_eq!(block.level_mask(), 1 << Level::Error as u8);
    assert_eq!((block.time_range(), block.offset_range()), ((5, 5), (40, 41)));
    assert!(block.may_hold_token("stripe") && !block.may_hold_token("paypal"));
    assert!(block.may_hold_value("user.id", "a-17") && !block.may_hold_value("user.id", "17-a"));
    assert!(!block.may_hold_value("user", "a-17"));
}
