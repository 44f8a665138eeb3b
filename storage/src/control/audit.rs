//! What people did to the cluster, in the order in which it took effect. Each entry's hash covers the one before, so that a
//! changed, missing or added entry shows (Haber and Stornetta 1991, linked time stamps).

use std::collections::VecDeque;

use insighthub_model::Timestamp;
use insighthub_model::api::audit::{AuditEntry, Outcome};
use serde::{Deserialize, Serialize};

use super::{ControlCommand, ControlReply};

/// Entries kept; the oldest make room. At a few hundred bytes each they are a few megabytes.
const ENTRIES_MAX: usize = 10_000;
/// Longer texts are cut: what is told is told by the first words.
const TEXT_BYTES_MAX: usize = 1_024;

/// Who does what, when, from where: what an entry says beside what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    pub at: Timestamp,
    /// By the clock of the node that was asked.
    pub node: String,
    pub user: String,
    /// As `token.create`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// Never a secret.
    pub detail: String,
}

/// A deed and what it changes in the control state; `None` where it changes something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditedCommand {
    pub deed: Deed,
    pub command: Option<Box<ControlCommand>>,
}

/// The newest entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditTrail {
    entries: VecDeque<AuditEntry>,
    /// Number of the next entry, and the hash of the newest.
    next: u64,
    hash: [u8; 32],
}

impl AuditTrail {
    /// Entries from a number on, oldest first.
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = &AuditEntry> {
        let first = self.entries.front().map_or(self.next, |entry| entry.number);
        self.entries.iter().skip(number.saturating_sub(first) as usize)
    }

    pub(super) fn push(&mut self, deed: Deed, reply: ControlReply) {
        let outcome = match reply {
            ControlReply::Done | ControlReply::Node(_) | ControlReply::Deletion(_) => Outcome::Done,
            ControlReply::NotFound => Outcome::NotFound,
            ControlReply::LimitReached => Outcome::LimitReached,
            ControlReply::Conflict => Outcome::Refused,
        };
        let Deed { at, node, user, action, target, detail } = deed;
        let entry = AuditEntry {
            number: self.next,
            at,
            node: short(node),
            user: short(user),
            action: short(action),
            target: short(target),
            detail: short(detail),
            outcome,
            hash: [0; 32],
        };
        let entry = entry.chained(&self.hash);
        (self.next, self.hash) = (self.next + 1, entry.hash);
        self.entries.push_back(entry);
        if self.entries.len() > ENTRIES_MAX {
            self.entries.pop_front();
        }
    }
}

fn short(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    }
    text
}

#[cfg(test)]
mod tests {
    use insighthub_model::api::audit::verify;

    use super::*;

    fn deed(number: u64) -> Deed {
        Deed {
            at: Timestamp(number as i64),
            node: "n1".into(),
            user: "root".into(),
            action: "token.create".into(),
            target: format!("t{number}"),
            detail: "é".repeat(2_000),
        }
    }

    #[test]
    fn the_trail_is_bounded_and_what_is_left_of_it_holds_together() {
        let mut trail = AuditTrail::default();
        for number in 0..ENTRIES_MAX as u64 + 5 {
            trail.push(deed(number), ControlReply::Done);
        }
        let entries: Vec<_> = trail.from(0).cloned().collect();
        assert_eq!((entries.len(), entries[0].number), (ENTRIES_MAX, 5));
        assert_eq!(entries[0].detail.len(), TEXT_BYTES_MAX);
        assert_eq!(verify(&entries), Ok(()));
        assert_eq!(
            trail.from(ENTRIES_MAX as u64 + 3).map(|entry| entry.number).collect::<Vec<_>>(),
            [10_003, 10_004]
        );
        assert_eq!(trail.from(99_999).count(), 0);
    }

    #[test]
    fn what_was_refused_is_told_as_well() {
        let mut trail = AuditTrail::default();
        for reply in [ControlReply::Done, ControlReply::Conflict, ControlReply::NotFound] {
            trail.push(deed(1), reply);
        }
        let outcomes: Vec<_> = trail.from(0).map(|entry| entry.outcome).collect();
        assert_eq!(outcomes, [Outcome::Done, Outcome::Refused, Outcome::NotFound]);
    }
}
