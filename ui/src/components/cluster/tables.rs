//! The tables of the cluster page. Rows that need attention come first.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use crate::api::cluster::{
    Actor, Cluster, LAG_NOTABLE, Node, NodeState, Partition, Peer, Replica, Spread, ago,
};
use crate::state::cluster::heirs;
use crate::state::format;

/// More than this in a queue means that an actor cannot keep up.
const QUEUE_DEPTH_NOTABLE: u64 = 1_000;
/// More than this on the way to one node means that it or the network cannot keep up.
const QUEUED_BYTES_NOTABLE: u64 = 16 << 20;

#[derive(PartialEq, Properties)]
pub struct ClusterTableProps {
    pub cluster: Rc<Cluster>,
}

#[component]
pub fn NodesTable(props: &ClusterTableProps) -> Html {
    let cluster = &props.cluster;
    let mut nodes: Vec<&Node> = cluster.nodes.iter().collect();
    nodes.sort_by_key(|node| node.alive && node.ready);
    html! { <table><caption>{ "Nodes" }</caption>
    { head(&["Node", "Health", "State", "Last heard", "#Leads", "#Replicas", "#Disk free", "Dashboard"]) }
    <tbody>{ for nodes.into_iter().map(|node| node_row(cluster, node)) }</tbody></table> }
}

fn node_row(cluster: &Cluster, node: &Node) -> Html {
    let (class, health) = match (node.alive, node.ready, node.state) {
        (false, _, NodeState::Invited) => ("", "Not there yet".to_owned()),
        (false, ..) => ("bad", "Does not answer".to_owned()),
        (true, false, _) => ("bad", format!("Not ready: {}", node.waiting_for.join("; "))),
        (true, true, _) => ("good", "Ready".to_owned()),
    };
    let is_here = node.name == cluster.node;
    let heard = match node.last_heard_ms {
        Some(_) if is_here => "Answers here".to_owned(),
        Some(ms) => format!("{} ago", ago(ms)),
        None => "Never".to_owned(),
    };
    let disk =
        if node.last_heard_ms.is_some() { format::bytes(node.disk_free_bytes) } else { "–".to_owned() };
    let leads = cluster.partitions.iter().filter(|partition| partition.leader.as_ref() == Some(&node.name));
    let holds = |partition: &&Partition| partition.replicas.iter().any(|replica| replica.node == node.name);
    let replicas = cluster.partitions.iter().filter(holds).count();
    html! {
        <tr>
            <th scope="row">{ &node.name }</th>
            <td><span class={classes!("state", class)}>{ health }</span></td>
            <td class={classes!((node.state != NodeState::Active).then_some("notable"))}>{ node.state.name() }</td>
            <td>{ heard }</td>
            { number(leads.count() as u64, false) }{ number(replicas as u64, false) }
            <td class="number">{ disk }</td>
            <td>{ if is_here { html! { &node.http } } else {
                html! { <a href={format!("http://{}/cluster", node.http)}>{ &node.http }</a> }
            } }</td>
        </tr>
    }
}

#[derive(PartialEq, Properties)]
pub struct PartitionsTableProps {
    pub cluster: Rc<Cluster>,
    /// For who may: another replica is to lead this partition.
    pub on_move: Option<Callback<u64>>,
}

#[component]
pub fn PartitionsTable(props: &PartitionsTableProps) -> Html {
    let mut partitions: Vec<&Partition> = props.cluster.partitions.iter().collect();
    partitions.sort_by_key(|partition| !is_troubled(partition));
    html! { <table><caption>{ "Partitions" }</caption>
    { head(&["Partition", "Leader", "#Term", "#Records", "#In memory here", "#Blocks", "#Size", "Replicas"]) }
    <tbody>{ for partitions.into_iter().map(|partition| partition_row(partition, props.on_move.as_ref())) }</tbody></table> }
}

/// Services that are kept in several partitions.
#[component]
pub fn SpreadTable(props: &ClusterTableProps) -> Html {
    html! { <table><caption>{ "Spread services" }</caption>{ head(&["Service", "Partitions"]) }
    <tbody>{ for props.cluster.spread.iter().map(spread_row) }</tbody></table> }
}

fn spread_row(spread: &Spread) -> Html {
    let partitions: Vec<String> = spread.partitions.iter().map(u64::to_string).collect();
    html! { <tr><th scope="row">{ &spread.service }</th><td>{ partitions.join(", ") }</td></tr> }
}

fn is_troubled(partition: &Partition) -> bool {
    partition.leader.is_none()
        || partition.failure.is_some()
        || partition.lag() > LAG_NOTABLE
        || partition.damaged_blocks() > 0
        || partition.replicas.iter().any(|replica| !replica.answers())
}

fn partition_row(partition: &Partition, on_move: Option<&Callback<u64>>) -> Html {
    let leader = match &partition.leader {
        Some(leader) => html! { leader },
        None => html! { <span class="state bad">{ "No leader" }</span> },
    };
    html! {
        <tr>
            <th scope="row">{ partition.partition }</th><td>{ leader }{ on_move.filter(|_| !heirs(partition).is_empty()).map(|on_move| move_button(partition.partition, on_move)) }</td>
            { number(partition.term, false) }{ number(partition.records, false) }
            { number(partition.head_records, false) }{ number(partition.blocks, false) }
            <td class="number">{ format::bytes(partition.block_bytes) }</td>
            <td><div class="replicas">{ for partition.replicas.iter().map(replica_chip) }</div></td>
        </tr>
    }
}

fn move_button(partition: u64, on_move: &Callback<u64>) -> Html {
    html! {
        <button type="button" class="quiet move-leader" onclick={on_move.reform(move |_| partition)}
            aria-label={format!("Move the leader of partition {partition}")}>{ "Move" }</button>
    }
}

/// A node's name and whatever is not ordinary about its replica, in words.
fn replica_chip(replica: &Replica) -> Html {
    let mut notes = Vec::new();
    match replica.role.as_str() {
        "follower" => {}
        "leader" => notes.push("leads".to_owned()),
        "unknown" => notes.push("does not answer".to_owned()),
        "learner" => notes.push("filling".to_owned()),
        other => notes.push(other.to_owned()),
    }
    if replica.answers() && replica.lag > 0 {
        notes.push(format!("{} behind", format::count(replica.lag)));
    }
    if replica.damaged_blocks > 0 {
        notes.push(format!("{} damaged", format::plural(replica.damaged_blocks, "block")));
    }
    if let Some(failure) = &replica.failure {
        notes.push(format!("stopped: {failure}"));
    }
    let is_bad = !replica.answers() || replica.failure.is_some() || replica.damaged_blocks > 0;
    let is_notable = !is_bad && (replica.role == "learner" || replica.lag > LAG_NOTABLE);
    let class = classes!("replica", is_bad.then_some("bad"), is_notable.then_some("notable"));
    let title = format!("{}, applied up to {}", replica.role, format::count(replica.applied_index));
    html! {
        <span {class} {title}><b>{ &replica.node }</b>
            if !notes.is_empty() { <span>{ format!(" {}", notes.join(", ")) }</span> }
        </span>
    }
}

#[derive(PartialEq, Properties)]
pub struct PeersTableProps {
    pub peers: Vec<Peer>,
    /// Name of the node whose connections these are.
    pub node: String,
}

#[component]
pub fn PeersTable(props: &PeersTableProps) -> Html {
    let row = |peer: &Peer| {
        html! {
            <tr>
                <th scope="row">{ &peer.node }</th>{ number(peer.connected, peer.connected == 0) }
                <td class={classes!("number", (peer.queued_bytes > QUEUED_BYTES_NOTABLE).then_some("notable"))}>
                    { format::bytes(peer.queued_bytes) }</td>
                { number(peer.calls_in_flight, false) }{ number(peer.timeouts, false) }
            </tr>
        }
    };
    html! { <table><caption>{ format!("Connections of {}", props.node) }</caption>
    { head(&["To node", "#Connections", "#Waiting to be sent", "#Calls under way", "#Calls without answer"]) }
    <tbody>{ for props.peers.iter().map(row) }</tbody></table> }
}

#[derive(PartialEq, Properties)]
pub struct ActorsTableProps {
    pub actors: Vec<Actor>,
    /// Name of the node whose actors these are.
    pub node: String,
}

#[component]
pub fn ActorsTable(props: &ActorsTableProps) -> Html {
    let is_good = |actor: &Actor| matches!(actor.state.as_str(), "running" | "alive" | "idle" | "");
    let row = |actor: &Actor| {
        html! {
            <tr>
                <th scope="row">{ &actor.name }</th><td>{ &actor.kind }</td>
                <td><span class={classes!("state", if is_good(actor) { "good" } else { "bad" })}>{ &actor.state }</span></td>
                { number(actor.queue_depth, actor.queue_depth > QUEUE_DEPTH_NOTABLE) }
                { number(actor.restarts, actor.restarts > 0) }
            </tr>
        }
    };
    let mut actors: Vec<&Actor> = props.actors.iter().collect();
    actors.sort_by_key(|actor| is_good(actor));
    html! { <table><caption>{ format!("Actors of {}", props.node) }</caption>
    { head(&["Actor", "Kind", "State", "#Queue", "#Restarts"]) }
    <tbody>{ for actors.into_iter().map(row) }</tbody></table> }
}

/// Column names; those with `#` are numbers and stand on the right.
fn head(names: &[&'static str]) -> Html {
    let cell = |name: &&'static str| match name.strip_prefix('#') {
        Some(name) => html! { <th scope="col" class="number">{ name }</th> },
        None => html! { <th scope="col">{ *name }</th> },
    };
    html! { <thead><tr>{ for names.iter().map(cell) }</tr></thead> }
}

fn number(value: u64, is_notable: bool) -> Html {
    html! { <td class={classes!("number", is_notable.then_some("notable"))}>{ format::count(value) }</td> }
}
