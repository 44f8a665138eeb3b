//! What the merge policy promises: few blocks, little rewriting, bounded commands.

use super::*;
use proptest::prelude::*;

fn shape(seal_index: u64, rows: u64) -> BlockShape {
    BlockShape { id: BlockId::of_seal(seal_index), rows, raw_bytes: rows * 200, due: Due::No, is_whole: true }
}

/// Carries out a plan as `Merge` does.
fn merge(blocks: &mut Vec<BlockShape>, runs: &[Vec<BlockId>], index: u64) -> u64 {
    let mut rewritten = 0;
    for run in runs {
        let at = blocks.iter().position(|block| block.id == run[0]).unwrap();
        let merged: Vec<BlockShape> = blocks.splice(at..at + run.len(), []).collect();
        assert_eq!(merged.iter().map(|block| block.id).collect::<Vec<_>>(), *run, "neighbours in order");
        let rows = merged.iter().map(|block| block.rows).sum();
        let seal_index = run.last().unwrap().seal_index;
        let id = BlockId { seal_index, written_by: index };
        blocks.insert(at, BlockShape { id, ..shape(seal_index, rows) });
        rewritten += rows;
    }
    rewritten
}

fn settle(blocks: &mut Vec<BlockShape>, pace: Pace, index: &mut u64) -> u64 {
    let mut rewritten = 0;
    for _ in 0..10_000 {
        let runs = plan_merges(blocks, pace);
        if runs.is_empty() {
            return rewritten;
        }
        *index += 1;
        rewritten += merge(blocks, &runs, *index);
    }
    panic!("it never ends");
}

proptest! {
    #[test]
    fn merging_ends_with_few_blocks_and_writes_no_record_often(
        sizes in prop::collection::vec(prop_oneof![3 => 1u64..50, 1 => 1u64..9_000, 1 => Just(65_536)], 1..150),
    ) {
        let (mut blocks, mut index, mut rewritten) = (Vec::new(), 1_000_000, 0);
        for (seal, rows) in (1..).zip(&sizes) {
            blocks.push(shape(seal, *rows));
            rewritten += settle(&mut blocks, Pace::Busy, &mut index);
        }
        let total: u64 = sizes.iter().sum();
        prop_assert!(rewritten <= total * 16, "{rewritten} records written for {total}");
        prop_assert_eq!(blocks.iter().map(|block| block.rows).sum::<u64>(), total);
        settle(&mut blocks, Pace::AtRest, &mut index);
        prop_assert_eq!(blocks.iter().map(|block| block.rows).sum::<u64>(), total);
        prop_assert!(blocks.iter().all(|block| block.rows <= RECORDS_MAX));
        let alone = |pair: &[BlockShape]| {
            let (small, large) = (pair[0].rows.min(pair[1].rows), pair[0].rows.max(pair[1].rows));
            pair[0].rows + pair[1].rows > RECORDS_MAX || small < large / REST_SHARE
        };
        prop_assert!(blocks.windows(2).all(alone), "{blocks:?} could be fewer");
    }

    #[test]
    fn a_command_is_bounded_and_names_no_block_twice(
        sizes in prop::collection::vec((0u64..65_537, any::<bool>(), prop::bool::weighted(0.9)), 0..60),
        at_rest in any::<bool>(),
    ) {
        let blocks: Vec<BlockShape> = (1..).zip(&sizes).map(|(seal, (rows, due, is_whole))| {
            let due = if *due { Due::Rewrite } else { Due::No };
            BlockShape { due, is_whole: *is_whole, ..shape(seal, *rows) }
        }).collect();
        let runs = plan_merges(&blocks, if at_rest { Pace::AtRest } else { Pace::Busy });
        let named: Vec<BlockId> = runs.iter().flatten().copied().collect();
        let of = |id: &BlockId| blocks.iter().find(|block| block.id == *id).unwrap();
        prop_assert!(named.iter().all(|id| of(id).is_whole));
        prop_assert!(named.iter().map(|id| of(id).rows).sum::<u64>() <= COMMAND_RECORDS_MAX);
        let distinct: std::collections::BTreeSet<_> = named.iter().collect();
        prop_assert_eq!(distinct.len(), named.len());
        let is_due = |block: &BlockShape| block.due == Due::Rewrite && block.is_whole;
        prop_assert!(!blocks.iter().any(is_due) || named.iter().any(|id| is_due(of(id))), "what must go goes first");
    }
}

#[test]
fn a_thousand_tiny_blocks_at_rest_become_one() {
    let mut blocks: Vec<BlockShape> = (1..=1_000).map(|seal| shape(seal, 3)).collect();
    settle(&mut blocks, Pace::AtRest, &mut 10_000);
    assert_eq!(blocks.len(), 1);
}

#[test]
fn a_block_that_cannot_be_read_parts_its_neighbours() {
    let mut blocks: Vec<BlockShape> = (1..=9).map(|seal| shape(seal, 10)).collect();
    blocks[4].is_whole = false;
    settle(&mut blocks, Pace::AtRest, &mut 100);
    assert_eq!(blocks.iter().map(|block| block.rows).collect::<Vec<_>>(), [40, 10, 40]);
}
