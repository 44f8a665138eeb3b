//! How many records a second a node takes in, from one look at the cluster to the next.

/// A node's count at some moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub now_ms: f64,
    pub node: String,
    pub accepted: u64,
}

/// Records a second between two looks. `None` where they are of different nodes, or the node was started between them.
pub fn per_sec(before: &Look, now: &Look) -> Option<f64> {
    let elapsed_secs = (now.now_ms - before.now_ms) / 1_000.0;
    let grown = now.accepted.checked_sub(before.accepted)?;
    (before.node == now.node && elapsed_secs > 0.0).then(|| grown as f64 / elapsed_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_two_looks_at_one_run_of_one_node() {
        let look = |now_ms, node: &str, accepted| Look { now_ms, node: node.to_owned(), accepted };
        let first = look(1_000.0, "n1", 100);
        assert_eq!(per_sec(&first, &look(3_000.0, "n1", 600)), Some(250.0));
        assert_eq!(per_sec(&first, &look(3_000.0, "n1", 3)), None, "it was started anew");
        assert_eq!(per_sec(&first, &look(3_000.0, "n2", 600)), None);
        assert_eq!(per_sec(&first, &first), None);
    }
}
