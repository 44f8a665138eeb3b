//! What the Analytics page shows, as its address spells it.

use insighthub_model::detection::EpisodeId;

use crate::state::page::{Page, View};
use crate::state::range::Range;
use crate::state::url::{self, Pairs};

/// How errors are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorsAs {
    /// So many a minute.
    #[default]
    Count,
    /// Of all records.
    Share,
}

/// Where a cell of the heatmap leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellsLeadTo {
    #[default]
    Records,
    /// What they have in common that others do not.
    Different,
}

impl CellsLeadTo {
    pub fn other(self) -> CellsLeadTo {
        match self {
            CellsLeadTo::Records => CellsLeadTo::Different,
            CellsLeadTo::Different => CellsLeadTo::Records,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalyticsView {
    /// Empty: all.
    pub service: String,
    pub range: Range,
    pub errors: ErrorsAs,
    pub cells: CellsLeadTo,
    /// The incident that is open.
    pub episode: Option<EpisodeId>,
}

impl View for AnalyticsView {
    const PAGE: Page = Page::Analytics;

    fn from_query(text: &str) -> AnalyticsView {
        let pairs = Pairs::of(text);
        AnalyticsView {
            service: pairs.text("service"),
            range: Range::from_pairs(&pairs).unwrap_or_default(),
            errors: if pairs.get("errors") == Some("share") { ErrorsAs::Share } else { ErrorsAs::Count },
            cells: match pairs.get("cells") {
                Some("different") => CellsLeadTo::Different,
                _ => CellsLeadTo::Records,
            },
            episode: pairs.get("episode").and_then(|id| id.parse().ok()),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        if !self.service.is_empty() {
            pairs.push(("service", self.service.clone()));
        }
        self.range.add_to(&mut pairs);
        if self.errors == ErrorsAs::Share {
            pairs.push(("errors", "share".to_owned()));
        }
        if self.cells == CellsLeadTo::Different {
            pairs.push(("cells", "different".to_owned()));
        }
        pairs.extend(self.episode.as_ref().map(|id| ("episode", id.to_string())));
        url::encode(&pairs)
    }
}

impl AnalyticsView {
    pub fn of_service(service: &str, range: Range) -> AnalyticsView {
        AnalyticsView { service: service.to_owned(), range, ..AnalyticsView::default() }
    }

    /// An incident with an hour around it; one that goes on is looked at up to now.
    pub fn of_episode(id: &EpisodeId, ended_ms: Option<i64>) -> AnalyticsView {
        const AROUND_MS: i64 = 1_800_000;
        let opened_ms = id.opened_at.millis();
        let range = match ended_ms {
            Some(ended_ms) => Range::between(opened_ms - AROUND_MS, ended_ms + AROUND_MS),
            None => Range::default(),
        };
        AnalyticsView { episode: Some(id.clone()), ..AnalyticsView::of_service(&id.service, range) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_says_is_read_again() {
        let id: EpisodeId = "18a3f00c2b400000-0003-payment-service".parse().unwrap();
        let views = [
            AnalyticsView::default(),
            AnalyticsView {
                service: "größe & co".to_owned(),
                range: Range::Last(21_600),
                errors: ErrorsAs::Share,
                cells: CellsLeadTo::Different,
                episode: Some(id.clone()),
            },
            AnalyticsView::of_episode(&id, Some(id.opened_at.millis() + 60_000)),
        ];
        for view in views {
            assert_eq!(AnalyticsView::from_query(&view.to_query()), view);
        }
        assert_eq!(AnalyticsView::default().to_query(), "");
        assert_eq!(AnalyticsView::from_query("episode=nonsense&errors=x"), AnalyticsView::default());
    }

    #[test]
    fn an_incident_that_goes_on_is_looked_at_up_to_now() {
        let id: EpisodeId = "18a3f00c2b400000-0003-auth".parse().unwrap();
        assert!(AnalyticsView::of_episode(&id, None).range.follows_now());
        assert_eq!(AnalyticsView::of_episode(&id, None).service, "auth");
    }
}
