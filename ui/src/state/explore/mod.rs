//! What the Explore page shows.

use super::filter::Filter;
use super::page::{Page, View};
use super::range::Range;
use super::url::{self, Pairs};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExploreView {
    pub filter: Filter,
    pub range: Range,
}

impl View for ExploreView {
    const PAGE: Page = Page::Explore;

    fn from_query(text: &str) -> ExploreView {
        let pairs = Pairs::of(text);
        ExploreView {
            filter: Filter::from_pairs(&pairs),
            range: Range::from_pairs(&pairs).unwrap_or_default(),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.filter.add_to(&mut pairs);
        self.range.add_to(&mut pairs);
        url::encode(&pairs)
    }
}
