//! What the Live page shows.

use super::filter::Filter;
use super::page::{Page, View};
use super::url::{self, Pairs};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveView {
    pub filter: Filter,
}

impl View for LiveView {
    const PAGE: Page = Page::Live;

    fn from_query(text: &str) -> LiveView {
        LiveView { filter: Filter::from_pairs(&Pairs::of(text)) }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.filter.add_to(&mut pairs);
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
        let view = LiveView { filter };
        assert_eq!(LiveView::from_query(&view.to_query()), view);
        assert_eq!(LiveView::default().to_query(), "");
    }

    #[test]
    fn an_address_nobody_wrote_is_the_start_view() {
        assert_eq!(LiveView::from_query("?level=loud&anomaly=perhaps&utm=1"), LiveView::default());
    }
}
