//! What the Cluster page shows: the cluster as it is, and the books of a stretch of time.

use super::page::{Page, View};
use super::range::Range;
use super::url::{self, Pairs};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterView {
    /// Of the books.
    pub range: Range,
}

impl View for ClusterView {
    const PAGE: Page = Page::Cluster;

    fn from_query(text: &str) -> ClusterView {
        ClusterView { range: Range::from_pairs(&Pairs::of(text)).unwrap_or_default() }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.range.add_to(&mut pairs);
        url::encode(&pairs)
    }
}
