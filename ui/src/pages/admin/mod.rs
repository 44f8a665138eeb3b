//! Users, tokens, retention and the audit trail.

use yew::{Html, component, html};

#[component]
pub(super) fn AdminPage() -> Html {
    html! { <div class="page"><h1>{ "Admin" }</h1></div> }
}
