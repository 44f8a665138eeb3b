//! The keys with which all nodes sign what they let people carry about: access tokens, the steps of a sign-in.

use insighthub_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// A key is replaced when it is this old.
pub const KEY_LIFE_SECS: u64 = 86_400;
/// What was signed just before is valid for so long: more than any token lives.
const OVERLAP_SECS: u64 = 3_600;

/// 256 random bits that no node shows anybody.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Stands in the header of what it signs.
    pub number: u64,
    pub secret: [u8; 32],
    pub made_at: Timestamp,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Another key signs from now on.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct AddSigningKey {
    /// The key whose successor it is, 0 for the first; of several successors the first to come is taken.
    pub after: u64,
    pub secret: [u8; 32],
    pub at: Timestamp,
}

impl std::fmt::Debug for AddSigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddSigningKey").field("after", &self.after).finish_non_exhaustive()
    }
}

/// The newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SigningKeys {
    keys: Vec<SigningKey>,
}

impl SigningKeys {
    pub(super) fn apply(&mut self, command: AddSigningKey) -> ControlReply {
        if command.after != self.newest().map_or(0, |key| key.number) {
            return ControlReply::Conflict;
        }
        self.keys = (self.keys.iter()).filter(|key| self.is_good(key, command.at)).cloned().collect();
        let AddSigningKey { after, secret, at } = command;
        self.keys.push(SigningKey { number: after + 1, secret, made_at: at });
        ControlReply::Done
    }

    /// The key that signs.
    pub fn newest(&self) -> Option<&SigningKey> {
        self.keys.last()
    }

    /// The key of a number, for as long as anything it has signed may be valid.
    pub fn get(&self, number: u64, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.number == number).filter(|key| self.is_good(key, now))
    }

    fn is_good(&self, key: &SigningKey, now: Timestamp) -> bool {
        let successor = self.keys.iter().find(|other| other.number > key.number);
        successor.is_none_or(|successor| now < successor.made_at.plus_secs(OVERLAP_SECS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(keys: &mut SigningKeys, after: u64, secs: u64) -> ControlReply {
        keys.apply(AddSigningKey { after, secret: [after as u8; 32], at: Timestamp(0).plus_secs(secs) })
    }

    #[test]
    fn of_two_nodes_that_make_a_key_one_is_first() {
        let mut keys = SigningKeys::default();
        assert_eq!(add(&mut keys, 0, 5), ControlReply::Done);
        assert_eq!(add(&mut keys, 0, 6), ControlReply::Conflict);
        assert_eq!(keys.newest().map(|key| (key.number, key.made_at)), Some((1, Timestamp(0).plus_secs(5))));
    }

    #[test]
    fn a_key_outlives_its_successors_first_hour_and_goes_then() {
        let mut keys = SigningKeys::default();
        add(&mut keys, 0, 0);
        add(&mut keys, 1, KEY_LIFE_SECS);
        let at = |secs| Timestamp(0).plus_secs(KEY_LIFE_SECS + secs);
        assert!(keys.get(1, at(OVERLAP_SECS - 1)).is_some(), "what it signed a moment ago is valid");
        assert!(keys.get(1, at(OVERLAP_SECS)).is_none());
        add(&mut keys, 2, KEY_LIFE_SECS + OVERLAP_SECS);
        assert_eq!(keys.keys.iter().map(|key| key.number).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn no_key_is_printed() {
        let mut keys = SigningKeys::default();
        add(&mut keys, 0, 0);
        add(&mut keys, 1, 0);
        assert!(!format!("{keys:?}").contains("[1, 1"), "{keys:?}");
    }
}
