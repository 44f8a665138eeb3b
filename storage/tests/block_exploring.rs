//! A block looks like the head it was made of, whatever is answered by codes, runs and templates.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

mod sample;

use std::path::Path;
use std::sync::Arc;

use insighthub_model::FieldValue;
use insighthub_model::query::{TimeSpan, parse};
use insighthub_storage::block::{BlockCache, BlockReader, write_block};
use insighthub_storage::column_source::ColumnSource;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::query::exploring::{Seen, Wanted, WantedFields, explore};
use insighthub_storage::query::{Budget, Conditions, Filter};
use proptest::prelude::*;
use sample::{Sample, head_of, samples};

const DIRECTORY: &str = "/data/p3";

/// Records with templates, values that repeat and ids that do not.
fn shaped() -> impl Strategy<Value = Vec<Sample>> {
    let shape = prop::sample::select(vec![
        "read timeout after N ms from 10.0.N.N:80",
        "user-N signed in, größe N.5ms",
        "stopped at frame 0xdeadN\n  in main.rs:N",
        "N",
        "no number here",
    ]);
    (samples(90..140), prop::collection::vec((shape, 1u32..30), 140)).prop_map(|(mut samples, rows)| {
        for (number, (sample, (shape, value))) in samples.iter_mut().zip(rows).enumerate() {
            sample.message = shape.replace('N', &value.to_string());
            sample.fields.insert("user".to_owned(), FieldValue::Text(format!("u{value}")));
            sample.fields.insert("trace".to_owned(), FieldValue::Text(format!("{:016x}", number * 7_919)));
            sample.fields.insert("status".to_owned(), FieldValue::Int(i64::from(value) % 3));
        }
        samples
    })
}

fn seen(sources: &[&dyn ColumnSource], query: &str, wanted: &Wanted) -> Seen {
    let filter = Filter::new(&Conditions { query: parse(query).unwrap(), ..Conditions::default() }).unwrap();
    explore(sources, &filter, wanted, &Budget::UNBOUNDED).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_block_looks_like_its_head(
        samples in shaped(),
        cuts in prop::collection::vec(0usize..140, 0..4),
        values_max in prop::sample::select(vec![3u32, 10, 1_000]),
        one_in in 0u32..4,
    ) {
        let head = head_of(&samples, &cuts, 1, 50);
        let fs = SimFs::new(1);
        let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
        let path = Path::new(DIRECTORY).join(&meta.file_name);
        let block = BlockReader::open(&fs as &dyn Fs, &path, Arc::new(BlockCache::new(64 << 20))).unwrap();
        let batches: Vec<&dyn ColumnSource> =
            head.batches.iter().map(|batch| batch.as_ref() as &dyn ColumnSource).collect();
        let length = TimeSpan::parse("5ms");
        let fields = Some(WantedFields { names: Vec::new(), values_max });
        let wanted = Wanted {
            one_in,
            extent: true,
            levels: length,
            heat: length,
            fields,
            patterns: true,
            pattern_bars: None,
        };
        for query in ["*", "timeout", "status:1", "level:>=error OR user:u7"] {
            prop_assert_eq!(seen(&[&block], query, &wanted), seen(&batches, query, &wanted), "{}", query);
        }
    }

    /// What a block remembers of earlier questions changes no later answer, whatever was asked and in whatever order.
    #[test]
    fn blocks_that_were_asked_before_look_like_their_heads(
        parts in prop::collection::vec(shaped(), 3),
        questions in prop::collection::vec(
            (
                prop::sample::select(vec!["*", "timeout", "status:1", "level:>=error", "-level:error", "user:u7"]),
                prop::sample::select(vec![3u32, 10, 1_000]),
                prop::sample::select(vec![1u32, 2, 20, 30, 40]),
                0usize..3,
                1usize..4,
            ),
            8,
        ),
        cache_bytes in prop::sample::select(vec![0usize, 40_000, 64 << 20]),
    ) {
        let heads: Vec<_> = parts.iter().zip(1u64..).map(|(part, seal)| head_of(part, &[40], seal, seal * 1_000)).collect();
        let fs = SimFs::new(1);
        let cache = Arc::new(BlockCache::new(cache_bytes));
        let blocks: Vec<BlockReader> = heads
            .iter()
            .map(|head| {
                let meta = write_block(&fs, Path::new(DIRECTORY), head).unwrap();
                let path = Path::new(DIRECTORY).join(&meta.file_name);
                BlockReader::open(&fs as &dyn Fs, &path, Arc::clone(&cache)).unwrap()
            })
            .collect();
        for (query, values_max, one_in, first, count) in questions {
            // Which block comes first decides what of the others is of use.
            let order = (0..count).map(|at| (first + at) % blocks.len());
            let asked: Vec<&dyn ColumnSource> = order.clone().map(|at| &blocks[at] as &dyn ColumnSource).collect();
            let batches = order.flat_map(|at| heads[at].batches.iter());
            let batches: Vec<&dyn ColumnSource> = batches.map(|batch| batch.as_ref() as &dyn ColumnSource).collect();
            let fields = Some(WantedFields { names: Vec::new(), values_max });
            let wanted = Wanted { one_in, fields, ..Wanted::default() };
            prop_assert_eq!(seen(&asked, query, &wanted), seen(&batches, query, &wanted), "{} of {}", query, count);
        }
    }
}
