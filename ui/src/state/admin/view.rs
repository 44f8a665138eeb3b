//! What the Admin page shows.

use crate::state::page::{Page, View};
use crate::state::url::{self, Pairs};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Users,
    Tokens,
    Retention,
    Detection,
    Deletions,
    Audit,
    Account,
}

impl Tab {
    pub const ALL: [Tab; 7] =
        [Tab::Users, Tab::Tokens, Tab::Retention, Tab::Detection, Tab::Deletions, Tab::Audit, Tab::Account];

    pub fn name(self) -> &'static str {
        match self {
            Tab::Users => "users",
            Tab::Tokens => "tokens",
            Tab::Retention => "retention",
            Tab::Detection => "detection",
            Tab::Deletions => "deletions",
            Tab::Audit => "audit",
            Tab::Account => "account",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Tab::Users => "Users",
            Tab::Tokens => "Tokens",
            Tab::Retention => "Retention",
            Tab::Detection => "Detection",
            Tab::Deletions => "Deletions",
            Tab::Audit => "Audit trail",
            Tab::Account => "Own password",
        }
    }

    /// Everybody who is signed in has a password of their own.
    pub fn needs_admin(self) -> bool {
        self != Tab::Account
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdminView {
    pub tab: Tab,
    /// Of the audit trail; empty means all.
    pub user: String,
    pub action: String,
    /// The trail from this number on; `None`: the newest page.
    pub from: Option<u64>,
}

impl AdminView {
    pub fn of(tab: Tab) -> AdminView {
        AdminView { tab, ..AdminView::default() }
    }
}

impl View for AdminView {
    const PAGE: Page = Page::Admin;

    fn from_query(text: &str) -> AdminView {
        let pairs = Pairs::of(text);
        let tab = pairs.get("tab").and_then(|name| Tab::ALL.into_iter().find(|tab| tab.name() == name));
        AdminView {
            tab: tab.unwrap_or_default(),
            user: pairs.text("user"),
            action: pairs.text("action"),
            from: pairs.get("from").and_then(|number| number.parse().ok()),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        if self.tab != Tab::default() {
            pairs.push(("tab", self.tab.name().to_owned()));
        }
        for (name, text) in [("user", &self.user), ("action", &self.action)] {
            if !text.is_empty() {
                pairs.push((name, text.clone()));
            }
        }
        pairs.extend(self.from.map(|number| ("from", number.to_string())));
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_address_shows_the_same_view() {
        for tab in Tab::ALL {
            assert_eq!(AdminView::from_query(&AdminView::of(tab).to_query()).tab, tab);
        }
        let view = AdminView {
            user: "Ann & Bob".to_owned(),
            action: "token.create".to_owned(),
            from: Some(40),
            ..AdminView::of(Tab::Audit)
        };
        assert_eq!(AdminView::from_query(&view.to_query()), view);
        assert_eq!(AdminView::from_query("?tab=nothing&from=x"), AdminView::default());
    }
}
