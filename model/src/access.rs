//! Who may do what: one table for the whole system.

use serde::{Deserialize, Serialize};

/// What a user may do in the dashboard and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Viewer,
    /// Nobody signed in; exists only in the development profile, on loopback.
    AnonymousViewer,
}

/// What a request does, as far as access is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    ReadLogs,
    /// The node's own figures.
    ReadMetrics,
    ReplayDeadLetters,
    ManageTokens,
    /// Who can sign in, and as what.
    ManageUsers,
    /// What people did to the cluster.
    ReadAudit,
    /// Add, drain and remove nodes, move leaders.
    ManageCluster,
    /// How long logs are kept.
    ManageRetention,
    /// Delete logs by query, and see who did.
    DeleteLogs,
    /// Say that an incident was real, or a false alarm.
    JudgeAnomalies,
    /// What detectors are told: masks, alerts a day.
    ManageDetection,
    /// Change rules, channels and silences of alerts, and try channels.
    ManageAlerts,
    /// Say that somebody looks after an incident.
    AcknowledgeAlerts,
    /// Save views of the dashboard, and change those of one's own.
    SaveViews,
    /// Fetch a copy of everything, hashes of passwords and tokens included.
    TakeBackup,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Send logs.
    Write,
    /// Look at what a viewer looks at.
    Read,
    /// Read the node's own figures, and nothing else.
    Metrics,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Write, Scope::Read, Scope::Metrics];

    pub const fn name(self) -> &'static str {
        match self {
            Scope::Write => "write",
            Scope::Read => "read",
            Scope::Metrics => "metrics",
        }
    }

    /// What somebody may do who shows a token of this scope. Sending logs is asked about by service.
    pub fn may(self, action: Action) -> bool {
        match self {
            Scope::Write => false,
            // What a token saved would be nobody's.
            Scope::Read => action != Action::SaveViews && Role::Viewer.may(action),
            Scope::Metrics => action == Action::ReadMetrics,
        }
    }
}

impl Role {
    pub fn may(self, action: Action) -> bool {
        match action {
            Action::ReadLogs | Action::ReadMetrics => true,
            Action::SaveViews => self != Role::AnonymousViewer,
            Action::ReplayDeadLetters
            | Action::ManageTokens
            | Action::ManageUsers
            | Action::ReadAudit
            | Action::ManageCluster
            | Action::ManageRetention
            | Action::DeleteLogs
            | Action::JudgeAnomalies
            | Action::ManageDetection
            | Action::ManageAlerts
            | Action::AcknowledgeAlerts
            | Action::TakeBackup => self == Role::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_admin_changes_what_concerns_all() {
        for role in [Role::Viewer, Role::AnonymousViewer] {
            assert!(role.may(Action::ReadLogs));
            assert!(!role.may(Action::ManageTokens) && !role.may(Action::ReplayDeadLetters));
            assert!(!role.may(Action::ManageRetention) && !role.may(Action::DeleteLogs));
            assert!(!role.may(Action::TakeBackup) && !role.may(Action::JudgeAnomalies));
            assert!(!role.may(Action::ManageDetection) && !role.may(Action::ManageUsers));
            assert!(!role.may(Action::ReadAudit));
            assert!(!role.may(Action::ManageAlerts) && !role.may(Action::AcknowledgeAlerts));
        }
        assert!(Role::Admin.may(Action::ManageTokens));
    }

    #[test]
    fn a_token_does_what_its_scope_says_and_administers_nothing() {
        let may = |action| Scope::ALL.map(|scope| scope.may(action));
        assert_eq!(may(Action::ReadLogs), [false, true, false]);
        assert_eq!(may(Action::ReadMetrics), [false, true, true]);
        assert!(Role::Viewer.may(Action::SaveViews) && !Role::AnonymousViewer.may(Action::SaveViews));
        let refused = [
            Action::ManageTokens,
            Action::ManageUsers,
            Action::TakeBackup,
            Action::ReadAudit,
            Action::SaveViews,
        ];
        for action in refused {
            assert_eq!(may(action), [false; 3], "{action:?}");
        }
    }
}
