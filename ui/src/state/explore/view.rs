//! What the page shows, as its address spells it.

use insighthub_model::{Timestamp, decimal};

use super::against::Against;
use super::group::Group;
use crate::state::columns::Columns;
use crate::state::filter::Filter;
use crate::state::page::{Page, View};
use crate::state::range::{Range, rfc3339};
use crate::state::url::{self, Pairs};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Records,
    Patterns,
    Group,
    Different,
    /// The whole query language.
    Query,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::Records, Tab::Patterns, Tab::Group, Tab::Different, Tab::Query];

    pub fn name(self) -> &'static str {
        match self {
            Tab::Records => "records",
            Tab::Patterns => "patterns",
            Tab::Group => "group",
            Tab::Different => "different",
            Tab::Query => "query",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Tab::Records => "Records",
            Tab::Patterns => "Patterns",
            Tab::Group => "Group by",
            Tab::Different => "What is different",
            Tab::Query => "Query",
        }
    }

    fn from_name(name: &str) -> Tab {
        Tab::ALL.into_iter().find(|tab| tab.name() == name).unwrap_or_default()
    }
}

/// Records that were marked in a chart: a stretch of time, a stretch of latencies, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Selection {
    /// First and last moment, milliseconds since 1970.
    pub time_ms: Option<(i64, i64)>,
    /// From one latency up to another; the second may be open.
    pub latency_ms: Option<(f64, Option<f64>)>,
}

impl Selection {
    pub fn is_empty(&self) -> bool {
        self.time_ms.is_none() && self.latency_ms.is_none()
    }

    fn from_pairs(pairs: &Pairs) -> Selection {
        let moment = |name: &str| Some(Timestamp::parse(pairs.get(name)?).ok()?.millis());
        let number = |name: &str| decimal::nearest(pairs.get(name)?);
        let time_ms = moment("selection_from").zip(moment("selection_to")).filter(|(from, to)| from < to);
        let latency_ms = number("latency_from").map(|from| (from, number("latency_to")));
        Selection { time_ms, latency_ms }
    }

    fn add_to(&self, pairs: &mut Vec<(&'static str, String)>) {
        if let Some((from, to)) = self.time_ms {
            pairs.push(("selection_from", rfc3339(from)));
            pairs.push(("selection_to", rfc3339(to)));
        }
        if let Some((from, to)) = self.latency_ms {
            pairs.push(("latency_from", from.to_string()));
            pairs.extend(to.map(|to| ("latency_to", to.to_string())));
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExploreView {
    pub filter: Filter,
    pub range: Range,
    /// Held against the period before.
    pub is_compared: bool,
    pub tab: Tab,
    pub columns: Columns,
    pub group: Group,
    /// Patterns are held against those of this time; `None`: they are listed.
    pub against: Option<Against>,
    pub selection: Selection,
    /// Log id of the record that is open; empty: none.
    pub record: String,
    /// What stands in the Query tab; empty: what the Group tab asks.
    pub query: String,
    /// Facets in the order of their names, not of how many records have them.
    pub are_facets_by_name: bool,
}

impl View for ExploreView {
    const PAGE: Page = Page::Explore;

    fn from_query(text: &str) -> ExploreView {
        let pairs = Pairs::of(text);
        ExploreView {
            filter: Filter::from_pairs(&pairs),
            range: Range::from_pairs(&pairs).unwrap_or_default(),
            is_compared: pairs.get("compare") == Some("before"),
            tab: Tab::from_name(&pairs.text("tab")),
            columns: Columns::from_pairs(&pairs),
            group: Group::from_pairs(&pairs),
            against: Against::from_pairs(&pairs),
            selection: Selection::from_pairs(&pairs),
            record: pairs.text("log_id"),
            query: pairs.text("query"),
            are_facets_by_name: pairs.get("facets") == Some("name"),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.filter.add_to(&mut pairs);
        self.range.add_to(&mut pairs);
        if self.is_compared {
            pairs.push(("compare", "before".to_owned()));
        }
        if self.tab != Tab::default() {
            pairs.push(("tab", self.tab.name().to_owned()));
        }
        self.columns.add_to(&mut pairs);
        self.group.add_to(&mut pairs);
        if let Some(against) = self.against {
            against.add_to(&mut pairs);
        }
        self.selection.add_to(&mut pairs);
        for (name, text) in [("log_id", &self.record), ("query", &self.query)] {
            if !text.is_empty() {
                pairs.push((name, text.clone()));
            }
        }
        if self.are_facets_by_name {
            pairs.push(("facets", "name".to_owned()));
        }
        url::encode(&pairs)
    }
}

impl ExploreView {
    /// The same records in another stretch of time; what was marked in the old one is marked no more.
    pub fn zoomed(&self, range: Range) -> ExploreView {
        ExploreView { range, selection: Selection::default(), ..self.clone() }
    }

    /// A stretch three times as long around the one that is shown.
    pub fn zoomed_out(&self, now_ms: f64) -> ExploreView {
        let span = self.range.at(now_ms);
        let length = span.length_ms();
        let to_ms = (span.to_ms + length).min(now_ms as i64).max(span.from_ms + 1);
        self.zoomed(Range::between(span.from_ms - length, to_ms))
    }

    /// The filter is another; the open record may not be among what it finds.
    pub fn with_filter(&self, change: impl FnOnce(&mut Filter)) -> ExploreView {
        let mut next = self.clone();
        change(&mut next.filter);
        next
    }

    /// One record, and nothing of what else is looked at: whoever opens the link finds it whatever the time.
    pub fn of_record(log_id: &str) -> ExploreView {
        ExploreView { record: log_id.to_owned(), ..ExploreView::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::Level;
    use crate::state::explore::group::{Drawn, Measure};

    #[test]
    fn a_copied_address_shows_the_same_view() {
        let mut columns = Columns::default();
        columns.add("trace_id");
        columns.resize(2, 222);
        let view = ExploreView {
            filter: Filter { text: "a b:\"c d\"".into(), levels: vec![Level::Error], ..Filter::default() },
            range: Range::between(1_700_000_000_000, 1_700_000_060_000),
            is_compared: true,
            tab: Tab::Different,
            columns,
            group: Group {
                by: vec!["http.route".into(), "a,b".into()],
                measure: Measure::P95,
                field: "bytes".into(),
                drawn: Drawn::Table,
            },
            against: Some(Against::Other(Range::between(1_600_000_000_000, 1_600_000_060_000))),
            selection: Selection {
                time_ms: Some((1_700_000_010_000, 1_700_000_020_000)),
                latency_ms: Some((0.5, None)),
            },
            record: "0003-00000000001a".into(),
            query: "* | stats count()".into(),
            are_facets_by_name: true,
        };
        assert_eq!(ExploreView::from_query(&view.to_query()), view);
        assert_eq!(ExploreView::default().to_query(), "");
        assert_eq!(ExploreView::from_query(""), ExploreView::default());
    }

    #[test]
    fn what_nobody_wrote_is_passed_over() {
        let view = ExploreView::from_query(
            "?tab=x&selection_from=now&latency_to=5&agg=best&as=pie&col=&against=never",
        );
        assert_eq!(view, ExploreView::default());
    }

    #[test]
    fn zooming_out_ends_now() {
        let view = ExploreView { range: Range::Last(60), ..ExploreView::default() };
        let out = view.zoomed_out(1_000_000.0);
        assert_eq!(out.range, Range::Between { from_ms: 880_000, to_ms: 1_000_000 });
        let past = ExploreView { range: Range::between(100_000, 200_000), ..view };
        assert_eq!(past.zoomed_out(1_000_000.0).range, Range::Between { from_ms: 0, to_ms: 300_000 });
    }
}
