//! The tables of the cluster page.

use yew::{Html, Properties, classes, component, html};

use crate::api::cluster::{Actor, Node, Partition};
use crate::state::format;

/// More than this in a queue means that an actor cannot keep up.
const QUEUE_DEPTH_NOTABLE: u64 = 1_000;
/// More than this between stored and visible means that queries lag behind.
const LAG_NOTABLE: u64 = 100;

#[derive(PartialEq, Properties)]
pub struct NodesTableProps {
    pub nodes: Vec<Node>,
}

#[component]
pub fn NodesTable(props: &NodesTableProps) -> Html {
    let row = |node: &Node| {
        let (class, state) = if node.alive { ("good", "Alive") } else { ("bad", "Does not answer") };
        html! {
            <tr>
                <th scope="row">{ &node.name }</th><td>{ &node.http }</td>
                <td><span class={classes!("state", class)}>{ state }</span></td>
            </tr>
        }
    };
    html! { <table><caption>{ "Nodes" }</caption>{ head(&["Node", "Address", "State"]) }
    <tbody>{ for props.nodes.iter().map(row) }</tbody></table> }
}

#[derive(PartialEq, Properties)]
pub struct PartitionsTableProps {
    pub partitions: Vec<Partition>,
}

#[component]
pub fn PartitionsTable(props: &PartitionsTableProps) -> Html {
    let row = |partition: &Partition| {
        let leader = match (&partition.failure, &partition.leader) {
            (Some(failure), _) => {
                html! { <span class="state bad">{ format!("Stopped here: {failure}") }</span> }
            }
            (None, Some(leader)) => html! { leader },
            (None, None) => html! { <span class="state bad">{ "No leader" }</span> },
        };
        let lag = partition.lag();
        html! {
            <tr>
                <th scope="row">{ partition.partition }</th><td>{ leader }</td>
                { number(partition.term, false) }{ number(partition.applied_index, false) }
                { number(lag, lag > LAG_NOTABLE) }{ number(partition.head_records, false) }{ number(partition.blocks, false) }
            </tr>
        }
    };
    html! { <table><caption>{ "Partitions" }</caption>
    { head(&["Partition", "Leader", "#Term", "#Applied", "#Behind", "#In memory", "#Blocks"]) }
    <tbody>{ for props.partitions.iter().map(row) }</tbody></table> }
}

#[derive(PartialEq, Properties)]
pub struct ActorsTableProps {
    pub actors: Vec<Actor>,
}

#[component]
pub fn ActorsTable(props: &ActorsTableProps) -> Html {
    let row = |actor: &Actor| {
        let is_good = matches!(actor.state.as_str(), "running" | "alive" | "idle" | "");
        html! {
            <tr>
                <th scope="row">{ &actor.name }</th><td>{ &actor.kind }</td>
                <td><span class={classes!("state", if is_good { "good" } else { "bad" })}>{ &actor.state }</span></td>
                { number(actor.queue_depth, actor.queue_depth > QUEUE_DEPTH_NOTABLE) }
                { number(actor.restarts, actor.restarts > 0) }
            </tr>
        }
    };
    html! { <table><caption>{ "Actors" }</caption>{ head(&["Actor", "Kind", "State", "#Queue", "#Restarts"]) }
    <tbody>{ for props.actors.iter().map(row) }</tbody></table> }
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
