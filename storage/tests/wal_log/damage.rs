//! Random damage anywhere in the files: refused, or without effect, or the last write is cut. Never shown.

use bytes::Bytes;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::wal::{GroupId, Wal, WalError};
use proptest::prelude::*;

use crate::model::{Change, GroupModel, Groups, World, directory, entry, mark, read_all, small};

/// A log of several segments, and what it ought to hold.
struct Written {
    fs: SimFs,
    /// Before the last write.
    before: Groups,
    after: Groups,
    /// Every entry there ever was, purged ones too.
    ever: Groups,
}

fn written(writes: u64) -> Written {
    let mut world = World::new(1);
    let (mut before, mut ever) = (world.now(), Groups::new());
    for write in 1..=writes {
        before = world.now();
        let group = GroupId((write % 3) as u16);
        let index = world.now().get(&group).map_or(1, GroupModel::next_index);
        let entries = vec![entry(index, write, vec![write as u8; 700]), entry(index + 1, write, vec![1; 30])];
        ever.entry(group).or_default().apply(&Change::Append(entries.clone()));
        world.change(group, Change::Append(entries));
        world.change(group, Change::Vote(Bytes::from(write.to_string())));
        if write % 7 == 0 {
            world.change(group, Change::Purge(index));
        }
        assert!(world.step());
    }
    let after = world.now();
    Written { fs: world.fs.kill(), before, after, ever }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_refused_or_harmless_or_cuts_the_last_write(
        writes in 1u64..20,
        file in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let Written { fs, before, after, ever } = written(writes);
        let names = fs.list(&directory()).unwrap();
        let path = directory().join(file.get(&names));
        let handle = fs.open(&path).unwrap();
        let offset = place.index(usize::try_from(handle.len().unwrap()).unwrap().max(1));
        handle.write_all_at(&bytes, offset as u64).unwrap();
        match Wal::open_stepped(fs.as_fs(), &directory(), small()) {
            Err(WalError::Corrupt { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
            Ok((wal, _flusher)) => {
                let found = read_all(&wal);
                for (group, state) in &found {
                    // Of the last write any part may be gone; of all others none.
                    let (least, most) = (before.get(group), after.get(group).cloned().unwrap_or_default());
                    let least = least.cloned().unwrap_or_default();
                    let known = ever.get(group).cloned().unwrap_or_default().entries;
                    let was_written = |(index, entry)| known.get(index) == Some(entry);
                    prop_assert!(state.entries.iter().all(was_written), "an entry that nobody wrote");
                    let kept = |index: &u64| {
                        state.entries.contains_key(index) || state.purged >= Some(*index)
                    };
                    prop_assert!(least.entries.keys().all(kept), "an entry of an older write is gone");
                    prop_assert!(state.vote == least.vote || state.vote == most.vote);
                    prop_assert!(state.purged == least.purged || state.purged == most.purged);
                }
                prop_assert!(before.keys().all(|group| found.contains_key(group)));
            }
        }
    }
}

#[test]
fn a_foreign_file_among_the_segments_is_left_alone() {
    let Written { fs, after, .. } = written(3);
    let path = directory().join("notes.txt");
    fs.create_new(&path).unwrap().write_all_at(b"hello", 0).unwrap();
    let (wal, _flusher) = Wal::open_stepped(fs.as_fs(), &directory(), small()).unwrap();
    assert_eq!(read_all(&wal), after);
    assert_eq!(fs.read(&path).unwrap(), b"hello");
    assert_eq!(wal.purged(GroupId(0)), after.get(&GroupId(0)).and_then(|group| group.purged).map(mark));
}
