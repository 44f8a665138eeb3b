//! The figures of the whole cluster.

use yew::{Html, Properties, classes, component, html};

use crate::api::cluster::{Cluster, NodeState};
use crate::components::link::Link;
use crate::state::format;
use crate::state::home::figures::Totals;
use crate::state::page::Place;

#[derive(PartialEq, Properties)]
pub struct TilesProps {
    /// `None`: not known yet.
    pub totals: Option<Totals>,
    pub cluster: Option<Cluster>,
    /// Incidents of detection and alerts that fire.
    pub incidents: Option<(usize, usize)>,
    /// Where a tile leads.
    pub errors: Place,
    pub anomalies: Place,
}

#[component]
pub fn Tiles(props: &TilesProps) -> Html {
    let totals = props.totals;
    let of_totals = |text: fn(Totals) -> String| totals.map(text);
    let incidents = props.incidents.map(|(episodes, alerts)| match (episodes, alerts) {
        (0, 0) => "None".to_owned(),
        (episodes, 0) => episodes.to_string(),
        (episodes, alerts) => format!("{episodes} + {}", format::plural(alerts as u64, "alert")),
    });
    let is_incident = props.incidents.is_some_and(|(episodes, alerts)| episodes + alerts > 0);
    let (nodes, is_node_missing) = props.cluster.as_ref().map(nodes).unzip();
    html! {
        <ul class="tiles">
            { tile("Records a second", of_totals(|totals| format::rate(totals.records_per_sec)), false, None) }
            { tile("Errors a second", of_totals(|totals| rare(totals.errors_per_sec)), false, Some(&props.errors)) }
            { tile("Errors of all records", of_totals(|totals| format::percent(totals.error_share)), false, Some(&props.errors)) }
            { tile("Open incidents", incidents, is_incident, None) }
            { tile("Odd records", of_totals(|totals| format::count(totals.anomalies)), false, Some(&props.anomalies)) }
            { tile("Nodes ready", nodes, is_node_missing.unwrap_or_default(), None) }
            { tile("Least disk free", props.cluster.as_ref().and_then(disk_free), props.cluster.as_ref().is_some_and(|cluster| cluster.admission.disk_full), None) }
        </ul>
    }
}

/// Errors are rare: two places, so that they do not look like none.
fn rare(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 1.0 { format!("{per_second:.2}") } else { format::rate(per_second) }
}

fn nodes(cluster: &Cluster) -> (String, bool) {
    let meant =
        |node: &&crate::api::cluster::Node| !matches!(node.state, NodeState::Invited | NodeState::Removed);
    let expected = cluster.nodes.iter().filter(meant).count();
    let ready = cluster.nodes.iter().filter(meant).filter(|node| node.alive && node.ready).count();
    (format!("{ready} of {expected}"), ready < expected)
}

fn disk_free(cluster: &Cluster) -> Option<String> {
    let heard = cluster.nodes.iter().filter(|node| node.alive && node.last_heard_ms.is_some());
    heard.map(|node| node.disk_free_bytes).min().map(format::bytes)
}

fn tile(name: &'static str, value: Option<String>, is_notable: bool, to: Option<&Place>) -> Html {
    let value = value.unwrap_or_else(|| "–".to_owned());
    let value = match to {
        Some(to) => html! { <Link to={to.clone()}><span>{ value }</span></Link> },
        None => html! { value },
    };
    html! {
        <li class={classes!("tile", is_notable.then_some("notable"))}>
            <span class="tile-name">{ name }</span><span class="tile-value">{ value }</span>
        </li>
    }
}
