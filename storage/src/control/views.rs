//! Saved views of the dashboard. Everybody who signs in may make one; whoever made it, or an admin, replaces or removes it.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::api::views::View;
use insighthub_model::limits::{VIEW_CHANGES_PER_HOUR_MAX, VIEWS_MAX};
use serde::{Deserialize, Serialize};

use super::ControlReply;

const HOUR_SECS: u64 = 3_600;

/// A view, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewEntry {
    pub view: View,
    /// Who made it first; an admin who replaces it does not take it over.
    pub made_by: String,
    pub changed_at: Timestamp,
}

/// Who changes a view, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewChange {
    pub name: String,
    pub by: String,
    /// May change what others made.
    pub is_admin: bool,
    pub at: Timestamp,
}

/// Changes views. Answers `Conflict` where the view is somebody else's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ViewCommand {
    Set(ViewChange, Box<View>),
    Remove(ViewChange),
}

/// By name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Views {
    pub by_name: BTreeMap<String, ViewEntry>,
    /// By user: since when changes are counted, and how many there were. Each is an entry of the audit trail, which
    /// people who only look must not be able to push out.
    counted: BTreeMap<String, (Timestamp, u32)>,
}

impl Views {
    pub(super) fn apply(&mut self, command: ViewCommand) -> ControlReply {
        match command {
            ViewCommand::Set(change, view) => {
                self.count(&change);
                self.set(change, *view)
            }
            ViewCommand::Remove(change) => {
                self.count(&change);
                self.remove(&change)
            }
        }
    }

    /// Seconds after which somebody may change views again; `None`: now.
    pub fn refused_for(&self, user: &str, now: Timestamp) -> Option<u64> {
        let (since, changes) = self.counted.get(user)?;
        let until = since.plus_secs(HOUR_SECS);
        let is_refused = *changes >= VIEW_CHANGES_PER_HOUR_MAX && now < until;
        is_refused.then(|| (until.0.saturating_sub(now.0) / 1_000_000_000) as u64 + 1)
    }

    fn set(&mut self, change: ViewChange, view: View) -> ControlReply {
        let made_by = match self.by_name.get(&change.name) {
            Some(entry) if !change.may_change(entry) => return ControlReply::Conflict,
            Some(entry) => entry.made_by.clone(),
            None if self.by_name.len() >= VIEWS_MAX => return ControlReply::LimitReached,
            None => change.by.clone(),
        };
        let ViewChange { name, at, .. } = change;
        self.by_name.insert(name, ViewEntry { view, made_by, changed_at: at });
        ControlReply::Done
    }

    fn remove(&mut self, change: &ViewChange) -> ControlReply {
        match self.by_name.get(&change.name) {
            None => return ControlReply::NotFound,
            Some(entry) if !change.may_change(entry) => return ControlReply::Conflict,
            Some(_) => {}
        }
        self.by_name.remove(&change.name);
        ControlReply::Done
    }

    /// What is refused counts as well: it is in the audit trail too.
    fn count(&mut self, change: &ViewChange) {
        self.counted.retain(|_, (since, _)| change.at < since.plus_secs(HOUR_SECS));
        let (_, changes) = self.counted.entry(change.by.clone()).or_insert((change.at, 0));
        *changes = changes.saturating_add(1);
    }
}

impl ViewChange {
    fn may_change(&self, entry: &ViewEntry) -> bool {
        self.is_admin || self.by == entry.made_by
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControlCommand, ControlState};
    use super::*;
    use crate::codec;

    fn change(name: &str, by: &str, at_secs: u64) -> ViewChange {
        let at = Timestamp(0).plus_secs(at_secs);
        ViewChange { name: name.into(), by: by.into(), is_admin: by == "root", at }
    }

    fn set(views: &mut Views, name: &str, by: &str, at_secs: u64) -> ControlReply {
        let view = View { title: format!("of {by}"), page: "live".into(), address: "q=x".into() };
        views.apply(ViewCommand::Set(change(name, by, at_secs), Box::new(view)))
    }

    #[test]
    fn a_view_is_its_makers_and_admins() {
        let mut views = Views::default();
        assert_eq!(set(&mut views, "slow", "ann", 1), ControlReply::Done);
        assert_eq!(set(&mut views, "slow", "bob", 2), ControlReply::Conflict);
        assert_eq!(views.by_name["slow"].view.title, "of ann", "nothing of it was changed");
        assert_eq!(set(&mut views, "slow", "root", 3), ControlReply::Done);
        let entry = &views.by_name["slow"];
        assert_eq!((entry.view.title.as_str(), entry.made_by.as_str()), ("of root", "ann"), "still hers");
        assert_eq!(entry.changed_at, Timestamp(0).plus_secs(3));
        let remove = |by| ViewCommand::Remove(change("slow", by, 4));
        assert_eq!(views.apply(remove("bob")), ControlReply::Conflict);
        assert_eq!(views.apply(remove("ann")), ControlReply::Done);
        assert_eq!(views.apply(remove("ann")), ControlReply::NotFound);
    }

    #[test]
    fn views_are_bounded_and_those_there_are_can_still_be_changed() {
        let mut views = Views::default();
        for number in 0..VIEWS_MAX {
            assert_eq!(set(&mut views, &format!("v{number}"), "ann", 1), ControlReply::Done);
        }
        assert_eq!(set(&mut views, "more", "ann", 1), ControlReply::LimitReached);
        assert_eq!(set(&mut views, "v0", "ann", 2), ControlReply::Done);
        assert_eq!(views.by_name.len(), VIEWS_MAX);
    }

    #[test]
    fn who_changes_too_much_waits_out_the_hour() {
        let mut views = Views::default();
        let at = |secs| Timestamp(0).plus_secs(secs);
        for number in 0..u64::from(VIEW_CHANGES_PER_HOUR_MAX) {
            assert_eq!(views.refused_for("ann", at(10 + number)), None);
            set(&mut views, "slow", "ann", 10 + number);
        }
        assert_eq!(views.refused_for("ann", at(3_000)), Some(611));
        assert_eq!(views.refused_for("bob", at(3_000)), None);
        for number in 0..u64::from(VIEW_CHANGES_PER_HOUR_MAX) {
            let remove = ViewCommand::Remove(change("none", "eve", 10 + number));
            assert_eq!(views.apply(remove), ControlReply::NotFound);
        }
        assert!(views.refused_for("eve", at(3_000)).is_some(), "what is refused counts as well");
        assert_eq!(views.refused_for("ann", at(3_610)), None);
        set(&mut views, "other", "bob", 3_610);
        assert_eq!(views.counted.len(), 1, "who was counted an hour ago is forgotten");
    }

    #[test]
    fn views_come_back_from_a_snapshot_and_are_in_a_backup() {
        let mut state = ControlState::default();
        set(&mut state.views, "slow", "ann", 1);
        let view = View { title: "t".into(), page: "explore".into(), address: String::new() };
        let command = ViewCommand::Set(change("new", "bob", 2), Box::new(view));
        assert_eq!(state.apply(ControlCommand::View(command)), ControlReply::Done);
        let bytes = codec::encode(1, &state).unwrap();
        assert_eq!(codec::decode::<ControlState>(1, &bytes).unwrap(), state);
        assert_eq!(state.portable().views.by_name.len(), 2);
    }
}
