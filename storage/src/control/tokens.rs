//! The tokens with which services send their logs and programs read them.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::Timestamp;
use insighthub_model::access::Scope;
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// Tokens kept at once: far more than a cluster has services, and a bound on memory.
const TOKENS_MAX: usize = 100_000;

/// A token with which a service sends its logs, or a program reads them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceToken {
    /// What people call it.
    pub name: String,
    /// The only service it may write; `None`: every one.
    pub service: Option<String>,
    /// At least one.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of the secret part.
    pub secret_hash: [u8; 32],
    pub created_at: Timestamp,
    /// From then on it opens nothing; `None`: until it is revoked.
    pub expires_at: Option<Timestamp>,
    /// When it was last heard of by the minute; `None`: never.
    pub last_used: Option<Timestamp>,
}

impl ServiceToken {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Changes tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TokenCommand {
    Create {
        id: String,
        token: ServiceToken,
    },
    Revoke {
        id: String,
    },
    /// Puts another token in the place of one, which goes on opening until some moment.
    Rotate {
        id: String,
        until: Timestamp,
        new_id: String,
        secret_hash: [u8; 32],
        at: Timestamp,
    },
    /// These were used.
    Used(Vec<(String, Timestamp)>),
}

/// By id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tokens {
    pub by_id: BTreeMap<String, ServiceToken>,
}

impl Tokens {
    pub(super) fn apply(&mut self, command: TokenCommand) -> ControlReply {
        match command {
            TokenCommand::Create { id, token } => return self.create(id, token),
            TokenCommand::Revoke { id } => {
                if self.by_id.remove(&id).is_none() {
                    return ControlReply::NotFound;
                }
            }
            TokenCommand::Rotate { id, until, new_id, secret_hash, at } => {
                let Some(old) = self.by_id.get(&id).filter(|token| token.is_valid(at)) else {
                    return ControlReply::NotFound;
                };
                let new = ServiceToken { secret_hash, created_at: at, last_used: None, ..old.clone() };
                match self.create(new_id, new) {
                    ControlReply::Done => {}
                    refused => return refused,
                }
                if let Some(old) = self.by_id.get_mut(&id) {
                    old.expires_at = Some(old.expires_at.map_or(until, |end| end.min(until)));
                }
            }
            TokenCommand::Used(used) => {
                for (id, at) in used {
                    if let Some(token) = self.by_id.get_mut(&id) {
                        token.last_used = token.last_used.max(Some(at));
                    }
                }
            }
        }
        ControlReply::Done
    }

    fn create(&mut self, id: String, token: ServiceToken) -> ControlReply {
        if self.by_id.len() >= TOKENS_MAX {
            return ControlReply::LimitReached;
        }
        if self.by_id.contains_key(&id) {
            return ControlReply::Conflict;
        }
        self.by_id.insert(id, token);
        ControlReply::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_at: Option<i64>) -> ServiceToken {
        ServiceToken {
            name: "checkout in the shop".into(),
            service: Some("checkout".into()),
            scopes: [Scope::Write].into(),
            secret_hash: [1; 32],
            created_at: Timestamp(0),
            expires_at: expires_at.map(Timestamp),
            last_used: None,
        }
    }

    fn rotate(id: &str, new_id: &str, until: i64) -> TokenCommand {
        let (id, new_id) = (id.to_owned(), new_id.to_owned());
        TokenCommand::Rotate { id, until: Timestamp(until), new_id, secret_hash: [2; 32], at: Timestamp(50) }
    }

    #[test]
    fn both_tokens_open_while_one_takes_the_place_of_the_other() {
        let mut tokens = Tokens::default();
        tokens.apply(TokenCommand::Create { id: "old".into(), token: token(None) });
        assert_eq!(tokens.apply(rotate("old", "new", 100)), ControlReply::Done);
        let is_valid = |id: &str, at| tokens.by_id[id].is_valid(Timestamp(at));
        assert_eq!([is_valid("old", 99), is_valid("old", 100), is_valid("new", 1_000)], [true, false, true]);
        let new = &tokens.by_id["new"];
        assert_eq!((new.secret_hash, new.created_at), ([2; 32], Timestamp(50)));
        assert_eq!((&new.service, &new.scopes), (&tokens.by_id["old"].service, &tokens.by_id["old"].scopes));
    }

    #[test]
    fn a_rotation_makes_no_token_live_longer_and_wakes_none() {
        let mut tokens = Tokens::default();
        tokens.apply(TokenCommand::Create { id: "short".into(), token: token(Some(60)) });
        tokens.apply(TokenCommand::Create { id: "dead".into(), token: token(Some(40)) });
        assert_eq!(tokens.apply(rotate("short", "next", 100)), ControlReply::Done);
        assert_eq!(tokens.by_id["short"].expires_at, Some(Timestamp(60)));
        assert_eq!(tokens.by_id["next"].expires_at, Some(Timestamp(60)));
        assert_eq!(tokens.apply(rotate("dead", "other", 100)), ControlReply::NotFound);
        assert_eq!(tokens.apply(rotate("short", "next", 100)), ControlReply::Conflict);
        assert_eq!(tokens.apply(rotate("none", "other", 100)), ControlReply::NotFound);
    }

    #[test]
    fn the_last_use_is_the_latest_whatever_order_nodes_tell_it_in() {
        let mut tokens = Tokens::default();
        tokens.apply(TokenCommand::Create { id: "a".into(), token: token(None) });
        for at in [30, 20] {
            tokens
                .apply(TokenCommand::Used(vec![("a".into(), Timestamp(at)), ("gone".into(), Timestamp(at))]));
        }
        assert_eq!(tokens.by_id["a"].last_used, Some(Timestamp(30)));
        assert_eq!(tokens.by_id.len(), 1);
    }
}
