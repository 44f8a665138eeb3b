//! What is wrong with a cluster and what to do about it, read from `GET /api/cluster`. Pure: the command
//! line and the dashboard say the same.

use std::collections::BTreeSet;

use super::cluster::{Cluster, Node, NodeState, Partition, Replica};

/// A replica this far behind answers late or stale; less is the ordinary flow.
pub const LAG_NOTABLE: u64 = 1_000;

/// One thing an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Something works no longer or worse than it should. Otherwise a change is under way.
    pub is_fault: bool,
    pub what: String,
    pub advice: String,
}

impl Trouble {
    fn fault(what: String, advice: impl Into<String>) -> Trouble {
        Trouble { is_fault: true, what, advice: advice.into() }
    }

    fn change(what: String, advice: impl Into<String>) -> Trouble {
        Trouble { is_fault: false, what, advice: advice.into() }
    }
}

/// Everything that is wrong or under way, faults first, the worst first.
pub fn troubles(cluster: &Cluster) -> Vec<Trouble> {
    let mut found = Vec::new();
    found.extend(minority(cluster));
    found.extend(leaderless(cluster));
    found.extend(cluster.nodes.iter().filter_map(silent));
    found.extend(under_replicated(cluster));
    found.extend(cluster.partitions.iter().flat_map(replicas));
    found.extend(cluster.partitions.iter().filter_map(unequal));
    found.extend(cluster.nodes.iter().filter_map(not_ready));
    if cluster.admission.disk_full {
        found.push(Trouble::fault(
            format!("The disk of {} is too full: it refuses logs and goes on answering.", cluster.node),
            "Make room, or lower storage.disk_free_bytes_min.",
        ));
    }
    found.extend(cluster.nodes.iter().filter_map(|node| changing(cluster, node)));
    found.sort_by_key(|trouble| !trouble.is_fault);
    found
}

/// Nodes that should be there.
fn expected(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster.nodes.iter().filter(|node| !matches!(node.state, NodeState::Invited | NodeState::Removed))
}

fn minority(cluster: &Cluster) -> Option<Trouble> {
    let (all, heard) = (expected(cluster).count(), expected(cluster).filter(|node| node.alive).count());
    (heard * 2 <= all && all > 1).then(|| {
        Trouble::fault(
            format!("{} hears {heard} of {all} nodes, itself included: no majority.", cluster.node),
            "It may be cut off itself: ask another node. While no majority runs nothing is taken in, and \
             searches show what this node holds, marked stale.",
        )
    })
}

/// `Partition 1 has` or `Partitions 1, 4 have`, of those that are meant; `None` where there is none.
fn subject(cluster: &Cluster, is_meant: impl Fn(&Partition) -> bool) -> Option<String> {
    let meant = cluster.partitions.iter().filter(|partition| is_meant(partition));
    let numbers: Vec<String> = meant.map(|partition| partition.partition.to_string()).collect();
    match numbers.as_slice() {
        [] => None,
        [number] => Some(format!("Partition {number} has")),
        _ => Some(format!("Partitions {} have", numbers.join(", "))),
    }
}

fn leaderless(cluster: &Cluster) -> Option<Trouble> {
    let without = subject(cluster, |partition| partition.leader.is_none())?;
    Some(Trouble::fault(
        format!("{without} no leader: no logs for them are taken in."),
        "An election takes about a second. If it lasts, more than half of the replicas do not run: start \
         their nodes.",
    ))
}

/// Too few copies, though each of them may be well: as after a restore, until the other nodes have joined.
fn under_replicated(cluster: &Cluster) -> Option<Trouble> {
    let few = subject(cluster, |partition| partition.replicas_missing > 0)?;
    Some(Trouble::fault(
        format!("{few} fewer than {} replicas: under-replicated.", cluster.replicas_wanted),
        "If a node fails now, logs may be refused or lost. Start the nodes that are missing, or add some: replicas \
         are made on them by themselves.",
    ))
}

fn silent(node: &Node) -> Option<Trouble> {
    if node.alive || matches!(node.state, NodeState::Invited | NodeState::Removed) {
        return None;
    }
    let heard = match node.last_heard_ms {
        Some(ms) => format!("last heard {} ago", ago(ms)),
        None => "never heard".to_owned(),
    };
    let name = &node.name;
    Some(Trouble::fault(
        format!("{name} does not answer ({heard})."),
        format!(
            "Start it again: its replicas catch up by themselves. If its disk is lost for good: insighthub \
             cluster remove {name} --force"
        ),
    ))
}

fn not_ready(node: &Node) -> Option<Trouble> {
    if !node.alive || node.ready || node.state == NodeState::Invited {
        return None;
    }
    let shown = 3;
    let mut reasons: Vec<String> = node.waiting_for.iter().take(shown).cloned().collect();
    let more = node.waiting_for.len().saturating_sub(shown);
    if more > 0 {
        reasons.push(format!("{more} more"));
    }
    let reasons = if reasons.is_empty() { "it does not say why".to_owned() } else { reasons.join("; ") };
    Some(Trouble::fault(
        format!("{} is not ready: {reasons}.", node.name),
        "A replay at start ends by itself; a missing leader needs more than half of the replicas to run.",
    ))
}

fn replicas(partition: &Partition) -> Vec<Trouble> {
    let number = partition.partition;
    let of = |replica: &Replica| {
        let node = &replica.node;
        if let Some(failure) = &replica.failure {
            return Some(Trouble::fault(
                format!("The replica of partition {number} on {node} has stopped: {failure}."),
                format!("Look at the log of {node}, then start it again; the other replicas go on."),
            ));
        }
        if replica.damaged_blocks > 0 {
            return Some(Trouble::fault(
                format!("{} damaged blocks of partition {number} on {node}.", replica.damaged_blocks),
                format!(
                    "Others answer, and copies are fetched from them. Look at the disk of {node}: one that rots goes on."
                ),
            ));
        }
        let is_behind = replica.answers() && replica.lag > LAG_NOTABLE;
        is_behind.then(|| {
            Trouble::fault(
                format!("The replica of partition {number} on {node} is {} entries behind.", replica.lag),
                "It catches up after a start or a move; if the number grows its disk or network is too slow.",
            )
        })
    };
    partition.replicas.iter().filter_map(of).collect()
}

/// Replicas checked at the same seal that hold different contents.
fn unequal(partition: &Partition) -> Option<Trouble> {
    let checked = |replica: &'_ Replica| replica.checksum.clone();
    let seals: BTreeSet<u64> = partition.replicas.iter().filter_map(checked).map(|(seal, _)| seal).collect();
    let contents: BTreeSet<(u64, String)> = partition.replicas.iter().filter_map(checked).collect();
    (contents.len() > seals.len()).then(|| {
        Trouble::fault(
            format!("The replicas of partition {} hold different blocks.", partition.partition),
            "This must never happen, and nothing mends it by itself: keep the data and logs of its nodes and report it.",
        )
    })
}

fn changing(cluster: &Cluster, node: &Node) -> Option<Trouble> {
    let name = &node.name;
    match node.state {
        NodeState::Invited => Some(Trouble::change(
            format!("{name} is expected."),
            format!("Start it: insighthub serve --config FILE --node {name} --data DIR"),
        )),
        NodeState::Draining => {
            let holds =
                |partition: &&Partition| partition.replicas.iter().any(|replica| replica.node == *name);
            let left = cluster.partitions.iter().filter(holds).count();
            Some(match left {
                0 => Trouble::change(
                    format!("{name} is drained: it holds no replica."),
                    format!("Stop it, then: insighthub cluster remove {name}"),
                ),
                _ => Trouble::change(
                    format!("{name} is being drained; replicas left on it: {left}."),
                    format!(
                        "They move while there is another node to take them. To change your mind: insighthub \
                         cluster undrain {name}"
                    ),
                ),
            })
        }
        _ => None,
    }
}

/// `3 s`, `5 min`, `2 h`: how long ago, roughly.
pub fn ago(ms: u64) -> String {
    match ms / 1_000 {
        0 => "less than 1 s".to_owned(),
        secs @ 1..120 => format!("{secs} s"),
        secs @ 120..7_200 => format!("{} min", secs / 60),
        secs @ 7_200..172_800 => format!("{} h", secs / 3_600),
        secs => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
