//! Random changes of several groups with random accidents: after every restart the log holds a prefix of all
//! changes that covers everything acknowledged.

use crate::model::{Change, World, entry};
use std::cell::RefCell;

use bytes::Bytes;
use insighthub_storage::fs::{Fault, SimFs};
use insighthub_storage::wal::GroupId;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Clone, Debug)]
enum Act {
    /// Entries of these sizes.
    Append(u16, Vec<usize>),
    Vote(u16, u64),
    Committed(u16, u64),
    /// Removes that many of the last entries, if there are.
    Truncate(u16, u64),
    /// Keeps that many of the last entries; more than there are: goes beyond the end.
    Purge(u16, u64),
    Steps(u8),
    /// The next write stores nothing, then the process is restarted.
    WriteFails(u64),
    SyncFails(u64),
    /// The disk stops after some operations; power comes back later.
    StopsAfter(u64),
    /// Another accident while the log is being opened.
    CutDuringOpen(u64),
    /// Power goes between a write and its sync.
    CutDuringWrite,
    PowerCut,
    Kill,
    Close,
    Full,
}

fn any_act() -> impl Strategy<Value = Act> {
    let group = 0u16..4;
    prop_oneof![
        8 => (group.clone(), proptest::collection::vec(prop_oneof![9 => 0usize..1500, 1 => 3000usize..9000], 1..5))
            .prop_map(|(group, sizes)| Act::Append(group, sizes)),
        2 => (group.clone(), any::<u64>()).prop_map(|(group, vote)| Act::Vote(group, vote)),
        2 => (group.clone(), any::<u64>()).prop_map(|(group, mark)| Act::Committed(group, mark)),
        1 => (group.clone(), 0u64..4).prop_map(|(group, count)| Act::Truncate(group, count)),
        3 => (group, 0u64..4).prop_map(|(group, kept)| Act::Purge(group, kept)),
        5 => (1u8..4).prop_map(Act::Steps),
        1 => (0u64..4).prop_map(Act::WriteFails),
        1 => (0u64..4).prop_map(Act::SyncFails),
        1 => (0u64..25).prop_map(Act::StopsAfter),
        1 => (0u64..25).prop_map(Act::CutDuringOpen),
        3 => Just(Act::CutDuringWrite),
        2 => Just(Act::PowerCut),
        1 => Just(Act::Kill),
        1 => Just(Act::Close),
        1 => Just(Act::Full),
    ]
}

fn change(world: &World, act: &Act) -> Option<(GroupId, Change)> {
    let state = |group: u16| world.now().get(&GroupId(group)).cloned().unwrap_or_default();
    let (group, change) = match act {
        Act::Append(group, sizes) => {
            let first = state(*group).next_index();
            let body = |index: u64, size: usize| vec![(index as u8).wrapping_mul(31) ^ *group as u8; size];
            let entries =
                (first..).zip(sizes).map(|(index, size)| entry(index, world.restarts, body(index, *size)));
            (*group, Change::Append(entries.collect()))
        }
        Act::Vote(group, vote) => (*group, Change::Vote(Bytes::from(vote.to_string()))),
        Act::Truncate(group, count) => {
            let state = state(*group);
            if state.entries.is_empty() {
                return None;
            }
            let first = *state.entries.first_key_value()?.0;
            (*group, Change::Truncate(state.next_index().saturating_sub(*count).max(first)))
        }
        Act::Purge(group, kept) => {
            let state = state(*group);
            // Every fifth purge goes beyond the end, as after a snapshot from the leader.
            let beyond = if *kept == 3 { 7 } else { 0 };
            let upto = (state.next_index() + beyond).saturating_sub(1 + kept);
            let first = state.entries.first_key_value().map_or(state.next_index(), |(index, _)| *index);
            if upto < first {
                return None;
            }
            (*group, Change::Purge(upto))
        }
        _ => return None,
    };
    Some((GroupId(group), change))
}

fn restart(world: &mut World, how: impl FnOnce(&SimFs) -> SimFs) {
    world.crash(how);
    world.open().unwrap();
}

fn play(world: &mut World, act: &Act) {
    if let Some((group, change)) = change(world, act) {
        world.change(group, change);
        return;
    }
    match act {
        Act::Committed(group, mark) => {
            if let Some(wal) = &world.wal {
                // Refused after a failure only.
                let saved = wal.save_committed(GroupId(*group), Bytes::from(mark.to_string()));
                assert_eq!(saved.is_err(), wal.is_failed());
            }
        }
        Act::Steps(count) => (0..*count).for_each(|_| {
            world.step();
        }),
        Act::WriteFails(after) => world.fs.inject(Fault::WriteFails { after: *after }),
        Act::SyncFails(after) => world.fs.inject(Fault::SyncFails { after: *after }),
        Act::StopsAfter(operations) => world.fs.inject(Fault::StopsAfter { operations: *operations }),
        Act::CutDuringOpen(operations) => {
            world.crash(SimFs::power_cut);
            world.fs.inject(Fault::StopsAfter { operations: *operations });
            if world.open().is_err() {
                restart(world, SimFs::power_cut);
            }
        }
        Act::CutDuringWrite => {
            world.fs.inject(Fault::StopsAfter { operations: 1 });
            world.step();
            restart(world, SimFs::power_cut);
        }
        Act::PowerCut => restart(world, SimFs::power_cut),
        Act::Kill => restart(world, SimFs::kill),
        Act::Close => {
            while world.step() {}
            restart(world, SimFs::kill);
        }
        Act::Full => {
            world.fs.set_capacity(world.fs.used_bytes());
            world.step();
            world.step();
            world.fs.set_capacity(u64::MAX);
        }
        _ => {}
    }
}

/// What happened in all cases together: a run in which nothing went wrong proves nothing.
#[derive(Debug, Default)]
struct Tally {
    restarts: u64,
    changes: u64,
    lost: u64,
    cuts: u64,
    failures: u64,
    space_waits: u64,
    freed_segments: u64,
}

impl Tally {
    fn note(&mut self, world: &World) {
        let Some(wal) = &world.wal else { return };
        self.failures += u64::from(wal.is_failed());
        self.space_waits += u64::from(wal.waits_for_space());
    }

    fn note_end(&mut self, world: &World) {
        let Some(wal) = &world.wal else { return };
        self.restarts += world.restarts;
        self.changes += world.changes;
        self.lost += world.lost;
        self.cuts += world.cuts;
        self.freed_segments += wal.oldest_segment().map_or(0, |oldest| u64::from(oldest.number) - 1);
    }

    fn check(&self, cases: u64) {
        let each = [self.changes, self.lost, self.restarts, self.freed_segments];
        assert!(each.iter().all(|count| *count > cases), "{self:?}");
        let some = [self.cuts, self.failures, self.space_waits];
        assert!(some.iter().all(|count| *count > cases / 20), "{self:?}");
    }
}

#[test]
fn a_restarted_log_holds_a_prefix_that_covers_all_acknowledged() {
    let config = ProptestConfig { max_shrink_iters: 3000, failure_persistence: None, ..Default::default() };
    let cases = u64::from(config.cases);
    let tally = RefCell::new(Tally::default());
    let story = (any::<u64>(), proptest::collection::vec(any_act(), 1..120));
    let told = TestRunner::new(config).run(&story, |(seed, acts)| {
        let mut world = World::new(seed);
        for act in &acts {
            play(&mut world, act);
            world.check_readable();
            tally.borrow_mut().note(&world);
        }
        restart(&mut world, SimFs::power_cut);
        // And once more: opening must not harm what it found.
        restart(&mut world, SimFs::power_cut);
        world.check_readable();
        tally.borrow_mut().note_end(&world);
        Ok(())
    });
    if let Err(failure) = told {
        panic!("{failure}");
    }
    tally.into_inner().check(cases);
}
