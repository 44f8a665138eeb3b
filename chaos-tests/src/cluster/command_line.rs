//! `insighthub cluster ...` as an operator types it, against one node of the cluster under test.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::ADMIN_PASSWORD;
use super::node::Node;
use crate::binary::binary;

/// How an order ended.
#[derive(Debug)]
pub struct Ordered {
    pub is_accepted: bool,
    /// What it printed for people, both streams.
    pub said: String,
}

impl Ordered {
    /// Fails with what was printed unless it was accepted.
    pub fn accepted(self) -> Result<String> {
        ensure!(self.is_accepted, "refused: {}", self.said);
        Ok(self.said)
    }

    /// Fails unless it was refused.
    pub fn refused(self) -> Result<String> {
        ensure!(!self.is_accepted, "accepted: {}", self.said);
        Ok(self.said)
    }
}

impl Node {
    /// Runs `insighthub cluster` with these words as admin, speaking to this node, and waits for its end.
    pub fn cluster_command(&self, words: &[&str]) -> Result<Ordered> {
        let mut command = Command::new(binary()?);
        command
            .arg("cluster")
            .args(words)
            .env("INSIGHTHUB_URL", self.url())
            .env("INSIGHTHUB_USER", "admin")
            .env("INSIGHTHUB_PASSWORD", ADMIN_PASSWORD);
        let output = tokio::task::block_in_place(|| command.output()).context("insighthub cluster")?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Ordered {
            is_accepted: output.status.success(),
            said: String::from_utf8_lossy(&said).trim().to_owned(),
        })
    }
}
