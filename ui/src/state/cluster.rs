//! What the Cluster page shows: the cluster as it is, and the books of a stretch of time.

use super::page::{Page, View};
use super::range::Range;
use super::url::{self, Pairs};
use crate::api::cluster::Partition;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterView {
    /// Of the books.
    pub range: Range,
}

impl View for ClusterView {
    const PAGE: Page = Page::Cluster;

    fn from_query(text: &str) -> ClusterView {
        ClusterView { range: Range::from_pairs(&Pairs::of(text)).unwrap_or_default() }
    }

    fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        self.range.add_to(&mut pairs);
        url::encode(&pairs)
    }
}

/// Nodes whose replica could lead the partition instead of the one that does.
pub fn heirs(partition: &Partition) -> Vec<String> {
    let others = partition.replicas.iter().filter(|replica| partition.leader.as_ref() != Some(&replica.node));
    others.filter(|replica| replica.role == "follower").map(|replica| replica.node.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::Replica;

    #[test]
    fn only_a_replica_that_follows_can_lead_next() {
        let replica =
            |node: &str, role: &str| Replica { node: node.into(), role: role.into(), ..Replica::default() };
        let replicas = ["leader", "follower", "learner", "unknown"];
        let partition = Partition {
            partition: 3,
            leader: Some("n1".to_owned()),
            replicas: replicas
                .iter()
                .zip(["n1", "n2", "n3", "n4"])
                .map(|(role, node)| replica(node, role))
                .collect(),
            ..Partition::default()
        };
        assert_eq!(heirs(&partition), ["n2"]);
        assert!(heirs(&Partition::default()).is_empty());
    }
}
