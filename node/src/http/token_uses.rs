//! When tokens were used, as this node has seen it and not told yet.

use std::collections::HashMap;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;
use parking_lot::Mutex;

/// Uses are told this apart at the least: who asks wants to know whether a token is still needed.
const STEP_NANOS: i64 = 300 * NANOS_PER_SEC;
/// Tokens remembered between two tellings: as many as there can be.
const TOKENS_MAX: usize = 100_000;

/// By token: its last use, and whether that is still to be told.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<HashMap<String, (Timestamp, bool)>>);

impl TokenUses {
    /// Called with each request.
    pub(super) fn count(&self, id: String, now: Timestamp) {
        let step = Timestamp(now.0.div_euclid(STEP_NANOS) * STEP_NANOS);
        let mut uses = self.0.lock();
        let is_full = uses.len() >= TOKENS_MAX;
        match uses.get_mut(&id) {
            Some((last, _)) if *last >= step => {}
            Some(known) => *known = (step, true),
            None if is_full => {}
            None => {
                uses.insert(id, (step, true));
            }
        }
    }

    /// What was not told yet.
    pub(crate) fn take(&self) -> Vec<(String, Timestamp)> {
        let mut uses = self.0.lock();
        let untold = uses.iter_mut().filter(|(_, (_, is_new))| *is_new);
        let taken = untold.map(|(id, (at, is_new))| {
            *is_new = false;
            (id.clone(), *at)
        });
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_told_once_in_five_minutes() {
        let uses = TokenUses::default();
        let at = |secs: i64| Timestamp(secs * NANOS_PER_SEC);
        for secs in [600, 601, 899] {
            uses.count("a".into(), at(secs));
        }
        assert_eq!(uses.take(), [("a".to_owned(), at(600))]);
        uses.count("a".into(), at(899));
        assert!(uses.take().is_empty());
        uses.count("a".into(), at(900));
        assert_eq!(uses.take(), [("a".to_owned(), at(900))]);
    }
}
