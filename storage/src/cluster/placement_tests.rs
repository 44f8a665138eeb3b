//! Plans end, keep enough replicas on the way, and come out even.

use super::*;
use proptest::prelude::*;

/// Carries out moves until none is left; checks that no partition ever has fewer replicas than it may.
fn settle(mut placement: Placement, nodes: &[NodeId], replicas: u16) -> (Placement, usize) {
    let mut moves = 0;
    while let Some(Move { partition, to, from }) = next_move(&placement, nodes, replicas) {
        let holders = placement.get_mut(&partition).unwrap();
        let before = holders.len();
        holders.extend(to);
        if let Some(from) = from {
            assert!(to.is_some() || before > 1, "the last replica of {partition} would go");
            holders.retain(|node| *node != from);
        }
        moves += 1;
        assert!(moves < 1_000, "the plan does not end");
    }
    (placement, moves)
}

fn loads(placement: &Placement, nodes: &[NodeId]) -> Vec<usize> {
    nodes.iter().map(|node| placement.values().flatten().filter(|holder| *holder == node).count()).collect()
}

#[test]
fn a_new_cluster_is_even_and_needs_no_move() {
    let nodes = [1, 2, 3, 4, 5];
    let placement = first_placement(&nodes, 10, 3);
    assert_eq!(loads(&placement, &nodes), vec![6; 5]);
    assert_eq!(next_move(&placement, &nodes, 3), None);
    let leaders = placement.iter().map(|(partition, holders)| (*partition, holders[0])).collect();
    assert_eq!(next_leader_move(&placement, &leaders, &nodes), None);
}

#[test]
fn one_node_becomes_three_and_shrinks_back() {
    let placement = first_placement(&[1], 8, 3);
    assert!(placement.values().all(|holders| holders == &[1]));
    let (grown, _) = settle(placement, &[1, 2, 3], 3);
    assert!(grown.values().all(|holders| holders.len() == 3));
    let (shrunk, _) = settle(grown, &[1], 3);
    assert!(shrunk.values().all(|holders| holders == &[1]));
}

#[test]
fn leaders_of_a_leaving_node_go_first() {
    let placement = first_placement(&[1, 2, 3], 3, 3);
    let leaders = BTreeMap::from([(PartitionId(0), 1), (PartitionId(1), 2), (PartitionId(2), 3)]);
    let moved = next_leader_move(&placement, &leaders, &[1, 2]);
    assert_eq!(moved.map(|(partition, _)| partition), Some(PartitionId(2)));
}

proptest! {
    #[test]
    fn any_change_of_nodes_settles_even(
        before in 1usize..6, after in proptest::collection::btree_set(1u64..8, 1..6), partitions in 1u16..20, replicas in 1u16..5,
    ) {
        let first: Vec<NodeId> = (1..=before as u64).collect();
        let nodes: Vec<NodeId> = after.into_iter().collect();
        let (settled, _) = settle(first_placement(&first, partitions, replicas), &nodes, replicas);
        let wanted = usize::from(replicas).min(nodes.len());
        for holders in settled.values() {
            prop_assert_eq!(holders.len(), wanted);
            prop_assert!(holders.iter().all(|node| nodes.contains(node)));
        }
        let loads = loads(&settled, &nodes);
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
    }
}
