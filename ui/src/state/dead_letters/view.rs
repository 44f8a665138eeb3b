//! What the dead letters page shows.

use crate::state::page::{Page, View};
use crate::state::url::{self, Pairs};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeadLettersView {
    /// Empty means every one.
    pub service: String,
    /// Part of the reason.
    pub reason: String,
    /// Id of the letter shown in full.
    pub open: Option<String>,
}

impl View for DeadLettersView {
    const PAGE: Page = Page::DeadLetters;

    fn from_query(text: &str) -> DeadLettersView {
        let pairs = Pairs::of(text);
        let open = pairs.get("letter").filter(|id| !id.is_empty()).map(str::to_owned);
        DeadLettersView { service: pairs.text("service"), reason: pairs.text("reason"), open }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        for (name, text) in [("service", &self.service), ("reason", &self.reason)] {
            if !text.is_empty() {
                pairs.push((name, text.clone()));
            }
        }
        pairs.extend(self.open.clone().map(|id| ("letter", id)));
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_address_shows_the_same_view() {
        let view = DeadLettersView {
            service: "shop".to_owned(),
            reason: "level \"loud\" & more".to_owned(),
            open: Some("0003-00000000001a".to_owned()),
        };
        assert_eq!(DeadLettersView::from_query(&view.to_query()), view);
        assert_eq!(DeadLettersView::from_query("?letter="), DeadLettersView::default());
        assert_eq!(DeadLettersView::default().to_query(), "");
    }
}
