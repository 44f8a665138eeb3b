//! Is the cluster well? Nodes, partitions, actors and what came in, renewed every two seconds.

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, component, html, use_effect_with, use_reducer};

use crate::api::cluster::{Cluster, NodeState};
use crate::browser::clock;
use crate::components::cluster::tables::{ActorsTable, NodesTable, PartitionsTable, PeersTable, SpreadTable};
use crate::components::cluster::troubles::ClusterTroubles;
use crate::components::notice::{Failure, Loading};
use crate::hooks::app::use_app;
use crate::network::requests;
use crate::state::cluster_watch::{ClusterWatch, Look};
use crate::state::format;

const LOOK_EVERY_MS: u32 = 2_000;

#[component]
pub(super) fn ClusterPage() -> Html {
    let app = use_app();
    let watch = use_reducer(ClusterWatch::default);
    let look = {
        let watch = watch.dispatcher();
        Callback::from(move |()| {
            let watch = watch.clone();
            spawn_local(async move {
                let result = requests::cluster::cluster().await;
                watch.dispatch(Look { now_ms: clock::now_ms(), result });
            });
        })
    };
    use_effect_with((), {
        let look = look.clone();
        move |()| {
            look.emit(());
            let interval = Interval::new(LOOK_EVERY_MS, move || look.emit(()));
            move || drop(interval)
        }
    });
    let failure = watch.error.clone().map(|error| html! {
        <Failure {error} on_retry={look} on_sign_in={app.sign_in.clone()} is_banner={watch.cluster.is_some()} />
    });
    html! {
        <div class="page cluster-page">
            <h1>{ "Cluster" }</h1>
            { failure.unwrap_or_default() }
            { match &watch.cluster {
                Some(_) => body(&watch),
                None if watch.error.is_none() => html! { <Loading /> },
                None => Html::default(),
            } }
        </div>
    }
}

fn body(watch: &ClusterWatch) -> Html {
    let Some(cluster) = &watch.cluster else { return Html::default() };
    let node = cluster.node.clone();
    html! {
        <>
            <ClusterTroubles cluster={cluster.clone()} outdated_ms={watch.outdated_ms()} />
            { tiles(watch, cluster) }
            <div class="table-frame"><NodesTable cluster={cluster.clone()} /></div>
            <div class="table-frame"><PartitionsTable cluster={cluster.clone()} /></div>
            if !cluster.spread.is_empty() {
                <div class="table-frame"><SpreadTable cluster={cluster.clone()} /></div>
            }
            if !cluster.peers.is_empty() {
                <div class="table-frame"><PeersTable peers={cluster.peers.clone()} node={node.clone()} /></div>
            }
            <div class="table-frame"><ActorsTable actors={cluster.actors.clone()} {node} /></div>
            <p class="hint">{ format!("Cluster {}, as {} sees it. Counts are since the start of {}.", cluster.cluster_id, cluster.node, cluster.node) }</p>
        </>
    }
}

fn tiles(watch: &ClusterWatch, cluster: &Cluster) -> Html {
    let expected = cluster.nodes.iter().filter(|node| node.state != NodeState::Invited).count();
    let ready = cluster.nodes.iter().filter(|node| node.alive && node.ready).count();
    let led = cluster.partitions.iter().filter(|partition| partition.leader.is_some()).count();
    let restarts: u64 = cluster.actors.iter().map(|actor| actor.restarts).sum();
    html! {
        <ul class="tiles">
            { tile("Nodes ready", format!("{ready} of {expected}"), ready < expected) }
            { tile("Partitions with a leader", format!("{led} of {}", cluster.partitions.len()), led < cluster.partitions.len()) }
            { tile("Accepted here a second", watch.accepted_per_sec.map_or("–".to_owned(), format::rate), false) }
            { tile("Records accepted here", format::count(cluster.ingest.accepted), false) }
            { tile("Records refused here", format::count(cluster.ingest.rejected), cluster.ingest.rejected > 0) }
            { tile("Repeated batches here", format::count(cluster.ingest.duplicates), false) }
            { tile("Actor restarts here", format::count(restarts), restarts > 0) }
        </ul>
    }
}

fn tile(name: &str, value: String, is_notable: bool) -> Html {
    html! {
        <li class={yew::classes!("tile", is_notable.then_some("notable"))}>
            <span class="tile-name">{ name.to_owned() }</span><span class="tile-value">{ value }</span>
        </li>
    }
}
