//! Which nodes hold which partition. Pure: the same nodes give the same answer everywhere.

use std::collections::BTreeMap;

use insighthub_model::PartitionId;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::raft::NodeId;

/// The nodes of every partition.
pub type Placement = BTreeMap<PartitionId, Vec<NodeId>>;

/// One replica that should be somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub partition: PartitionId,
    /// The node that gets a replica.
    pub to: Option<NodeId>,
    /// The node that gives one up, once the other has caught up.
    pub from: Option<NodeId>,
}

/// Where the partitions of a new cluster go: replicas and first leaders spread evenly.
pub fn first_placement(nodes: &[NodeId], partitions: u16, replicas: u16) -> Placement {
    let count = nodes.len().max(1);
    let replicas = usize::from(replicas).clamp(1, count);
    let of = |partition: usize| {
        let ring = nodes.iter().cycle().skip(partition % count);
        ring.take(replicas).copied().collect()
    };
    (0..partitions).map(|partition| (PartitionId(partition), of(usize::from(partition)))).collect()
}

/// The next move that brings the placement closer to `replicas` on each of `nodes` (those that may hold
/// replicas) and to equal numbers; `None` when nothing is left to do. One move at a time: the next is
/// planned from what the last one made.
pub fn next_move(placement: &Placement, nodes: &[NodeId], replicas: u16) -> Option<Move> {
    let wanted = usize::from(replicas).min(nodes.len());
    let mut load: BTreeMap<NodeId, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    for node in placement.values().flatten() {
        if let Some(count) = load.get_mut(node) {
            *count += 1;
        }
    }
    let lightest = |partition: PartitionId, holders: &[NodeId]| {
        let free = load.iter().filter(|(node, _)| !holders.contains(node));
        // Equal loads are told apart by a hash, so that partitions do not all go to the same node.
        free.min_by_key(|(node, count)| (**count, tie(partition, **node))).map(|(node, _)| *node)
    };
    // Partitions that miss a replica come first, then replicas on nodes that must not hold any.
    for (partition, holders) in placement {
        let good = holders.iter().filter(|node| nodes.contains(node)).count();
        let leaving = holders.iter().find(|node| !nodes.contains(node)).copied();
        if good < wanted {
            let to = lightest(*partition, holders);
            return to.map(|to| Move { partition: *partition, to: Some(to), from: leaving });
        }
        if let Some(from) = leaving {
            return Some(Move { partition: *partition, to: None, from: Some(from) });
        }
        if good > wanted {
            let heaviest = holders.iter().max_by_key(|node| (load.get(node), **node)).copied();
            return Some(Move { partition: *partition, to: None, from: heaviest });
        }
    }
    even_out(placement, &load)
}

/// Moves a replica from the node with most to the one with fewest, if that makes a difference.
fn even_out(placement: &Placement, load: &BTreeMap<NodeId, usize>) -> Option<Move> {
    let (from, most) = load.iter().max_by_key(|(_, count)| **count)?;
    let (to, fewest) = load.iter().min_by_key(|(_, count)| **count)?;
    if most.saturating_sub(*fewest) < 2 {
        return None;
    }
    let movable = |holders: &Vec<NodeId>| holders.contains(from) && !holders.contains(to);
    let partition =
        placement.iter().find(|(_, holders)| movable(holders)).map(|(partition, _)| *partition)?;
    Some(Move { partition, to: Some(*to), from: Some(*from) })
}

/// The partition whose leadership should move, and where to: to its replica on the node that leads
/// fewest, if that node would then still lead fewer than the other did.
pub fn next_leader_move(
    placement: &Placement,
    leaders: &BTreeMap<PartitionId, NodeId>,
    nodes: &[NodeId],
) -> Option<(PartitionId, NodeId)> {
    let mut leads: BTreeMap<NodeId, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    for leader in leaders.values() {
        if let Some(count) = leads.get_mut(leader) {
            *count += 1;
        }
    }
    let difference = |partition: &PartitionId, leader: &NodeId| {
        let holders = placement.get(partition)?.iter().filter(|node| *node != leader);
        let to = holders.filter(|node| leads.contains_key(node)).min_by_key(|node| leads.get(node))?;
        // A leader on a node that must not lead goes first.
        let gain =
            leads.get(leader).map_or(usize::MAX, |count| count.saturating_sub(*leads.get(to).unwrap_or(&0)));
        Some((gain, *partition, *to))
    };
    let moves = leaders.iter().filter_map(|(partition, leader)| difference(partition, leader));
    let (gain, partition, to) =
        moves.max_by_key(|(gain, partition, _)| (*gain, std::cmp::Reverse(*partition)))?;
    (gain >= 2).then_some((partition, to))
}

fn tie(partition: PartitionId, node: NodeId) -> u64 {
    xxh3_64_with_seed(&node.to_le_bytes(), u64::from(partition.0))
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
