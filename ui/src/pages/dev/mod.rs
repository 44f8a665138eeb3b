//! Every part of the screen in each of its states, side by side. In development builds only.

use yew::{Html, component, html};

#[component]
pub(super) fn ComponentsPage() -> Html {
    html! { <div class="page"><h1>{ "Components" }</h1></div> }
}
