//! What is wrong with the cluster, in words, before any figure.

use std::rc::Rc;

use yew::{Html, Properties, classes, component, html};

use crate::api::cluster::{Cluster, Trouble, troubles};

#[derive(PartialEq, Properties)]
pub struct ClusterTroublesProps {
    pub cluster: Rc<Cluster>,
    /// It is not known whether the cluster still is as it was.
    pub is_stale: bool,
}

#[component]
pub fn ClusterTroubles(props: &ClusterTroublesProps) -> Html {
    let troubles = troubles(&props.cluster);
    let is_healthy = !troubles.iter().any(|trouble| trouble.is_fault);
    html! {
        <section class="troubles" aria-label="What is wrong" aria-live="polite">
            if is_healthy && !props.is_stale {
                <p class="healthy"><span class="state good">{ "Healthy: every node is ready and every partition has a leader." }</span></p>
            }
            if !troubles.is_empty() {
                <ul>{ for troubles.iter().map(line) }</ul>
            }
        </section>
    }
}

fn line(trouble: &Trouble) -> Html {
    html! {
        <li class={classes!("trouble-line", if trouble.is_fault { "fault" } else { "change" })}>
            <b>{ &trouble.what }</b><span>{ &trouble.advice }</span>
        </li>
    }
}
