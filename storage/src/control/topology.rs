//! The part of the control state that says which nodes there are and which of them holds what.

use std::collections::BTreeMap;

use insighthub_model::PartitionId;
use serde::{Deserialize, Serialize};

use super::ControlReply;
use crate::identity::Member;
use crate::raft::NodeId;

/// Nodes of one cluster, those that were removed included: an id is never given twice.
const NODES_MAX: usize = 10_000;
/// Services that are spread over several partitions; each is there because its load was measured.
const SPREAD_MAX: usize = 10_000;

/// What a node is to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Expected: its address is known, its disk is not.
    Invited,
    Active,
    /// Gives its replicas to others and gets none.
    Draining,
    /// Gone for good.
    Removed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeEntry {
    pub member: Member,
    pub state: NodeState,
}

/// Nodes and placement; ordered maps, so that their bytes are equal on all replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    pub nodes: BTreeMap<NodeId, NodeEntry>,
    /// The nodes that hold a replica of each partition, or are about to.
    pub placement: BTreeMap<PartitionId, Vec<NodeId>>,
    /// Moves under way: the nodes a partition shall have.
    pub targets: BTreeMap<PartitionId, Vec<NodeId>>,
    /// Over how many partitions a service is spread; those not named stay in one.
    pub spread: BTreeMap<String, u16>,
}

/// What changes the topology.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TopologyCommand {
    /// The first command of a cluster.
    Found {
        members: Vec<Member>,
        placement: BTreeMap<PartitionId, Vec<NodeId>>,
    },
    /// Expects a node of this name; its disk id and node id are given when it comes.
    Invite {
        member: Member,
    },
    /// Takes in a node that asks with its disk. Answers the node id it gets.
    Join {
        member: Member,
    },
    SetState {
        node_id: NodeId,
        state: NodeState,
    },
    /// Begins a move, if the partition still is on `from`: new nodes make room for a replica.
    Plan {
        partition: PartitionId,
        from: Vec<NodeId>,
        target: Vec<NodeId>,
    },
    /// Ends a move: the group consists of `target`, the others may forget it.
    Settle {
        partition: PartitionId,
        target: Vec<NodeId>,
    },
    /// Spreads a service over so many partitions; it only grows.
    Spread {
        service: String,
        partitions: u16,
    },
}

impl Topology {
    pub(super) fn apply(&mut self, command: TopologyCommand) -> ControlReply {
        match command {
            TopologyCommand::Found { members, placement } => self.found(members, placement),
            TopologyCommand::Invite { member } => self.invite(member),
            TopologyCommand::Join { member } => self.join(member),
            TopologyCommand::SetState { node_id, state } => match self.nodes.get_mut(&node_id) {
                // Who is removed stays removed.
                Some(entry) if entry.state != NodeState::Removed => {
                    entry.state = state;
                    ControlReply::Done
                }
                _ => ControlReply::NotFound,
            },
            TopologyCommand::Plan { partition, from, target } => self.plan(partition, &from, target),
            TopologyCommand::Settle { partition, target } => {
                if self.targets.get(&partition) != Some(&target) {
                    return ControlReply::Conflict;
                }
                self.targets.remove(&partition);
                self.placement.insert(partition, target);
                ControlReply::Done
            }
            TopologyCommand::Spread { service, partitions } => {
                if self.spread.len() >= SPREAD_MAX && !self.spread.contains_key(&service) {
                    return ControlReply::LimitReached;
                }
                let spread = self.spread.entry(service).or_insert(1);
                *spread = partitions.max(*spread);
                ControlReply::Done
            }
        }
    }

    /// Done once; repeated by a founder that does not know whether it was.
    fn found(&mut self, members: Vec<Member>, placement: BTreeMap<PartitionId, Vec<NodeId>>) -> ControlReply {
        if self.nodes.is_empty() {
            let entry = |member: Member| (member.node_id, NodeEntry { member, state: NodeState::Active });
            self.nodes = members.into_iter().map(entry).collect();
            self.placement = placement;
        }
        ControlReply::Done
    }

    fn plan(&mut self, partition: PartitionId, from: &[NodeId], target: Vec<NodeId>) -> ControlReply {
        let Some(nodes) = self.placement.get_mut(&partition) else { return ControlReply::NotFound };
        if nodes.as_slice() != from || self.targets.contains_key(&partition) || target.is_empty() {
            return ControlReply::Conflict;
        }
        nodes.extend(target.iter().filter(|node| !from.contains(node)));
        self.targets.insert(partition, target);
        ControlReply::Done
    }

    fn invite(&mut self, member: Member) -> ControlReply {
        if self.by_name(&member.name).is_some() {
            return ControlReply::Conflict;
        }
        self.insert(member, NodeState::Invited)
    }

    fn join(&mut self, member: Member) -> ControlReply {
        if let Some(known) = self.by_disk(&member.disk_id) {
            return match known.state {
                NodeState::Removed => ControlReply::Conflict,
                _ => ControlReply::Node(known.member.node_id),
            };
        }
        match self.by_name(&member.name) {
            Some(known) if known.state == NodeState::Invited => {
                let node_id = known.member.node_id;
                let entry = NodeEntry { member: Member { node_id, ..member }, state: NodeState::Active };
                self.nodes.insert(node_id, entry);
                ControlReply::Node(node_id)
            }
            Some(_) => ControlReply::Conflict,
            None => self.insert(member, NodeState::Active),
        }
    }

    fn insert(&mut self, member: Member, state: NodeState) -> ControlReply {
        // The founders have their numbers already; the first of them would be given to another node.
        if self.nodes.is_empty() {
            return ControlReply::NotFound;
        }
        if self.nodes.len() >= NODES_MAX {
            return ControlReply::LimitReached;
        }
        let node_id = self.nodes.last_key_value().map_or(1, |(highest, _)| highest + 1);
        self.nodes.insert(node_id, NodeEntry { member: Member { node_id, ..member }, state });
        ControlReply::Node(node_id)
    }

    /// The node of this name that is not gone.
    pub fn by_name(&self, name: &str) -> Option<&NodeEntry> {
        self.nodes.values().find(|entry| entry.member.name == name && entry.state != NodeState::Removed)
    }

    /// The node with this disk, gone or not.
    pub fn by_disk(&self, disk_id: &str) -> Option<&NodeEntry> {
        self.nodes.values().find(|entry| entry.member.disk_id == disk_id && !disk_id.is_empty())
    }

    /// Nodes that are there: to be connected to and listened to.
    pub fn present(&self) -> impl Iterator<Item = &NodeEntry> {
        let is_present = |state| matches!(state, NodeState::Active | NodeState::Draining);
        self.nodes.values().filter(move |entry| is_present(entry.state))
    }

    /// Nodes that may be given replicas.
    pub fn placeable(&self) -> Vec<NodeId> {
        let active = self.nodes.values().filter(|entry| entry.state == NodeState::Active);
        active.map(|entry| entry.member.node_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(node_id: NodeId, name: &str, disk: &str) -> Member {
        let address = String::new();
        Member {
            node_id,
            name: name.into(),
            disk_id: disk.into(),
            http: address.clone(),
            peer: address.clone(),
            control: address,
        }
    }

    fn founded() -> Topology {
        let mut topology = Topology::default();
        let members = vec![member(1, "a", "disk-a"), member(2, "b", "disk-b")];
        topology.apply(TopologyCommand::Found { members, placement: BTreeMap::new() });
        topology
    }

    #[test]
    fn a_wiped_disk_is_refused_under_its_old_name_until_the_node_is_removed() {
        let mut topology = founded();
        let wiped = TopologyCommand::Join { member: member(0, "b", "new-disk") };
        assert_eq!(topology.apply(wiped.clone()), ControlReply::Conflict);
        topology.apply(TopologyCommand::SetState { node_id: 2, state: NodeState::Removed });
        assert_eq!(topology.apply(wiped.clone()), ControlReply::Node(3), "an id is never given twice");
        assert_eq!(topology.apply(wiped), ControlReply::Node(3), "asking again changes nothing");
        let old = TopologyCommand::Join { member: member(0, "b", "disk-b") };
        assert_eq!(topology.apply(old), ControlReply::Conflict, "a removed disk stays out");
    }

    #[test]
    fn nobody_is_given_a_founders_number() {
        let mut topology = Topology::default();
        for command in [
            TopologyCommand::Join { member: member(0, "c", "disk-c") },
            TopologyCommand::Invite { member: member(0, "d", "") },
        ] {
            assert_eq!(topology.apply(command), ControlReply::NotFound);
        }
        assert_eq!(topology, Topology::default(), "the founders are written down later");
    }

    #[test]
    fn an_invited_node_gets_its_number_with_the_invitation() {
        let mut topology = founded();
        let invite = TopologyCommand::Invite { member: member(0, "c", "") };
        assert_eq!(topology.apply(invite.clone()), ControlReply::Node(3));
        assert_eq!(topology.apply(invite), ControlReply::Conflict);
        assert_eq!(topology.placeable(), [1, 2], "nothing is placed on a node that has not come");
        let join = TopologyCommand::Join { member: member(0, "c", "disk-c") };
        assert_eq!(topology.apply(join), ControlReply::Node(3));
        assert_eq!(topology.placeable(), [1, 2, 3]);
    }

    #[test]
    fn a_move_makes_room_first_and_lets_go_last() {
        let mut topology = founded();
        topology.placement.insert(PartitionId(0), vec![1]);
        let plan = |from, target| TopologyCommand::Plan { partition: PartitionId(0), from, target };
        assert_eq!(topology.apply(plan(vec![1], vec![2])), ControlReply::Done);
        assert_eq!(topology.placement[&PartitionId(0)], [1, 2]);
        assert_eq!(topology.apply(plan(vec![1, 2], vec![1])), ControlReply::Conflict, "one move at a time");
        let settle = TopologyCommand::Settle { partition: PartitionId(0), target: vec![2] };
        assert_eq!(topology.apply(settle.clone()), ControlReply::Done);
        assert_eq!(topology.placement[&PartitionId(0)], [2]);
        assert_eq!(topology.apply(settle), ControlReply::Conflict);
        assert_eq!(topology.apply(plan(vec![1], vec![1])), ControlReply::Conflict, "made from old knowledge");
    }
}
