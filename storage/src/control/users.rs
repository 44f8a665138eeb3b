//! Who can sign in, and who is. A change of a user ends the user's sessions in the same command, so that no node lets
//! anybody in by what was so before.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::access::Role;
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// Users there may be: far more than look at logs, and a bound on memory.
const USERS_MAX: usize = 10_000;
/// Sessions kept at once; opening one more ends the one that expires first.
const SESSIONS_MAX: usize = 10_000;

/// Someone who can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub role: Role,
    /// Argon2id in PHC form; never the password.
    pub password_hash: String,
    pub created_at: Timestamp,
}

/// A signed-in browser or client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub user: String,
    pub expires_at: Timestamp,
}

/// Changes who can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserCommand {
    /// Refused where there is a user of this name.
    Create {
        name: String,
        user: User,
    },
    SetPassword {
        name: String,
        password_hash: String,
    },
    SetRole {
        name: String,
        role: Role,
    },
    Delete {
        name: String,
    },
    /// The same password, hashed at another cost: ends no session.
    Rehash {
        name: String,
        from: String,
        to: String,
    },
    OpenSession {
        hash: [u8; 32],
        session: Session,
    },
    CloseSession {
        hash: [u8; 32],
    },
}

/// Users by name, and their sessions by SHA-256 of the session's secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Users {
    pub by_name: BTreeMap<String, User>,
    pub sessions: BTreeMap<[u8; 32], Session>,
}

impl Users {
    pub(super) fn apply(&mut self, command: UserCommand) -> ControlReply {
        match command {
            UserCommand::Create { name, user } => self.create(name, user),
            UserCommand::SetPassword { name, password_hash } => {
                let Some(user) = self.by_name.get_mut(&name) else { return ControlReply::NotFound };
                user.password_hash = password_hash;
                self.end_sessions(&name)
            }
            UserCommand::SetRole { name, role } => {
                if role != Role::Admin && self.is_last_admin(&name) {
                    return ControlReply::Conflict;
                }
                let Some(user) = self.by_name.get_mut(&name) else { return ControlReply::NotFound };
                user.role = role;
                self.end_sessions(&name)
            }
            UserCommand::Delete { name } => {
                if self.is_last_admin(&name) {
                    return ControlReply::Conflict;
                }
                if self.by_name.remove(&name).is_none() {
                    return ControlReply::NotFound;
                }
                self.end_sessions(&name)
            }
            UserCommand::Rehash { name, from, to } => {
                // Another password may have been set since.
                let user = self.by_name.get_mut(&name).filter(|user| user.password_hash == from);
                let Some(user) = user else { return ControlReply::NotFound };
                user.password_hash = to;
                ControlReply::Done
            }
            UserCommand::OpenSession { hash, session } => self.open_session(hash, session),
            UserCommand::CloseSession { hash } => match self.sessions.remove(&hash) {
                Some(_) => ControlReply::Done,
                None => ControlReply::NotFound,
            },
        }
    }

    /// The session and its user, if it exists and has not expired.
    pub fn session(&self, hash: &[u8; 32], now: Timestamp) -> Option<(&str, &User)> {
        let session = self.sessions.get(hash).filter(|session| session.expires_at > now)?;
        Some((session.user.as_str(), self.by_name.get(&session.user)?))
    }

    fn create(&mut self, name: String, user: User) -> ControlReply {
        if self.by_name.len() >= USERS_MAX {
            return ControlReply::LimitReached;
        }
        if self.by_name.contains_key(&name) {
            return ControlReply::Conflict;
        }
        self.by_name.insert(name, user);
        ControlReply::Done
    }

    /// Without an admin nobody could make another.
    fn is_last_admin(&self, name: &str) -> bool {
        let is_admin = |user: &User| user.role == Role::Admin;
        self.by_name.get(name).is_some_and(is_admin)
            && self.by_name.values().filter(|user| is_admin(user)).count() == 1
    }

    fn end_sessions(&mut self, name: &str) -> ControlReply {
        self.sessions.retain(|_, session| session.user != name);
        ControlReply::Done
    }

    fn open_session(&mut self, hash: [u8; 32], session: Session) -> ControlReply {
        // The user may have been deleted while the password was checked.
        if !self.by_name.contains_key(&session.user) {
            return ControlReply::NotFound;
        }
        if self.sessions.len() >= SESSIONS_MAX {
            let first_to_expire =
                self.sessions.iter().min_by_key(|(hash, session)| (session.expires_at, **hash));
            if let Some(hash) = first_to_expire.map(|(hash, _)| *hash) {
                self.sessions.remove(&hash);
            }
        }
        self.sessions.insert(hash, session);
        ControlReply::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role) -> User {
        User { role, password_hash: "$argon2id$".into(), created_at: Timestamp(0) }
    }

    /// An admin and a viewer, each with a session.
    fn users() -> Users {
        let mut users = Users::default();
        for (number, (name, role)) in [("root", Role::Admin), ("eve", Role::Viewer)].into_iter().enumerate() {
            let done = users.apply(UserCommand::Create { name: name.into(), user: user(role) });
            assert_eq!(done, ControlReply::Done);
            let session = Session { user: name.into(), expires_at: Timestamp(100) };
            users.apply(UserCommand::OpenSession { hash: [number as u8; 32], session });
        }
        users
    }

    fn who(users: &Users, number: u8) -> Option<String> {
        users.session(&[number; 32], Timestamp(99)).map(|(name, _)| name.to_owned())
    }

    #[test]
    fn an_expired_or_closed_session_opens_nothing() {
        let mut users = users();
        assert_eq!(who(&users, 1).as_deref(), Some("eve"));
        assert!(users.session(&[1; 32], Timestamp(100)).is_none());
        assert_eq!(users.apply(UserCommand::CloseSession { hash: [1; 32] }), ControlReply::Done);
        assert_eq!(who(&users, 1), None);
        assert_eq!(users.apply(UserCommand::CloseSession { hash: [1; 32] }), ControlReply::NotFound);
    }

    #[test]
    fn every_change_of_a_user_ends_the_sessions_of_that_user_alone() {
        let name = || "eve".to_owned();
        for change in [
            UserCommand::SetPassword { name: name(), password_hash: "other".into() },
            UserCommand::SetRole { name: name(), role: Role::Admin },
            UserCommand::Delete { name: name() },
        ] {
            let mut users = users();
            assert_eq!(users.apply(change.clone()), ControlReply::Done);
            assert_eq!((who(&users, 0).as_deref(), who(&users, 1)), (Some("root"), None), "{change:?}");
        }
        let mut users = users();
        let (from, to) = ("$argon2id$".to_owned(), "$argon2id$2".to_owned());
        let rehash = UserCommand::Rehash { name: name(), from, to };
        assert_eq!(users.apply(rehash.clone()), ControlReply::Done);
        assert_eq!(who(&users, 1).as_deref(), Some("eve"));
        assert_eq!(users.apply(rehash), ControlReply::NotFound, "the hash is another by now");
    }

    #[test]
    fn the_last_admin_stays() {
        let mut users = users();
        let name = || "root".to_owned();
        assert_eq!(users.apply(UserCommand::Delete { name: name() }), ControlReply::Conflict);
        let demote = UserCommand::SetRole { name: name(), role: Role::Viewer };
        assert_eq!(users.apply(demote.clone()), ControlReply::Conflict);
        users.apply(UserCommand::SetRole { name: "eve".into(), role: Role::Admin });
        assert_eq!(users.apply(demote), ControlReply::Done);
        assert_eq!(users.apply(UserCommand::Delete { name: name() }), ControlReply::Done);
    }

    #[test]
    fn a_session_opens_for_a_user_who_is_there_and_the_oldest_makes_room() {
        let mut users = users();
        let session = |user: &str, at| Session { user: user.into(), expires_at: Timestamp(at) };
        let open = UserCommand::OpenSession { hash: [7; 32], session: session("gone", 9) };
        assert_eq!(users.apply(open), ControlReply::NotFound);
        for number in 0..SESSIONS_MAX as u32 {
            let mut hash = [9; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            users.apply(UserCommand::OpenSession { hash, session: session("eve", 200) });
        }
        assert_eq!(users.sessions.len(), SESSIONS_MAX);
        assert_eq!((who(&users, 0), who(&users, 1)), (None, None));
    }
}
