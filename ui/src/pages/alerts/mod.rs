//! What is told to whom when something is wrong.

use yew::{Html, component, html};

#[component]
pub(super) fn AlertsPage() -> Html {
    html! { <div class="page"><h1>{ "Alerts" }</h1></div> }
}
