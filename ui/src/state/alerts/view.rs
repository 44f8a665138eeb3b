//! What the Alerts page shows.

use crate::state::page::{Page, View};
use crate::state::range::Range;
use crate::state::url::{self, Pairs};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Incidents,
    Rules,
    Channels,
    Silences,
    Deliveries,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::Incidents, Tab::Rules, Tab::Channels, Tab::Silences, Tab::Deliveries];

    pub fn name(self) -> &'static str {
        match self {
            Tab::Incidents => "incidents",
            Tab::Rules => "rules",
            Tab::Channels => "channels",
            Tab::Silences => "silences",
            Tab::Deliveries => "deliveries",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Tab::Incidents => "Incidents",
            Tab::Rules => "Rules",
            Tab::Channels => "Channels",
            Tab::Silences => "Silences",
            Tab::Deliveries => "Deliveries",
        }
    }

    fn from_name(name: &str) -> Option<Tab> {
        Tab::ALL.into_iter().find(|tab| tab.name() == name)
    }
}

/// What is being edited on the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Editing {
    New,
    /// The one of this name.
    Old(String),
    /// A new one that begins as the one of this name.
    CopyOf(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertsView {
    pub tab: Tab,
    pub range: Range,
    /// Shown in full.
    pub incident: Option<u64>,
    pub editing: Option<Editing>,
    /// Only of these; empty means all. A new silence begins with them.
    pub rule: String,
    pub service: String,
    pub channel: String,
    /// Only incidents that are `firing` or `resolved`, or deliveries that are `waiting`, `delivered` or `given_up`.
    pub state: String,
}

/// The ranges in which alerts are looked at begin longer than those of logs.
const RANGE: Range = Range::Last(86_400);

impl AlertsView {
    pub fn of(tab: Tab) -> AlertsView {
        AlertsView { tab, range: RANGE, ..AlertsView::default() }
    }

    /// One incident in full.
    pub fn of_incident(id: u64) -> AlertsView {
        AlertsView { incident: Some(id), ..AlertsView::of(Tab::Incidents) }
    }

    pub fn editing(tab: Tab, editing: Editing) -> AlertsView {
        AlertsView { editing: Some(editing), ..AlertsView::of(tab) }
    }

    pub fn has_filter(&self) -> bool {
        [&self.rule, &self.service, &self.channel, &self.state].iter().any(|text| !text.is_empty())
    }
}

impl View for AlertsView {
    const PAGE: Page = Page::Alerts;

    fn from_query(text: &str) -> AlertsView {
        let pairs = Pairs::of(text);
        let old = pairs.get("edit").map(|name| Editing::Old(name.to_owned()));
        let copy = pairs.get("copy").map(|name| Editing::CopyOf(name.to_owned()));
        AlertsView {
            tab: pairs.get("tab").and_then(Tab::from_name).unwrap_or_default(),
            range: Range::from_pairs(&pairs).unwrap_or(RANGE),
            incident: pairs.get("incident").and_then(|id| id.parse().ok()),
            editing: old.or(copy).or_else(|| pairs.get("new").map(|_| Editing::New)),
            rule: pairs.text("rule"),
            service: pairs.text("service"),
            channel: pairs.text("channel"),
            state: pairs.text("state"),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        if self.tab != Tab::default() {
            pairs.push(("tab", self.tab.name().to_owned()));
        }
        pairs.extend(self.incident.map(|id| ("incident", id.to_string())));
        pairs.extend(self.editing.as_ref().map(|editing| match editing {
            Editing::New => ("new", "1".to_owned()),
            Editing::Old(name) => ("edit", name.clone()),
            Editing::CopyOf(name) => ("copy", name.clone()),
        }));
        let texts = [
            ("rule", &self.rule),
            ("service", &self.service),
            ("channel", &self.channel),
            ("state", &self.state),
        ];
        pairs.extend(
            texts.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (*name, (*text).clone())),
        );
        match self.range {
            RANGE => {}
            // What other pages begin with is another range here, and must be said.
            range if range == Range::default() => pairs.push(("from", "-1h".to_owned())),
            range => range.add_to(&mut pairs),
        }
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_address_shows_the_same_view() {
        let views = [
            AlertsView::of_incident(7),
            AlertsView::editing(Tab::Rules, Editing::New),
            AlertsView::editing(Tab::Channels, Editing::Old("a b&c".to_owned())),
            AlertsView::editing(Tab::Rules, Editing::CopyOf("slow".to_owned())),
            AlertsView { range: Range::default(), ..AlertsView::of(Tab::Incidents) },
            AlertsView { range: Range::between(1, 2_000), ..AlertsView::of(Tab::Deliveries) },
            AlertsView {
                rule: "slow".to_owned(),
                service: "größe".to_owned(),
                channel: "ops".to_owned(),
                state: "failed".to_owned(),
                ..AlertsView::of(Tab::Deliveries)
            },
        ];
        for view in views {
            assert_eq!(AlertsView::from_query(&view.to_query()), view, "{}", view.to_query());
        }
        assert_eq!(AlertsView::of(Tab::Incidents).to_query(), "");
    }

    #[test]
    fn an_address_nobody_wrote_is_the_start_view() {
        assert_eq!(AlertsView::from_query("?tab=x&incident=y&from=z"), AlertsView::of(Tab::Incidents));
    }
}
