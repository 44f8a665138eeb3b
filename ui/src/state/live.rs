//! What the Live page shows.

use super::columns::Columns;
use super::filter::Filter;
use super::page::{Page, View};
use super::url::{self, Pairs};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveView {
    pub filter: Filter,
    pub columns: Columns,
    /// Words to mark.
    pub marked: String,
}

impl View for LiveView {
    const PAGE: Page = Page::Live;

    fn from_query(text: &str) -> LiveView {
        let pairs = Pairs::of(text);
        LiveView {
            filter: Filter::from_pairs(&pairs),
            columns: Columns::from_pairs(&pairs),
            marked: pairs.text("mark"),
        }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.filter.add_to(&mut pairs);
        self.columns.add_to(&mut pairs);
        if !self.marked.trim().is_empty() {
            pairs.push(("mark", self.marked.trim().to_owned()));
        }
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::Level;

    #[test]
    fn a_copied_address_shows_the_same_view() {
        let filter = Filter {
            text: "\"card declined\" userId:7".to_owned(),
            service: "payment".to_owned(),
            levels: vec![Level::Warn, Level::Error],
            is_anomaly: true,
        };
        let mut view = LiveView { filter, marked: "timeout retry".to_owned(), ..LiveView::default() };
        view.columns.add("userId");
        assert_eq!(LiveView::from_query(&view.to_query()), view);
        assert_eq!(LiveView::default().to_query(), "");
    }

    #[test]
    fn an_address_nobody_wrote_is_the_start_view() {
        assert_eq!(LiveView::from_query("?level=loud&anomaly=perhaps&utm=1"), LiveView::default());
    }
}
