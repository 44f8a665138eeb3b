//! What the search box offers to put in, and which of it is chosen.

use insighthub_model::query::Suggestion;

#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    Suggestion(Suggestion),
    /// A whole query that was sent before.
    Earlier(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    offers: Vec<Offer>,
    chosen: Option<usize>,
}

impl Offers {
    /// None is chosen, so that Enter sends what was typed.
    pub fn suggested(found: Vec<Suggestion>) -> Offers {
        Offers { offers: found.into_iter().map(Offer::Suggestion).collect(), chosen: None }
    }

    /// The newest is chosen.
    pub fn earlier(queries: Vec<String>) -> Offers {
        let chosen = (!queries.is_empty()).then_some(0);
        Offers { offers: queries.into_iter().map(Offer::Earlier).collect(), chosen }
    }

    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Offer> {
        self.offers.iter()
    }

    pub fn get(&self, place: usize) -> Option<&Offer> {
        self.offers.get(place)
    }

    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// The next or the one before; beyond either end none, and then from the other end.
    pub fn stepped(&self, forward: bool) -> Offers {
        let last = self.offers.len().checked_sub(1);
        let chosen = match (self.chosen, forward) {
            (None, true) => last.map(|_| 0),
            (None, false) => last,
            (Some(place), true) => Some(place + 1).filter(|next| *next < self.offers.len()),
            (Some(place), false) => place.checked_sub(1),
        };
        Offers { offers: self.offers.clone(), chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_round_by_way_of_none() {
        let offers = Offers::earlier(vec!["a".into(), "b".into()]);
        let places: Vec<Option<usize>> =
            std::iter::successors(Some(offers), |offers| Some(offers.stepped(true)))
                .take(4)
                .map(|offers| offers.chosen())
                .collect();
        assert_eq!(places, [Some(0), Some(1), None, Some(0)]);
        assert_eq!(Offers::earlier(vec!["a".into()]).stepped(false).stepped(false).chosen(), Some(0));
        assert_eq!(Offers::default().stepped(true).chosen(), None);
    }
}
