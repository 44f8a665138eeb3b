//! What an operator is told, case by case.

#![allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]

use super::*;

fn node(name: &str) -> Node {
    let name = name.to_owned();
    Node { name, alive: true, ready: true, last_heard_ms: Some(100), ..Node::default() }
}

fn replica(node: &str, role: &str) -> Replica {
    Replica { node: node.to_owned(), role: role.to_owned(), ..Replica::default() }
}

fn three_nodes() -> Cluster {
    let replicas = vec![replica("n1", "leader"), replica("n2", "follower"), replica("n3", "follower")];
    let partition = Partition { leader: Some("n1".to_owned()), replicas, ..Partition::default() };
    Cluster {
        node: "n1".to_owned(),
        nodes: ["n1", "n2", "n3"].map(node).to_vec(),
        partitions: vec![partition],
        ..Cluster::default()
    }
}

/// Changes a healthy cluster and gives what is then said, as one text.
fn told(change: impl FnOnce(&mut Cluster)) -> String {
    let mut cluster = three_nodes();
    change(&mut cluster);
    let lines = troubles(&cluster).into_iter().map(|trouble| {
        let kind = if trouble.is_fault { "fault" } else { "change" };
        format!("{kind}: {} {}\n", trouble.what, trouble.advice)
    });
    lines.collect()
}

#[test]
fn a_healthy_cluster_needs_no_words() {
    assert_eq!(told(|_| {}), "");
}

#[test]
fn a_silent_node_is_named_with_the_way_back() {
    let text = told(|cluster| {
        let node = cluster.nodes.get_mut(2).unwrap();
        (node.alive, node.ready, node.last_heard_ms) = (false, false, Some(12_300));
        cluster.partitions[0].replicas[2].role = "unknown".to_owned();
        cluster.partitions[0].replicas[2].lag = 1_000_000;
    });
    assert!(text.starts_with("fault: n3 does not answer (last heard 12 s ago)."), "{text}");
    assert!(text.contains("insighthub cluster remove n3 --force"), "{text}");
    assert_eq!(text.lines().count(), 1, "its old lag and readiness say nothing: {text}");
}

#[test]
fn a_node_in_a_minority_says_first_that_it_may_be_cut_off() {
    let text = told(|cluster| {
        for node in &mut cluster.nodes[1..] {
            node.alive = false;
        }
        cluster.partitions[0].leader = None;
    });
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("n1 hears 1 of 3 nodes"), "{text}");
    assert!(lines[1].contains("Partition 0 has no leader"), "{text}");
    assert_eq!(lines.len(), 4, "{text}");
}

#[test]
fn too_few_replicas_are_a_fault_though_every_node_is_ready() {
    let text = told(|cluster| {
        cluster.replicas_wanted = 3;
        cluster.partitions[0].replicas.truncate(1);
        cluster.partitions[0].replicas_missing = 2;
        cluster.partitions.push(Partition { partition: 4, ..cluster.partitions[0].clone() });
        cluster.nodes.truncate(1);
    });
    assert!(
        text.starts_with("fault: Partitions 0, 4 have fewer than 3 replicas: under-replicated."),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn half_of_the_nodes_is_no_majority_and_one_node_alone_is() {
    let two_of_four = told(|cluster| {
        cluster.nodes.push(node("n4"));
        for node in &mut cluster.nodes[2..] {
            node.alive = false;
        }
    });
    assert!(two_of_four.contains("2 of 4"), "{two_of_four}");
    assert_eq!(told(|cluster| cluster.nodes.truncate(1)), "");
}

#[test]
fn replicas_that_are_stopped_damaged_or_behind_are_told() {
    let text = told(|cluster| {
        let replicas = &mut cluster.partitions[0].replicas;
        replicas[0].damaged_blocks = 2;
        replicas[1].failure = Some("disk".to_owned());
        replicas[2].lag = LAG_NOTABLE + 1;
    });
    for part in ["2 damaged blocks", "on n2 has stopped: disk", "on n3 is 1001 entries behind"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn different_contents_at_one_seal_are_told_and_at_different_seals_are_not() {
    let with = |seals: [u64; 2], sums: [&str; 2]| {
        told(|cluster| {
            for (index, replica) in cluster.partitions[0].replicas.iter_mut().take(2).enumerate() {
                replica.checksum = Some((seals[index], sums[index].to_owned()));
            }
        })
    };
    assert!(with([7, 7], ["a", "b"]).contains("hold different blocks"));
    assert_eq!(with([7, 8], ["a", "b"]), "");
    assert_eq!(with([7, 7], ["a", "a"]), "");
}

#[test]
fn changes_come_after_faults_and_are_none() {
    let text = told(|cluster| {
        cluster.nodes[1].state = NodeState::Draining;
        cluster.nodes[2].ready = false;
        cluster.nodes[2].waiting_for = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        cluster.nodes.push(Node { alive: false, state: NodeState::Invited, ..node("n4") });
    });
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("fault: n3 is not ready: a; b; c; 2 more."), "{text}");
    assert!(lines[1].starts_with("change: n2 is being drained; replicas left on it: 1."), "{text}");
    assert!(lines[2].starts_with("change: n4 is expected."), "{text}");
    let drained = told(|cluster| {
        cluster.nodes[2].state = NodeState::Draining;
        cluster.partitions[0].replicas.pop();
    });
    assert!(drained.contains("insighthub cluster remove n3"), "{drained}");
}

#[test]
fn a_time_is_rough_enough_to_read() {
    let shown = [900, 12_300, 600_000, 10_000_000, 900_000_000].map(ago);
    assert_eq!(shown, ["less than 1 s", "12 s", "10 min", "2 h", "10 days"]);
}
