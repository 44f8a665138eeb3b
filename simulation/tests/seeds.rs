//! What `cargo xtask test` asks of the simulation: many seeds hold, a seed gives one run, and what is broken on
//! purpose is noticed.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use insighthub_simulation::{Kind, Mutation, Outcome, RunOptions, run_seed};

const SEEDS: u64 = 200;
/// A mutation must be noticed within these.
const MUTATION_SEEDS: u64 = 200;

/// Runs seeds on every processor until one is left out by `goes_on`.
fn run(seeds: u64, options: RunOptions, goes_on: impl Fn(&Outcome) -> bool + Sync) -> Vec<Outcome> {
    let next = AtomicU64::new(1);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        return;
                    }
                    let outcome = run_seed(seed, options).unwrap();
                    if !goes_on(&outcome) {
                        next.store(seeds + 1, Ordering::Relaxed);
                    }
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

#[test]
fn many_seeds_hold() {
    let outcomes = run(SEEDS, RunOptions::default(), |_| true);
    let faults: Vec<_> = outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).collect();
    assert!(faults.is_empty(), "cargo xtask sim --first SEED --seeds 1 repeats one of\n{faults:#?}");
    // A run in which nothing happens proves nothing.
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    assert!(outcomes.iter().all(|outcome| outcome.counts.acknowledged > 50), "a seed that hardly wrote");
    assert!(sum(|outcome| outcome.counts.duplicates) > SEEDS / 10, "retries were hardly tried");
    assert!(sum(|outcome| outcome.counts.known) > 10 * SEEDS, "an agent hardly began again");
    assert!(sum(|outcome| outcome.counts.reads) > 10 * SEEDS, "there were hardly any reads");
    assert!(sum(|outcome| outcome.counts.seals) > 5 * SEEDS, "there were hardly any seals");
    assert!(sum(|outcome| outcome.counts.merged_blocks) > SEEDS, "blocks were hardly merged");
    assert!(sum(|outcome| outcome.counts.deletions) > SEEDS, "hardly anything was deleted");
    assert!(sum(|outcome| outcome.failed_logs) > SEEDS / 10, "disks hardly failed");
    let struck: BTreeSet<Kind> = outcomes.iter().flat_map(|outcome| outcome.faults.keys().copied()).collect();
    assert_eq!(struck.len(), Kind::ALL.len(), "only {struck:?} struck");
}

#[test]
fn a_seed_gives_one_run() {
    for seed in 1..=12 {
        let first = run_seed(seed, RunOptions::default()).unwrap();
        assert_eq!(run_seed(seed, RunOptions::default()).unwrap(), first, "seed {seed}");
    }
    let hashes: BTreeSet<_> =
        (1..=4).map(|seed| run_seed(seed, RunOptions::default()).unwrap().trace_hash).collect();
    assert_eq!(hashes.len(), 4, "the seed has no effect");
}

fn assert_noticed(mutation: Mutation) {
    let options = RunOptions { mutation, prints: false };
    let outcomes = run(MUTATION_SEEDS, options, |outcome| outcome.violations.is_empty());
    let noticed = outcomes.iter().any(|outcome| !outcome.violations.is_empty());
    assert!(noticed, "{mutation:?} was not noticed in {} seeds", outcomes.len());
}

#[test]
fn a_disk_that_does_not_sync_is_noticed() {
    assert_noticed(Mutation::SkipSync);
}

#[test]
fn an_acknowledgement_before_the_commit_is_noticed() {
    assert_noticed(Mutation::AcknowledgeBeforeCommit);
}

#[test]
fn batches_nobody_remembers_are_noticed() {
    assert_noticed(Mutation::DropDedupe);
}

#[test]
fn records_nobody_remembers_are_noticed() {
    assert_noticed(Mutation::DropKeys);
}

#[test]
fn an_answer_before_the_read_index_is_noticed() {
    assert_noticed(Mutation::ServeBeforeReadIndex);
}
