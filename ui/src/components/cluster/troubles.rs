//! What is wrong with the cluster, in words, before any figure.

use yew::{Html, Properties, classes, component, html};

use crate::api::cluster::{Cluster, Trouble, ago, troubles};

#[derive(PartialEq, Properties)]
pub struct ClusterTroublesProps {
    pub cluster: Cluster,
    /// The last look failed; this is how old the one shown is.
    pub outdated_ms: Option<u64>,
}

#[component]
pub fn ClusterTroubles(props: &ClusterTroublesProps) -> Html {
    let troubles = troubles(&props.cluster);
    let is_healthy = !troubles.iter().any(|trouble| trouble.is_fault);
    html! {
        <section class="troubles" aria-label="What is wrong" aria-live="polite">
            { props.outdated_ms.map(|ms| outdated(&props.cluster, ms)).unwrap_or_default() }
            if is_healthy && props.outdated_ms.is_none() {
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

/// The node that served this page is gone: the others show the cluster as it is.
fn outdated(cluster: &Cluster, ms: u64) -> Html {
    let others = cluster.nodes.iter().filter(|node| node.alive && node.name != cluster.node);
    let link = |node: &crate::api::cluster::Node| {
        html! { <a href={format!("http://{}/cluster", node.http)}>{ &node.name }</a> }
    };
    let links: Vec<Html> = others.map(link).collect();
    html! {
        <p class="outdated" role="alert">
            <b>{ format!("Stale: what follows is {} old, because {} does not answer.", ago(ms), cluster.node) }</b>
            if !links.is_empty() {
                <span class="other-nodes">{ "Ask another node:" }{ for links }</span>
            }
        </p>
    }
}
