//! What a record is known by when it comes again with another request.
//!
//! A digest that nobody can meet on purpose (SHA-256, FIPS 180-4, its first half): who may write one service cannot make another's
//! record look as if it were stored already.

use sha2::{Digest, Sha256};

/// A digest that tells senders, protocols and records apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Nothing: what comes again is another record.
    None,
    /// The name its client gave it: it is the same record even if it does not say when it happened.
    Id(u128),
    /// All that it says, with the moment it happened. What stands in one request more than once was meant more than once.
    Content(u128),
}

/// Takes in what tells a record from others, part by part.
#[derive(Clone, Debug)]
pub(super) struct KeyMaker(Sha256);

impl KeyMaker {
    /// Records of a protocol, from senders whose token is bound to this service.
    pub(super) fn new(protocol: &str, token_service: Option<&str>) -> KeyMaker {
        let mut maker = KeyMaker(Sha256::new());
        maker.take(protocol.as_bytes());
        maker.take(&[u8::from(token_service.is_some())]);
        maker.take(token_service.unwrap_or_default().as_bytes());
        maker
    }

    pub(super) fn take(&mut self, part: &[u8]) {
        // With its length, so that no two series of parts are the same bytes.
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    pub(super) fn finish(self) -> u128 {
        self.0.finalize().first_chunk().map_or(1, |half| u128::from_le_bytes(*half)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(token_service: Option<&str>, parts: &[&str]) -> u128 {
        let mut maker = KeyMaker::new("loki", token_service);
        parts.iter().for_each(|part| maker.take(part.as_bytes()));
        maker.finish()
    }

    #[test]
    fn what_differs_has_another_key() {
        let keys = [
            key(None, &["ab", "c"]),
            key(None, &["a", "bc"]),
            key(None, &["abc"]),
            key(None, &["abc", ""]),
            key(Some(""), &["abc"]),
            key(Some("mail"), &["abc"]),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(key(Some("mail"), &["abc"]), keys[5]);
    }
}
