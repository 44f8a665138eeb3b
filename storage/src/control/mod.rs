//! State of the control group: nodes and placement, users, sessions, service tokens, retention, deletions, what
//! detectors are told, verdicts on episodes, alerts, saved views, and who changed what. Pure: same commands, same state.
//!
//! Small by nature, so all of it is in memory and all of it is in each snapshot.

pub mod alerts;
mod audit;
mod deletions;
mod sessions;
mod sign_in_failures;
mod signing_keys;
mod tokens;
mod topology;
mod users;
mod verdicts;
mod views;

use std::sync::Arc;

use insighthub_model::detection::DetectionSettings;
use insighthub_model::retention::Retention;
use serde::{Deserialize, Serialize};

pub use alerts::{AlertCommand, Alerts};
pub use audit::{AuditTrail, AuditedCommand, Deed};
pub use deletions::{DeletionCommand, DeletionEntry, Deletions};
pub use sessions::{ACCESS_SECS, IDLE_SECS, Session, SessionCommand, SessionId, Sessions};
pub use sign_in_failures::{SignInFailed, SignInFailures};
pub use signing_keys::{AddSigningKey, KEY_LIFE_SECS, SigningKey, SigningKeys};
pub use tokens::{ServiceToken, TokenCommand, Tokens};
pub use topology::{NodeEntry, NodeState, Topology, TopologyCommand};
pub use users::{Proof, User, UserCommand, Users};
pub use verdicts::{KeptVerdict, SayVerdict, VerdictEntry, Verdicts};
pub use views::{ViewChange, ViewCommand, ViewEntry, Views};

use crate::codec;
use crate::raft::NodeId;

/// What changes the control state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ControlCommand {
    User(UserCommand),
    SignInFailed(SignInFailed),
    AddSigningKey(AddSigningKey),
    Token(TokenCommand),
    Topology(TopologyCommand),
    SetRetention(Retention),
    Deletion(DeletionCommand),
    SayVerdict(SayVerdict),
    SetDetection(DetectionSettings),
    /// Somebody does something, which is remembered with what becomes of it.
    Audited(AuditedCommand),
    Alert(AlertCommand),
    View(ViewCommand),
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

/// Everything the control group knows. Ordered maps: their bytes are equal on all replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlState {
    pub users: Users,
    pub sign_in_failures: SignInFailures,
    pub signing_keys: SigningKeys,
    pub tokens: Tokens,
    pub topology: Topology,
    /// Shared, as every request asks for it.
    #[serde(with = "codec::shared")]
    pub retention: Arc<Retention>,
    pub deletions: Deletions,
    pub verdicts: Verdicts,
    /// Shared, as every partition asks for it.
    #[serde(with = "codec::shared")]
    pub detection: Arc<DetectionSettings>,
    pub audit: AuditTrail,
    pub alerts: Alerts,
    pub views: Views,
}

impl ControlState {
    pub fn apply(&mut self, command: ControlCommand) -> ControlReply {
        match command {
            ControlCommand::User(command) => return self.users.apply(command),
            ControlCommand::SignInFailed(failed) => return self.sign_in_failures.apply(failed),
            ControlCommand::AddSigningKey(command) => return self.signing_keys.apply(command),
            ControlCommand::Token(command) => return self.tokens.apply(command),
            ControlCommand::Topology(command) => return self.topology.apply(command),
            ControlCommand::SetRetention(retention) => self.retention = Arc::new(retention),
            ControlCommand::Deletion(command) => return self.deletions.apply(command),
            ControlCommand::SayVerdict(command) => return self.verdicts.apply(command),
            ControlCommand::SetDetection(settings) => return self.set_detection(settings),
            ControlCommand::Audited(AuditedCommand { deed, command }) => {
                let reply = command.map_or(ControlReply::Done, |command| self.apply(*command));
                self.audit.push(deed, reply);
                return reply;
            }
            ControlCommand::Alert(command) => return self.alerts.apply(command),
            ControlCommand::View(command) => return self.views.apply(command),
        }
        ControlReply::Done
    }

    fn set_detection(&mut self, settings: DetectionSettings) -> ControlReply {
        if settings.revision != self.detection.revision {
            return ControlReply::Conflict;
        }
        self.detection = Arc::new(DetectionSettings { revision: settings.revision + 1, ..settings });
        ControlReply::Done
    }

    /// What of this state makes sense in another cluster: not who is signed in and by which keys, nor its nodes and
    /// placement, nor what fires there.
    pub fn portable(&self) -> ControlState {
        ControlState {
            users: Users { sessions: Sessions::default(), ..self.users.clone() },
            sign_in_failures: SignInFailures::default(),
            signing_keys: SigningKeys::default(),
            // How services are spread decides where a repeated batch is looked for.
            topology: Topology { spread: self.topology.spread.clone(), ..Topology::default() },
            alerts: self.alerts.portable(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use insighthub_model::Timestamp;

    use super::*;

    #[test]
    fn a_deed_is_remembered_with_what_became_of_it() {
        let mut state = ControlState::default();
        let deed = |action: &str| Deed {
            at: Timestamp(7),
            node: "n1".into(),
            user: "root".into(),
            action: action.into(),
            target: "abc".into(),
            detail: String::new(),
        };
        let revoke = ControlCommand::Token(TokenCommand::Revoke { id: "abc".into() });
        let commands = [("token.revoke", Some(Box::new(revoke))), ("backup.take", None)];
        let replies = commands.map(|(action, command)| {
            state.apply(ControlCommand::Audited(AuditedCommand { deed: deed(action), command }))
        });
        assert_eq!(replies, [ControlReply::NotFound, ControlReply::Done]);
        let told: Vec<_> =
            state.audit.from(0).map(|entry| (entry.action.as_str(), entry.outcome.name())).collect();
        assert_eq!(told, [("token.revoke", "not found"), ("backup.take", "done")]);
    }

    #[test]
    fn settings_somebody_else_changed_are_not_overwritten() {
        let mut state = ControlState::default();
        let set = |alerts_per_day| {
            ControlCommand::SetDetection(DetectionSettings { alerts_per_day, ..DetectionSettings::default() })
        };
        assert_eq!(state.apply(set(0.5)), ControlReply::Done);
        assert_eq!(state.apply(set(0.7)), ControlReply::Conflict);
        assert_eq!((state.detection.revision, state.detection.alerts_per_day), (1, 0.5));
        assert_eq!(state.portable().detection, state.detection);
    }
}
