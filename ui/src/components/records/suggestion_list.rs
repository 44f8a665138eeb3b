//! What the search box offers, below it.

use insighthub_model::query::SuggestionKind;
use yew::{Callback, Html, Properties, classes, component, html};

use crate::state::offers::{Offer, Offers};

#[derive(PartialEq, Properties)]
pub struct SuggestionListProps {
    pub offers: Offers,
    pub on_take: Callback<usize>,
}

#[component]
pub fn SuggestionList(props: &SuggestionListProps) -> Html {
    if props.offers.is_empty() {
        return Html::default();
    }
    html! {
        <ul class="offers" id="query-offers" role="listbox" aria-label="Suggestions">
            { for props.offers.iter().enumerate().map(|(place, offer)| entry(props, place, offer)) }
        </ul>
    }
}

fn entry(props: &SuggestionListProps, place: usize, offer: &Offer) -> Html {
    let is_chosen = props.offers.chosen() == Some(place);
    let (text, kind, description) = match offer {
        Offer::Earlier(text) => (text, "earlier", ""),
        Offer::Suggestion(found) => (&found.text, kind(found.kind), found.description.as_str()),
    };
    // The input must keep the keyboard.
    let onmousedown = props.on_take.reform(move |event: yew::MouseEvent| {
        event.prevent_default();
        place
    });
    html! {
        <li id={format!("offer-{place}")} role="option" aria-selected={is_chosen.to_string()}
            class={classes!("offer", is_chosen.then_some("chosen"))} {onmousedown}>
            <span class="offer-kind">{ kind }</span><code>{ text }</code>
            <span class="hint">{ description }</span>
        </li>
    }
}

fn kind(kind: SuggestionKind) -> &'static str {
    match kind {
        SuggestionKind::Field => "field",
        SuggestionKind::Value => "value",
        SuggestionKind::Keyword => "word",
        SuggestionKind::Stage => "stage",
        SuggestionKind::Function => "function",
    }
}
