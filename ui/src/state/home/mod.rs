//! What Home shows: over which range, and how the services are.

pub mod figures;
pub mod judgement;
pub mod sentence;

use super::page::{Page, View};
use super::range::Range;
use super::url::{self, Pairs};

/// Ranges that Home offers, seconds.
pub const OFFERED_SECS: [u64; 4] = [900, 3_600, 21_600, 86_400];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HomeView {
    /// Always one up to now.
    pub range: Range,
}

impl View for HomeView {
    const PAGE: Page = Page::Home;

    fn from_query(text: &str) -> HomeView {
        let range = Range::from_pairs(&Pairs::of(text)).filter(|range| range.follows_now());
        HomeView { range: range.unwrap_or_default() }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.range.add_to(&mut pairs);
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_stands_in_the_address() {
        for secs in OFFERED_SECS {
            let view = HomeView { range: Range::Last(secs) };
            assert_eq!(HomeView::from_query(&view.to_query()), view);
        }
        assert_eq!(HomeView::default().to_query(), "");
    }

    #[test]
    fn home_is_about_now() {
        let past = "from=2026-01-01T00%3A00%3A00Z&to=2026-01-02T00%3A00%3A00Z";
        assert_eq!(HomeView::from_query(past), HomeView::default());
    }
}
