//! The other nodes as this one sees them, and the connections to them.

use super::super::AppState;
use super::super::cluster_nodes::{self, Names, reports};
use super::page::{Kind, Page};

pub(super) fn write(node: &AppState, page: &mut Page) {
    let reports = reports(node);
    let nodes = cluster_nodes::nodes(node, &reports);
    let mut family = page.family(Kind::Gauge, "insighthub_node_alive", "1 for nodes that this one hears.");
    for one in &nodes {
        family.sample(&[("peer", &one.name)], f64::from(u8::from(one.alive)));
    }
    let mut family =
        page.family(Kind::Gauge, "insighthub_node_ready", "1 for nodes that say they are ready.");
    for one in &nodes {
        family.sample(&[("peer", &one.name)], f64::from(u8::from(one.ready)));
    }
    let partitions = node.store.identity.partitions;
    page.gauge("insighthub_partitions", "Partitions of the cluster.", f64::from(partitions));
    let names = Names::of(node);
    let views = cluster_nodes::partitions(node, &names, &reports);
    let missing: u32 = views.iter().map(|view| u32::from(view.replicas_missing)).sum();
    let help = "Replicas that partitions should have and have not, all together.";
    page.gauge("insighthub_replicas_missing", help, f64::from(missing));
    let peers = node.cluster.transport.status();
    let named: Vec<_> = peers.iter().map(|peer| (names.of_id(peer.node_id), peer)).collect();
    let mut family =
        page.family(Kind::Gauge, "insighthub_peer_queued_bytes", "Bytes that wait to be sent to a node.");
    named.iter().for_each(|(name, peer)| family.sample(&[("peer", name)], peer.queued_bytes as f64));
    let mut family =
        page.family(Kind::Gauge, "insighthub_peer_connections", "Connections to a node; one for each lane.");
    named.iter().for_each(|(name, peer)| family.sample(&[("peer", name)], peer.connected.len() as f64));
    let mut family = page.family(
        Kind::Gauge,
        "insighthub_peer_calls_in_flight",
        "Questions to a node without an answer yet.",
    );
    named.iter().for_each(|(name, peer)| family.sample(&[("peer", name)], peer.calls_in_flight as f64));
    let mut family = page.family(
        Kind::Counter,
        "insighthub_peer_timeouts_total",
        "Questions to a node that were given up.",
    );
    named.iter().for_each(|(name, peer)| family.sample(&[("peer", name)], peer.timeouts as f64));
}
