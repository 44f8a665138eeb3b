//! Errors, latencies and anomalies over time.

use yew::{Html, component, html};

#[component]
pub(super) fn AnalyticsPage() -> Html {
    html! { <div class="page"><h1>{ "Analytics" }</h1></div> }
}
