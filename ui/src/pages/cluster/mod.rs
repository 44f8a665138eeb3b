//! Is the cluster well? Nodes, partitions, actors and what came in, renewed every two seconds.

mod accounting;
mod leader_move;
mod node_change;

use std::rc::Rc;

use yew::{Callback, Html, component, hook, html, use_mut_ref};

use crate::api::cluster::{Cluster, NodeState};
use crate::components::cluster::tables::{ActorsTable, NodesTable, PartitionsTable, PeersTable, SpreadTable};
use crate::components::cluster::troubles::ClusterTroubles;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::cluster_rate::{Look, per_sec};
use crate::state::format;
use accounting::AccountingPart;
use leader_move::LeaderMove;
use node_change::NodeChanges;

const LOOK_EVERY_MS: u32 = 2_000;

#[component]
pub(super) fn ClusterPage() -> Html {
    let asked = use_answer((), Some(LOOK_EVERY_MS), |()| asking(requests::cluster::cluster()));
    let rate = use_rate(&asked);
    let again = asked.again.clone();
    let moving = use_state_eq(|| None::<u64>);
    let set_moving = {
        let moving = moving.clone();
        Callback::from(move |partition| moving.set(partition))
    };
    let on_move = use_app().is_admin().then(|| set_moving.reform(Some));
    html! {
        <div class="page cluster-page">
            <h1>{ "Cluster" }</h1>
            { shown(&asked, skeleton_lines(12), |cluster| html! {
                <div class="stack">
                    <ClusterTroubles cluster={Rc::clone(cluster)} is_stale={asked.answer.is_stale()} />
                    { tiles(cluster, rate) }
                    <NodeChanges cluster={Rc::clone(cluster)} on_changed={again.clone()} />
                    { tables(cluster, on_move) }
                    if let Some(partition) = *moving {
                        <LeaderMove cluster={Rc::clone(cluster)} {partition} on_close={set_moving.reform(|()| None)} on_changed={again} />
                    }
                </div>
            }) }
            <AccountingPart />
        </div>
    }
}

fn tables(cluster: &Rc<Cluster>, on_move: Option<Callback<u64>>) -> Html {
    let node = cluster.node.clone();
    html! {
        <>
            <div class="table-frame" tabindex="0"><NodesTable cluster={Rc::clone(cluster)} /></div>
            <div class="table-frame" tabindex="0"><PartitionsTable cluster={Rc::clone(cluster)} {on_move} /></div>
            if !cluster.spread.is_empty() {
                <div class="table-frame" tabindex="0"><SpreadTable cluster={Rc::clone(cluster)} /></div>
            }
            if !cluster.peers.is_empty() {
                <div class="table-frame" tabindex="0"><PeersTable peers={cluster.peers.clone()} node={node.clone()} /></div>
            }
            <div class="table-frame" tabindex="0"><ActorsTable actors={cluster.actors.clone()} node={node.clone()} /></div>
            <p class="hint">{ format!("Cluster {}, as {node} sees it. Counts are since the start of {node}.", cluster.cluster_id) }</p>
        </>
    }
}

fn tiles(cluster: &Cluster, rate: Option<f64>) -> Html {
    let expected = cluster.nodes.iter().filter(|node| node.state != NodeState::Invited).count();
    let ready = cluster.nodes.iter().filter(|node| node.alive && node.ready).count();
    let led = cluster.partitions.iter().filter(|partition| partition.leader.is_some()).count();
    let restarts: u64 = cluster.actors.iter().map(|actor| actor.restarts).sum();
    html! {
        <ul class="tiles">
            { tile("Nodes ready", format!("{ready} of {expected}"), ready < expected) }
            { tile("Partitions with a leader", format!("{led} of {}", cluster.partitions.len()), led < cluster.partitions.len()) }
            { tile("Accepted here a second", rate.map_or("–".to_owned(), format::rate), false) }
            { tile("Records accepted here", format::count(cluster.ingest.accepted), false) }
            { tile("Records refused here", format::count(cluster.ingest.rejected), cluster.ingest.rejected > 0) }
            { tile("Repeated records here", format::count(cluster.ingest.duplicates), false) }
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

/// Records a second, from this answer and the one before.
#[hook]
fn use_rate(asked: &Asked<Cluster>) -> Option<f64> {
    let seen = use_mut_ref(|| (None::<Look>, None::<f64>));
    let cluster = asked.value()?;
    let look = Look {
        now_ms: asked.answer.answered_ms,
        node: cluster.node.clone(),
        accepted: cluster.ingest.accepted,
    };
    let mut seen = seen.borrow_mut();
    if seen.0.as_ref() != Some(&look) {
        seen.1 = seen.0.as_ref().and_then(|before| per_sec(before, &look));
        seen.0 = Some(look);
    }
    seen.1
}
