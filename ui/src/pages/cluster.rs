//! Is the cluster well? Nodes, partitions, actors and what came in, renewed every two seconds.

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_reducer};

use crate::browser::clock;
use crate::components::cluster_tables::{ActorsTable, NodesTable, PartitionsTable};
use crate::components::notice::{Failure, Loading};
use crate::network::requests;
use crate::state::cluster_watch::{ClusterWatch, Look};
use crate::state::connection::Health;
use crate::state::format;

const LOOK_EVERY_MS: u32 = 2_000;

#[derive(PartialEq, Properties)]
pub(super) struct ClusterPageProps {
    pub(super) on_health: Callback<Health>,
    pub(super) on_sign_in: Callback<()>,
}

#[component]
pub(super) fn ClusterPage(props: &ClusterPageProps) -> Html {
    let watch = use_reducer(ClusterWatch::default);
    let look = {
        let watch = watch.dispatcher();
        Callback::from(move |()| {
            let watch = watch.clone();
            spawn_local(async move {
                let result = requests::cluster().await;
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
    use_effect_with((watch.health(), props.on_health.clone()), |(health, on_health)| on_health.emit(*health));
    let failure = watch.error.clone().map(|error| html! {
        <Failure {error} on_retry={look} on_sign_in={props.on_sign_in.clone()} is_banner={watch.cluster.is_some()} />
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
    let alive = cluster.nodes.iter().filter(|node| node.alive).count();
    let led = cluster.partitions.iter().filter(|partition| partition.leader.is_some()).count();
    let restarts: u64 = cluster.actors.iter().map(|actor| actor.restarts).sum();
    html! {
        <>
            <p class="hint">{ format!("Cluster {}. Counts are since the start of the node that answers.", cluster.cluster_id) }</p>
            <ul class="tiles">
                { tile("Nodes alive", format!("{alive} of {}", cluster.nodes.len()), alive < cluster.nodes.len()) }
                { tile("Partitions with a leader", format!("{led} of {}", cluster.partitions.len()), led < cluster.partitions.len()) }
                { tile("Accepted per second", watch.accepted_per_sec.map_or("–".to_owned(), format::rate), false) }
                { tile("Records accepted", format::count(cluster.ingest.accepted), false) }
                { tile("Records refused", format::count(cluster.ingest.rejected), cluster.ingest.rejected > 0) }
                { tile("Repeated batches", format::count(cluster.ingest.duplicates), false) }
                { tile("Actor restarts", format::count(restarts), restarts > 0) }
            </ul>
            <div class="table-frame"><NodesTable nodes={cluster.nodes.clone()} /></div>
            <div class="table-frame"><PartitionsTable partitions={cluster.partitions.clone()} /></div>
            <div class="table-frame"><ActorsTable actors={cluster.actors.clone()} /></div>
        </>
    }
}

fn tile(name: &str, value: String, is_notable: bool) -> Html {
    html! {
        <li class={yew::classes!("tile", is_notable.then_some("notable"))}>
            <span class="tile-name">{ name.to_owned() }</span><span class="tile-value">{ value }</span>
        </li>
    }
}
