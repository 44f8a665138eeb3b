//! State of the control group: nodes and placement, users, service tokens, sessions, retention, deletions, verdicts on
//! episodes, alerts. Pure: same commands, same state.
//!
//! Small by nature, so all of it is in memory and all of it is in each snapshot.

pub mod alerts;
mod deletions;
mod topology;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_model::Timestamp;
use insighthub_model::access::Role;
use insighthub_model::retention::Retention;
use serde::{Deserialize, Serialize};

pub use alerts::{AlertCommand, Alerts};
pub use deletions::{DeletionCommand, DeletionEntry, Deletions};
pub use topology::{NodeEntry, NodeState, Topology, TopologyCommand};
pub use verdicts::{KeptVerdict, SayVerdict, VerdictEntry, Verdicts};

use crate::codec;
use crate::raft::NodeId;

/// Sessions kept at once; opening one more ends the one that expires first.
const SESSIONS_MAX: usize = 10_000;
/// Tokens kept at once: far more than a cluster has services, and a bound on memory.
const TOKENS_MAX: usize = 100_000;

/// What changes the control state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ControlCommand {
    SetUser { name: String, user: User },
    CreateToken { id: String, token: ServiceToken },
    RevokeToken { id: String },
    OpenSession { hash: [u8; 32], session: Session },
    CloseSession { hash: [u8; 32] },
    Topology(TopologyCommand),
    SetRetention(Retention),
    Deletion(DeletionCommand),
    SayVerdict(SayVerdict),
    Alert(AlertCommand),
}

/// What a control command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlReply {
    Done,
    NotFound,
    LimitReached,
    /// Something else is already so; nothing was changed.
    Conflict,
    /// The number of the node that was asked about.
    Node(NodeId),
    /// The number of the deletion that was begun.
    Deletion(u64),
}

/// Someone who can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub role: Role,
    /// Argon2id in PHC form; never the password.
    pub password_hash: String,
}

/// A token with which a service sends its logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceToken {
    /// What people call it.
    pub name: String,
    /// The only service it may write.
    pub service: String,
    /// SHA-256 of the secret part.
    pub secret_hash: [u8; 32],
    pub created_at: Timestamp,
}

/// A signed-in browser or client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub user: String,
    pub expires_at: Timestamp,
}

/// Everything the control group knows. Ordered maps: their bytes are equal on all replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlState {
    pub users: BTreeMap<String, User>,
    pub tokens: BTreeMap<String, ServiceToken>,
    /// By SHA-256 of the session's secret.
    pub sessions: BTreeMap<[u8; 32], Session>,
    pub topology: Topology,
    /// Shared, as every request asks for it.
    #[serde(with = "codec::shared")]
    pub retention: Arc<Retention>,
    pub deletions: Deletions,
    pub verdicts: Verdicts,
    pub alerts: Alerts,
}

impl ControlState {
    pub fn apply(&mut self, command: ControlCommand) -> ControlReply {
        match command {
            ControlCommand::SetUser { name, user } => {
                self.users.insert(name, user);
            }
            ControlCommand::CreateToken { id, token } => {
                if self.tokens.len() >= TOKENS_MAX {
                    return ControlReply::LimitReached;
                }
                self.tokens.insert(id, token);
            }
            ControlCommand::RevokeToken { id } => {
                if self.tokens.remove(&id).is_none() {
                    return ControlReply::NotFound;
                }
            }
            ControlCommand::OpenSession { hash, session } => self.open_session(hash, session),
            ControlCommand::CloseSession { hash } => {
                if self.sessions.remove(&hash).is_none() {
                    return ControlReply::NotFound;
                }
            }
            ControlCommand::Topology(command) => return self.topology.apply(command),
            ControlCommand::SetRetention(retention) => self.retention = Arc::new(retention),
            ControlCommand::Deletion(command) => return self.deletions.apply(command),
            ControlCommand::SayVerdict(command) => return self.verdicts.apply(command),
            ControlCommand::Alert(command) => return self.alerts.apply(command),
        }
        ControlReply::Done
    }

    /// What of this state makes sense in another cluster: not who is signed in, nor its nodes and placement,
    /// nor what fires there.
    pub fn portable(&self) -> ControlState {
        ControlState {
            sessions: BTreeMap::new(),
            // How services are spread decides where a repeated batch is looked for.
            topology: Topology { spread: self.topology.spread.clone(), ..Topology::default() },
            alerts: self.alerts.portable(),
            ..self.clone()
        }
    }

    fn open_session(&mut self, hash: [u8; 32], session: Session) {
        if self.sessions.len() >= SESSIONS_MAX {
            let first_to_expire =
                self.sessions.iter().min_by_key(|(hash, session)| (session.expires_at, **hash));
            if let Some(hash) = first_to_expire.map(|(hash, _)| *hash) {
                self.sessions.remove(&hash);
            }
        }
        self.sessions.insert(hash, session);
    }

    /// The session and its user, if it exists and has not expired.
    pub fn session(&self, hash: &[u8; 32], now: Timestamp) -> Option<(&str, &User)> {
        let session = self.sessions.get(hash).filter(|session| session.expires_at > now)?;
        Some((session.user.as_str(), self.users.get(&session.user)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User { role: Role::Admin, password_hash: "$argon2id$".into() }
    }

    #[test]
    fn an_expired_or_closed_session_opens_nothing() {
        let mut state = ControlState::default();
        state.apply(ControlCommand::SetUser { name: "admin".into(), user: user() });
        let session = Session { user: "admin".into(), expires_at: Timestamp(100) };
        state.apply(ControlCommand::OpenSession { hash: [7; 32], session });
        assert_eq!(state.session(&[7; 32], Timestamp(99)).map(|(name, _)| name), Some("admin"));
        assert_eq!(state.session(&[7; 32], Timestamp(100)), None);
        assert_eq!(state.apply(ControlCommand::CloseSession { hash: [7; 32] }), ControlReply::Done);
        assert_eq!(state.session(&[7; 32], Timestamp(0)), None);
        assert_eq!(state.apply(ControlCommand::CloseSession { hash: [7; 32] }), ControlReply::NotFound);
    }

    #[test]
    fn a_session_too_many_ends_the_one_that_expires_first() {
        let mut state = ControlState::default();
        for number in 0..=SESSIONS_MAX {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_le_bytes());
            let session = Session { user: "a".into(), expires_at: Timestamp(1_000 + number as i64) };
            state.apply(ControlCommand::OpenSession { hash, session });
        }
        assert_eq!(state.sessions.len(), SESSIONS_MAX);
        assert!(!state.sessions.contains_key(&[0; 32]));
    }
}
