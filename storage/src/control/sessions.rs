//! Who is signed in. A session is held by a refresh secret, which buys access tokens that live for minutes and is another
//! one after each purchase (RFC 9700, section 4.14.2): a secret that was used before ends its session, for somebody has a copy.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// Sessions kept at once; opening one more ends the one that expires first.
const SESSIONS_MAX: usize = 10_000;
/// Of one user: nobody's sign-ins end the sessions of others.
const SESSIONS_OF_USER_MAX: usize = 100;
/// How long an access token is valid.
pub const ACCESS_SECS: u64 = 300;
/// A session nobody refreshes ends after this long: a night away from a dashboard that was closed.
pub const IDLE_SECS: u64 = 12 * 3_600;
/// A refresh secret opens for so long after its successor was made: two tabs refresh at once, an answer gets lost.
const OVERLAP_SECS: u64 = 30;

pub type SessionId = [u8; 16];

/// A signed-in browser or client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub user: String,
    /// SHA-256 of the refresh secret.
    pub refresh_hash: [u8; 32],
    /// The one before, and until when it is taken for a late one rather than a stolen one.
    pub previous: Option<([u8; 32], Timestamp)>,
    /// When the newest access token was made.
    pub refreshed_at: Timestamp,
    /// It ends then, however often it is refreshed.
    pub ends_at: Timestamp,
}

impl Session {
    pub fn new(user: String, refresh_hash: [u8; 32], now: Timestamp, life_secs: u64) -> Session {
        let ends_at = now.plus_secs(life_secs);
        Session { user, refresh_hash, previous: None, refreshed_at: now, ends_at }
    }

    /// From then on it opens nothing.
    pub fn expires_at(&self) -> Timestamp {
        self.ends_at.min(self.refreshed_at.plus_secs(IDLE_SECS))
    }

    /// Until when some access token of it may be valid.
    pub fn access_until(&self) -> Timestamp {
        self.expires_at().min(self.refreshed_at.plus_secs(ACCESS_SECS))
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at() <= now
    }
}

/// Changes who is signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SessionCommand {
    Open {
        id: SessionId,
        session: Session,
    },
    /// Answers [`ControlReply::Done`] where `to` is the secret from now on, [`ControlReply::Conflict`] where somebody was
    /// faster and `from` is good once more, and [`ControlReply::NotFound`] where the session is over.
    Refresh {
        id: SessionId,
        from: [u8; 32],
        to: [u8; 32],
        at: Timestamp,
    },
    Close {
        id: SessionId,
    },
}

/// By id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
}

impl Sessions {
    /// The session, if it is there and has not ended.
    pub fn get(&self, id: &SessionId, now: Timestamp) -> Option<&Session> {
        self.by_id.get(id).filter(|session| !session.is_over(now))
    }

    /// Those that have not ended.
    pub fn open_at(&self, now: Timestamp) -> impl Iterator<Item = &Session> {
        self.by_id.values().filter(move |session| !session.is_over(now))
    }

    pub(super) fn open(&mut self, id: SessionId, session: Session) -> ControlReply {
        let now = session.refreshed_at;
        self.by_id.retain(|_, session| !session.is_over(now));
        let of_user = self.by_id.values().filter(|other| other.user == session.user).count();
        if of_user >= SESSIONS_OF_USER_MAX {
            self.end_first(|other| other.user == session.user);
        } else if self.by_id.len() >= SESSIONS_MAX {
            self.end_first(|_| true);
        }
        self.by_id.insert(id, session);
        ControlReply::Done
    }

    pub(super) fn refresh(
        &mut self,
        id: SessionId,
        from: [u8; 32],
        to: [u8; 32],
        at: Timestamp,
    ) -> ControlReply {
        let Some(session) = self.by_id.get_mut(&id).filter(|session| !session.is_over(at)) else {
            return ControlReply::NotFound;
        };
        if session.refresh_hash == from {
            session.previous = Some((from, at.plus_secs(OVERLAP_SECS)));
            session.refresh_hash = to;
            session.refreshed_at = session.refreshed_at.max(at);
            return ControlReply::Done;
        }
        match session.previous {
            Some((previous, until)) if previous == from && at < until => {
                session.refreshed_at = session.refreshed_at.max(at);
                return ControlReply::Conflict;
            }
            // Only for somebody who once held its secret: an id alone is in every access token.
            Some((previous, _)) if previous == from => drop(self.by_id.remove(&id)),
            _ => {}
        }
        ControlReply::NotFound
    }

    pub(super) fn close(&mut self, id: SessionId) -> ControlReply {
        match self.by_id.remove(&id) {
            Some(_) => ControlReply::Done,
            None => ControlReply::NotFound,
        }
    }

    pub(super) fn end_of_user(&mut self, user: &str) {
        self.by_id.retain(|_, session| session.user != user);
    }

    fn end_first(&mut self, is_candidate: impl Fn(&Session) -> bool) {
        let candidates = self.by_id.iter().filter(|(_, session)| is_candidate(session));
        let first = candidates.min_by_key(|(id, session)| (session.expires_at(), **id)).map(|(id, _)| *id);
        if let Some(id) = first {
            self.by_id.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(secs: u64) -> Timestamp {
        Timestamp(0).plus_secs(secs)
    }

    fn session(user: &str, secs: u64) -> Session {
        Session::new(user.into(), [1; 32], at(secs), 7 * DAY)
    }

    /// One session, of eve.
    fn sessions() -> Sessions {
        let mut sessions = Sessions::default();
        sessions.open([7; 16], session("eve", 0));
        sessions
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_refreshed_but_not_for_ever() {
        let mut sessions = sessions();
        assert!(sessions.get(&[7; 16], at(IDLE_SECS - 1)).is_some());
        assert!(sessions.get(&[7; 16], at(IDLE_SECS)).is_none());
        let mut secret = 1;
        for hour in (11..).step_by(11).take_while(|hour| hour * 3_600 < 7 * DAY) {
            let reply = sessions.refresh([7; 16], [secret; 32], [secret + 1; 32], at(hour * 3_600));
            assert_eq!(reply, ControlReply::Done, "hour {hour}");
            secret += 1;
        }
        assert!(sessions.get(&[7; 16], at(7 * DAY - 1)).is_some());
        assert!(sessions.get(&[7; 16], at(7 * DAY)).is_none());
        let late = sessions.refresh([7; 16], [secret; 32], [0; 32], at(7 * DAY));
        assert_eq!(late, ControlReply::NotFound);
    }

    #[test]
    fn a_secret_opens_once_and_for_a_moment_more() {
        let mut sessions = sessions();
        let mut refresh = |from: u8, to: u8, secs| sessions.refresh([7; 16], [from; 32], [to; 32], at(secs));
        assert_eq!(refresh(1, 2, 100), ControlReply::Done);
        assert_eq!(refresh(1, 3, 129), ControlReply::Conflict, "another tab, a moment later");
        assert_eq!(refresh(2, 4, 200), ControlReply::Done);
        assert_eq!(refresh(9, 5, 201), ControlReply::NotFound, "a guess");
        assert_eq!(refresh(4, 5, 202), ControlReply::Done, "which ends nothing");
        assert_eq!(refresh(4, 6, 240), ControlReply::NotFound, "used before");
        assert_eq!(refresh(5, 7, 241), ControlReply::NotFound, "which ends the session for whoever has it");
    }

    #[test]
    fn access_ends_a_little_after_the_last_refresh() {
        let mut sessions = sessions();
        let until = |sessions: &Sessions| sessions.get(&[7; 16], at(1)).unwrap().access_until();
        assert_eq!(until(&sessions), at(ACCESS_SECS));
        sessions.refresh([7; 16], [1; 32], [2; 32], at(200));
        assert_eq!(until(&sessions), at(200 + ACCESS_SECS));
        assert_eq!(Session::new("eve".into(), [1; 32], at(0), 60).access_until(), at(60));
    }

    #[test]
    fn the_sessions_of_one_user_make_room_among_themselves() {
        let mut sessions = sessions();
        for number in 100..=100 + SESSIONS_OF_USER_MAX as u8 {
            sessions.open([number; 16], session("bob", u64::from(number)));
        }
        let of = |user: &str| sessions.open_at(at(201)).filter(|session| session.user == user).count();
        assert_eq!((of("bob"), of("eve")), (SESSIONS_OF_USER_MAX, 1));
        assert!(sessions.get(&[100; 16], at(201)).is_none(), "the oldest of bob's made room");
    }

    #[test]
    fn all_sessions_together_are_bounded() {
        let mut sessions = Sessions::default();
        for number in 0..=SESSIONS_MAX as u32 {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_le_bytes());
            sessions.open(id, session(&format!("user {}", number % 1_000), u64::from(number / 100)));
        }
        assert_eq!(sessions.by_id.len(), SESSIONS_MAX);
    }
}
