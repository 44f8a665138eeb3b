//! What may happen to a partition.

use proptest::prelude::*;

use crate::plain::{MINUTES, PlainRecord, Wanted, record, wanted};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Append(Vec<PlainRecord>),
    /// Time in which batches are joined.
    Rest,
    /// Service, minute, word.
    Letter(usize, i64, usize),
    Seal,
    /// The leader's clock says this minute.
    Tick(i64),
    /// Detectors are told this revision of the settings, which may be an old one.
    Tell(u64),
    /// Any neighbours, whether that is clever or not.
    Merge {
        at: usize,
        length: usize,
    },
    /// What the policy wants.
    Tidy,
    Expire {
        default: Option<i64>,
        service: Option<(usize, Option<i64>)>,
        floor: f64,
    },
    Delete(Wanted),
    /// Everything a leader does until no deletion is in force.
    EndDeletions,
    /// Of the second replica.
    Restart {
        with_power: bool,
    },
    /// Its disk stops in the middle of what comes next.
    Break {
        operations: u64,
    },
    /// Its disk fills up in the middle of what comes next, until there is room again.
    Fill {
        writes: u64,
    },
    MakeRoom,
    /// One of its blocks loses a bit; it is mended after what comes next.
    Damage {
        at: usize,
    },
    /// It is replaced by a copy of the first.
    Replace,
    Search(Wanted),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => prop::collection::vec(record(), 1..40).prop_map(Step::Append),
        4 => Just(Step::Rest),
        1 => (0usize..3, 0i64..MINUTES, 0usize..5).prop_map(|(a, b, c)| Step::Letter(a, b, c)),
        6 => Just(Step::Seal),
        3 => (0i64..MINUTES).prop_map(Step::Tick),
        1 => (0u64..9).prop_map(Step::Tell),
        3 => (0usize..8, 1usize..5).prop_map(|(at, length)| Step::Merge { at, length }),
        2 => Just(Step::Tidy),
        2 => expire(),
        2 => wanted().prop_map(Step::Delete),
        1 => Just(Step::EndDeletions),
        1 => any::<bool>().prop_map(|with_power| Step::Restart { with_power }),
        1 => (0u64..40).prop_map(|operations| Step::Break { operations }),
        1 => (0u64..4).prop_map(|writes| Step::Fill { writes }),
        1 => Just(Step::MakeRoom),
        1 => (0usize..8).prop_map(|at| Step::Damage { at }),
        1 => Just(Step::Replace),
        1 => wanted().prop_map(Step::Search),
    ];
    prop::collection::vec(step, 1..40)
}

fn expire() -> impl Strategy<Value = Step> {
    let minute = || prop::option::of(-2i64..MINUTES / 2);
    let floor = prop_oneof![3 => Just(0.0), 1 => 0.0f64..0.6];
    (minute(), prop::option::of((0usize..3, minute())), floor)
        .prop_map(|(default, service, floor)| Step::Expire { default, service, floor })
}
