//! Who can sign in, and who is. A change of a user ends the user's sessions in the same command, so that no node lets
//! anybody in by what was so before.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::access::Role;
use serde::{Deserialize, Serialize};

use super::ControlReply;
use super::sessions::{Session, SessionCommand, SessionId, Sessions};

/// Users there may be: far more than look at logs, and a bound on memory.
const USERS_MAX: usize = 10_000;

/// Someone who can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub role: Role,
    pub proof: Proof,
    pub created_at: Timestamp,
}

/// By what somebody proves who they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Proof {
    /// Argon2id in PHC form; never the password.
    Password(String),
    /// The word of the identity provider: its issuer and what it calls the user, which is never given to another.
    Provider { issuer: String, subject: String },
}

impl User {
    /// What a password is checked against; a user of a provider has none.
    pub fn password_hash(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password(hash) => Some(hash),
            Proof::Provider { .. } => None,
        }
    }
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
    /// A provider says who somebody is, and what they may do: makes or changes the user. Refused where somebody else has
    /// the name.
    Provided {
        name: String,
        user: User,
    },
    Session(SessionCommand),
}

/// Users by name, and who of them is signed in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Users {
    pub by_name: BTreeMap<String, User>,
    pub sessions: Sessions,
}

impl Users {
    pub(super) fn apply(&mut self, command: UserCommand) -> ControlReply {
        match command {
            UserCommand::Create { name, user } => self.create(name, user),
            UserCommand::SetPassword { name, password_hash } => {
                let Some(user) = self.by_name.get_mut(&name) else { return ControlReply::NotFound };
                if user.password_hash().is_none() {
                    return ControlReply::Conflict;
                }
                user.proof = Proof::Password(password_hash);
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
                let user = self.by_name.get_mut(&name).filter(|user| user.password_hash() == Some(&from));
                let Some(user) = user else { return ControlReply::NotFound };
                user.proof = Proof::Password(to);
                ControlReply::Done
            }
            UserCommand::Provided { name, user } => self.provided(name, user),
            UserCommand::Session(SessionCommand::Open { id, session }) => {
                // The user may have been deleted while the password was checked.
                if !self.by_name.contains_key(&session.user) {
                    return ControlReply::NotFound;
                }
                self.sessions.open(id, session)
            }
            UserCommand::Session(SessionCommand::Refresh { id, from, to, at }) => {
                self.sessions.refresh(id, from, to, at)
            }
            UserCommand::Session(SessionCommand::Close { id }) => self.sessions.close(id),
        }
    }

    /// The session and its user, if it is there and has not ended.
    pub fn session(&self, id: &SessionId, now: Timestamp) -> Option<(&Session, &User)> {
        let session = self.sessions.get(id, now)?;
        Some((session, self.by_name.get(&session.user)?))
    }

    fn provided(&mut self, name: String, user: User) -> ControlReply {
        let Some(known) = self.by_name.get_mut(&name) else { return self.create(name, user) };
        if known.proof != user.proof {
            return ControlReply::Conflict;
        }
        if known.role != user.role {
            known.role = user.role;
            self.sessions.end_of_user(&name);
        }
        ControlReply::Done
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
        self.sessions.end_of_user(name);
        ControlReply::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role) -> User {
        User { role, proof: Proof::Password("$argon2id$".into()), created_at: Timestamp(0) }
    }

    /// An admin and a viewer, each with a session.
    fn users() -> Users {
        let mut users = Users::default();
        for (number, (name, role)) in [("root", Role::Admin), ("eve", Role::Viewer)].into_iter().enumerate() {
            let done = users.apply(UserCommand::Create { name: name.into(), user: user(role) });
            assert_eq!(done, ControlReply::Done);
            assert_eq!(open(&mut users, name, number as u8), ControlReply::Done);
        }
        users
    }

    fn open(users: &mut Users, name: &str, number: u8) -> ControlReply {
        let session = Session::new(name.into(), [number; 32], Timestamp(0), 100);
        users.apply(UserCommand::Session(SessionCommand::Open { id: [number; 16], session }))
    }

    fn who(users: &Users, number: u8) -> Option<String> {
        users.session(&[number; 16], Timestamp(99)).map(|(session, _)| session.user.clone())
    }

    fn provided(users: &mut Users, name: &str, role: Role, subject: &str) -> ControlReply {
        let proof = Proof::Provider { issuer: "https://id.example.com".into(), subject: subject.into() };
        let user = User { role, proof, created_at: Timestamp(0) };
        users.apply(UserCommand::Provided { name: name.into(), user })
    }

    #[test]
    fn a_closed_session_opens_nothing() {
        let mut users = users();
        assert_eq!(who(&users, 1).as_deref(), Some("eve"));
        let close = UserCommand::Session(SessionCommand::Close { id: [1; 16] });
        assert_eq!(users.apply(close.clone()), ControlReply::Done);
        assert_eq!(who(&users, 1), None);
        assert_eq!(users.apply(close), ControlReply::NotFound);
        assert_eq!(open(&mut users, "gone", 9), ControlReply::NotFound);
    }

    #[test]
    fn a_provider_says_who_its_users_are_and_nobody_elses() {
        let mut users = users();
        assert_eq!(provided(&mut users, "ann", Role::Viewer, "42"), ControlReply::Done);
        open(&mut users, "ann", 5);
        assert_eq!(provided(&mut users, "ann", Role::Viewer, "42"), ControlReply::Done);
        assert_eq!(who(&users, 5).as_deref(), Some("ann"), "what stays so ends nothing");
        assert_eq!(provided(&mut users, "ann", Role::Admin, "42"), ControlReply::Done);
        assert_eq!((who(&users, 5), users.by_name["ann"].role), (None, Role::Admin));
        assert_eq!(provided(&mut users, "ann", Role::Admin, "43"), ControlReply::Conflict, "another Ann");
        assert_eq!(provided(&mut users, "root", Role::Admin, "44"), ControlReply::Conflict, "has a password");
        let password = UserCommand::SetPassword { name: "ann".into(), password_hash: "other".into() };
        assert_eq!(users.apply(password), ControlReply::Conflict);
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
}
