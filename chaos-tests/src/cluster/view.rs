//! What nodes say of the cluster at `/api/cluster`, and whether they say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// One node's answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct View {
    /// Name of the node that answered.
    pub node: String,
    pub nodes: Vec<NodeView>,
    /// Name of the node that leads the control group.
    pub control_leader: Option<String>,
    pub partitions: Vec<PartitionView>,
    pub spread: Vec<SpreadView>,
    /// Of the node that answered.
    pub scrub: ScrubView,
}

/// A service that is kept in several partitions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SpreadView {
    pub service: String,
    pub partitions: Vec<u16>,
}

/// What reading everything at rest again has found since the node started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ScrubView {
    pub passes: u64,
    pub blocks_damaged: u64,
    pub blocks_repaired: u64,
    pub blocks_diverged: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeView {
    pub name: String,
    /// Never given twice.
    pub id: u64,
    pub alive: bool,
    pub ready: bool,
    /// `active`, `draining`, `joining` or `removed`.
    pub state: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PartitionView {
    pub partition: u16,
    /// Name of the leading node.
    pub leader: Option<String>,
    pub term: u64,
    pub applied_index: Option<u64>,
    pub records: u64,
    pub blocks: u64,
    pub failure: Option<String>,
    pub replicas: Vec<ReplicaView>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReplicaView {
    pub node: String,
    pub role: String,
    pub applied_index: Option<u64>,
    pub records: u64,
    /// Of the contents of all blocks, with the seal they end at: equal where the seal is.
    pub checksum: Option<(u64, String)>,
    pub damaged_blocks: u64,
}

impl View {
    /// `None` where the answer has another form.
    pub fn parse(json: &Value) -> Option<View> {
        let mut view: View = serde_json::from_value(json.clone()).ok()?;
        if view.node.is_empty() {
            // A cluster of one need not say who answers.
            view.node = view.nodes.first()?.name.clone();
        }
        Some(view)
    }

    pub fn partition(&self, partition: u16) -> Option<&PartitionView> {
        self.partitions.iter().find(|view| view.partition == partition)
    }

    /// In how many partitions a service is kept.
    pub fn spread_of(&self, service: &str) -> usize {
        self.spread
            .iter()
            .find(|spread| spread.service == service)
            .map_or(1, |spread| spread.partitions.len())
    }

    pub fn member(&self, name: &str) -> Option<&NodeView> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Partitions by leading node.
    pub fn leads(&self, name: &str) -> Vec<u16> {
        let led = self.partitions.iter().filter(|view| view.leader.as_deref() == Some(name));
        led.map(|view| view.partition).collect()
    }

    /// Partitions of which a node holds a replica.
    pub fn holds(&self, name: &str) -> Vec<u16> {
        let held = self.partitions.iter().filter(|view| view.replicas.iter().any(|one| one.node == name));
        held.map(|view| view.partition).collect()
    }

    /// Blocks that the node that answered knows to be damaged on its own disk.
    pub fn own_damaged_blocks(&self) -> u64 {
        let replicas = self.partitions.iter().flat_map(|partition| &partition.replicas);
        replicas.filter(|replica| replica.node == self.node).map(|replica| replica.damaged_blocks).sum()
    }

    /// The sum of the terms: how much it grew is how many elections there were.
    pub fn terms(&self) -> u64 {
        self.partitions.iter().map(|view| view.term).sum()
    }

    /// What a node says of its own replica of a partition; what it says of others may be old.
    fn own_replica(&self, view: &PartitionView) -> Option<(Option<u64>, u64)> {
        let own = view.replicas.iter().find(|replica| replica.node == self.node);
        match own {
            Some(replica) => Some((replica.applied_index, replica.records)),
            None if view.replicas.is_empty() => Some((view.applied_index, view.records)),
            None => None,
        }
    }
}

/// Why not every partition has one leader that all nodes agree on; empty when it has.
pub fn leader_trouble(views: &[View]) -> Vec<String> {
    let mut leaders: BTreeMap<u16, BTreeSet<Option<&str>>> = BTreeMap::new();
    for partition in views.iter().flat_map(|view| &view.partitions) {
        leaders.entry(partition.partition).or_default().insert(partition.leader.as_deref());
    }
    let mut trouble: Vec<String> = leaders
        .iter()
        .filter(|(_, leaders)| leaders.len() != 1 || leaders.contains(&None))
        .map(|(partition, leaders)| format!("partition {partition}: leaders {leaders:?}"))
        .collect();
    if leaders.is_empty() {
        trouble.push("no node names a partition".to_owned());
    }
    trouble
}

/// Nodes that somebody reports dead, or alive, against what is expected; empty when all agree.
pub fn liveness_trouble(views: &[View], name: &str, is_alive: bool) -> Vec<String> {
    let wrong = views.iter().filter(|view| view.member(name).is_some_and(|node| node.alive != is_alive));
    let word = if is_alive { "dead" } else { "alive" };
    wrong.map(|view| format!("{} says that {name} is {word}", view.node)).collect()
}

/// Why the replicas are not equal yet; empty when they are. `replicas`: how many each partition must have.
pub fn replica_trouble(views: &[View], replicas: usize) -> Vec<String> {
    let mut trouble = leader_trouble(views);
    /// Node, applied index, records.
    type State<'a> = (&'a str, Option<u64>, u64);
    let mut states: BTreeMap<u16, Vec<State>> = BTreeMap::new();
    for view in views {
        for partition in &view.partitions {
            if let Some(failure) = &partition.failure {
                trouble.push(format!("partition {} on {}: {failure}", partition.partition, view.node));
            }
            if let Some((applied, records)) = view.own_replica(partition) {
                states.entry(partition.partition).or_default().push((&view.node, applied, records));
            }
        }
    }
    for (partition, states) in states {
        let distinct: BTreeSet<_> = states.iter().map(|(_, applied, records)| (applied, records)).collect();
        if distinct.len() != 1 || states.len() != replicas {
            trouble.push(format!("partition {partition}: {states:?}, {replicas} equal replicas needed"));
        }
    }
    trouble
}

/// Replicas that a scrub found damaged, or whose blocks differ at the same seal.
pub fn damage(views: &[View]) -> Vec<String> {
    let mut found = Vec::new();
    let mut checksums: BTreeMap<(u16, u64), (&str, &str)> = BTreeMap::new();
    for view in views {
        for partition in &view.partitions {
            let number = partition.partition;
            let own = partition.replicas.iter().find(|replica| replica.node == view.node);
            let Some(replica) = own else { continue };
            if replica.damaged_blocks > 0 {
                let blocks = replica.damaged_blocks;
                found.push(format!("{blocks} damaged blocks of partition {number} on {}", view.node));
            }
            let Some((seal, checksum)) = &replica.checksum else { continue };
            let (node, other) = checksums.entry((number, *seal)).or_insert((&view.node, checksum));
            if other != checksum {
                let place = format!("partition {number} at seal {seal}");
                found.push(format!("{place}: {checksum} on {}, {other} on {node}", view.node));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(node: &str, leader: Value, applied: u64, records: u64) -> View {
        View::parse(&json!({
            "node": node,
            "nodes": [{"name": "n1", "alive": true, "ready": true, "state": "active"}],
            "partitions": [{
                "partition": 0, "leader": leader, "term": 3, "applied_index": applied, "records": records,
                "replicas": [
                    {"node": node, "role": "follower", "applied_index": applied, "records": records},
                    // Hearsay about another node, which must not count.
                    {"node": "elsewhere", "role": "leader", "applied_index": 1, "records": 1},
                ],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn equal_replicas_with_one_leader_are_no_trouble() {
        let views = ["n1", "n2", "n3"].map(|node| view(node, json!("n2"), 7, 70));
        assert_eq!(replica_trouble(&views, 3), Vec::<String>::new());
        assert_eq!(views[0].leads("n2"), [0]);
        assert_eq!(views[0].terms(), 3);
    }

    #[test]
    fn a_lagging_replica_a_missing_one_and_two_leaders_are_trouble() {
        let two = |second: View| replica_trouble(&[view("n1", json!("n1"), 7, 70), second], 2).len();
        assert_eq!(two(view("n2", json!("n1"), 7, 70)), 0);
        assert_eq!(two(view("n2", json!("n1"), 6, 70)), 1, "behind");
        assert_eq!(two(view("n2", json!("n1"), 7, 69)), 1, "fewer records at the same place");
        assert_eq!(two(view("n2", json!("n2"), 7, 70)), 1, "another leader");
        assert_eq!(two(view("n2", json!(null), 7, 70)), 1, "no leader");
        assert_eq!(replica_trouble(&[view("n1", json!("n1"), 7, 70)], 2).len(), 1, "one of two");
        assert!(!replica_trouble(&[], 1).is_empty(), "nobody answered");
    }

    #[test]
    fn a_live_node_that_is_reported_dead_is_trouble_and_the_other_way_round() {
        let views = [view("n2", json!("n2"), 7, 70)];
        assert_eq!(liveness_trouble(&views, "n1", true), Vec::<String>::new());
        assert_eq!(liveness_trouble(&views, "n1", false).len(), 1);
        assert_eq!(liveness_trouble(&views, "n9", false), Vec::<String>::new(), "never heard of");
    }

    #[test]
    fn damaged_blocks_and_checksums_that_differ_at_one_seal_are_found() {
        let with = |node: &str, checksum: Value, damaged_blocks: u64| {
            let mut view = view(node, json!("n1"), 7, 70);
            let replica = &mut view.partitions[0].replicas[0];
            replica.checksum = serde_json::from_value(checksum).unwrap();
            replica.damaged_blocks = damaged_blocks;
            view
        };
        let first = || with("n1", json!([5, "aa"]), 0);
        assert_eq!(damage(&[first(), with("n2", json!([5, "aa"]), 0)]), Vec::<String>::new());
        assert_eq!(damage(&[first(), with("n2", json!([4, "bb"]), 0)]), Vec::<String>::new(), "another seal");
        assert_eq!(damage(&[first(), with("n2", json!([5, "bb"]), 0)]).len(), 1);
        assert_eq!(damage(&[first(), with("n2", json!(null), 2)]).len(), 1);
    }

    #[test]
    fn a_cluster_of_one_without_replicas_speaks_for_itself() {
        let view = View::parse(&json!({
            "nodes": [{"name": "n1"}],
            "partitions": [{"partition": 0, "leader": "n1", "term": 1, "applied_index": 4, "records": 2}],
        }));
        assert_eq!(replica_trouble(&[view.unwrap()], 1), Vec::<String>::new());
    }
}
