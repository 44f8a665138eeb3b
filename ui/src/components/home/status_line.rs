//! How things are, at one glance.

use yew::{Html, Properties, classes, component, html};

use crate::components::link::Link;
use crate::state::analytics::view::AnalyticsView;
use crate::state::home::sentence::{Detail, Sentence};
use crate::state::page::{Page, Place, View};
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub struct StatusLineProps {
    pub sentence: Sentence,
    /// What is wrong with the cluster; `None`: nothing, or nothing known.
    pub cluster_fault: Option<String>,
    pub is_cluster_known: bool,
    /// The figures are old: to ask again has failed.
    pub is_old: bool,
    pub range: Range,
}

#[component]
pub fn StatusLine(props: &StatusLineProps) -> Html {
    let sentence = &props.sentence;
    let detail = |detail: &Detail| {
        let to = AnalyticsView::of_service(&detail.service, props.range).place();
        html! { <li><Link {to}><b>{ &detail.service }</b></Link>{ " " }<span>{ &detail.reason }</span></li> }
    };
    let cluster = Place::of(Page::Cluster);
    html! {
        <section class={classes!("status-line", sentence.condition.class())} aria-live="polite">
            <p class="headline"><span class="status-dot" aria-hidden="true"></span>{ &sentence.headline }</p>
            if !sentence.details.is_empty() {
                <ul class="status-details">{ for sentence.details.iter().map(detail) }</ul>
            }
            if props.is_old {
                <p class="cluster-fault">{ "This is how it was: the cluster does not answer now." }</p>
            }
            if let Some(fault) = &props.cluster_fault {
                <p class="cluster-fault"><Link to={cluster}>{ "Cluster" }</Link>{ " " }{ fault }</p>
            } else if props.is_cluster_known {
                <p class="hint"><Link to={cluster}>{ "Cluster healthy" }</Link></p>
            }
        </section>
    }
}
