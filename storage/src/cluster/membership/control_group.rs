//! Every node has a replica of the control group; a few of them vote.

use std::collections::BTreeSet;

use openraft::BasicNode;

use super::super::Cluster;
use crate::raft::NodeId;

/// More voters make every change slower and add little.
const VOTERS_MAX: usize = 5;

impl Cluster {
    /// On the control leader: takes in nodes that came and lets go of those that left, one change at a time.
    pub(super) async fn keep_control_group(&self) {
        let group = &self.store.control.group;
        let status = group.status();
        let present: BTreeSet<NodeId> =
            self.topology(|topology| topology.present().map(|entry| entry.member.node_id).collect());
        if !status.leads || present.is_empty() {
            return;
        }
        let known: BTreeSet<NodeId> = status.voters.iter().chain(&status.learners).copied().collect();
        if let Some(newcomer) = present.difference(&known).next() {
            tracing::info!(node = newcomer, "the control group takes in a node");
            let added = group.raft().add_learner(*newcomer, BasicNode::default(), false).await;
            report("take in a node", added.map(drop));
            return;
        }
        let voters = choose_voters(&status.voters, &present);
        let is_up_to_date = |node: &NodeId| {
            let matched = status.matched.get(node).copied().unwrap_or(0);
            *node == self.me() || status.voters.contains(node) || Some(matched + 16) >= status.last_log_index
        };
        if voters != status.voters.iter().copied().collect() && voters.iter().all(is_up_to_date) {
            tracing::info!(?voters, "the control group changes its voters");
            let changed = group.raft().change_membership(voters, true).await;
            report("change its voters", changed.map(drop));
            return;
        }
        let gone: BTreeSet<NodeId> =
            status.learners.iter().filter(|node| !present.contains(node)).copied().collect();
        if !gone.is_empty() {
            let changed =
                group.raft().change_membership(openraft::ChangeMembers::RemoveNodes(gone), true).await;
            report("let go of a node", changed.map(drop));
        }
    }
}

/// As many as may vote, an odd number where there are more than two; those that vote already stay.
fn choose_voters(voters: &[NodeId], present: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let count = match present.len().min(VOTERS_MAX) {
        few @ 0..=2 => few,
        many => many - usize::from(many % 2 == 0),
    };
    let stay = voters.iter().filter(|node| present.contains(node));
    let come = present.iter().filter(|node| !voters.contains(node));
    stay.chain(come).take(count).copied().collect()
}

fn report(what: &'static str, result: Result<(), impl std::fmt::Display>) {
    if let Err(error) = result {
        tracing::info!(%error, "the control group could not {what}; it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_number_votes_and_voters_stay() {
        let present = |nodes: &[NodeId]| nodes.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(choose_voters(&[1], &present(&[1, 2])), present(&[1, 2]));
        assert_eq!(choose_voters(&[1, 2], &present(&[1, 2, 3, 4])), present(&[1, 2, 3]));
        assert_eq!(choose_voters(&[2, 3, 4], &present(&[1, 2, 3, 4])), present(&[2, 3, 4]));
        assert_eq!(choose_voters(&[1, 2, 3], &present(&[2, 3, 4])), present(&[2, 3, 4]));
        assert_eq!(choose_voters(&[1, 2, 3], &present(&[1, 2, 3, 4, 5, 6])), present(&[1, 2, 3, 4, 5]));
    }
}
