//! How the services are.

use yew::{Html, component, html};

#[component]
pub(super) fn HomePage() -> Html {
    html! { <div class="page"><h1>{ "Home" }</h1></div> }
}
