//! The verdict on a cluster whose clients have finished: every node read back, its output and its state looked at.

use std::time::Duration;

use anyhow::Result;

use crate::api::Api;
use crate::checker::Findings;
use crate::cluster::Cluster;
use crate::cluster::node::Node;
use crate::cluster::view::damage;
use crate::reckoning::{ReadBack, Reckoning};
use crate::workload::Outcome;

/// Reading everything back from a debug node.
const READ_BACK_WITHIN: Duration = Duration::from_secs(120);

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub findings: Findings,
    /// Records by node.
    pub read_back: Vec<(String, usize)>,
    /// Lines of level ERROR that nodes printed.
    pub error_lines: usize,
}

impl Verdict {
    /// Reads every running node back and compares it with what its clients were told.
    pub async fn on(cluster: &Cluster, outcome: &Outcome) -> Verdict {
        let mut verdict = Verdict::default();
        let findings = &mut verdict.findings;
        let mut reckoning = Reckoning::new(&outcome.ledger);
        for number in cluster.up() {
            let Some(node) = cluster.nodes.get(number) else { continue };
            match read_back(node).await {
                Ok(read) => reckoning.take_in(&node.name, &read),
                Err(error) => findings.add("nodes that cannot be read", format!("{}: {error:#}", node.name)),
            }
            let complaints = node.complaints().await.unwrap_or_default();
            for line in complaints.iter().filter(|line| line.contains("panicked at")) {
                findings.add("panics", format!("{}: {line}", node.name));
            }
            verdict.error_lines += complaints.len();
        }
        let (found, read_back) = reckoning.finish();
        findings.take_in("read back", found);
        for violation in &outcome.ledger.violations {
            findings.add("answers that must not be", violation.clone());
        }
        for trouble in outcome.followed.iter().flat_map(|followed| followed.trouble(&outcome.ledger)) {
            findings.add("live tails", trouble);
        }
        for what in damage(&cluster.views().await) {
            findings.add("damage", what);
        }
        Verdict { read_back, ..verdict }
    }
}

async fn read_back(node: &Node) -> Result<ReadBack> {
    ReadBack::of(&Api::patient(&node.url(), READ_BACK_WITHIN)?).await
}
