//! `insighthub ...` as an operator types it, against the cluster under test or beside it.

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

/// Runs `insighthub` with these words and waits for its end.
pub fn insighthub(words: &[&str], environment: &[(&str, &str)]) -> Result<Ordered> {
    let mut command = Command::new(binary()?);
    command.args(words).envs(environment.iter().copied());
    let output = tokio::task::block_in_place(|| command.output()).context("insighthub")?;
    let said = [output.stdout, output.stderr].concat();
    Ok(Ordered {
        is_accepted: output.status.success(),
        said: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

impl Node {
    /// Runs `insighthub cluster` with these words as admin, speaking to this node, and waits for its end.
    pub fn cluster_command(&self, words: &[&str]) -> Result<Ordered> {
        let url = self.url();
        insighthub(&[&["cluster"], words].concat(), &as_admin(&url))
    }
}

/// Where to ask, and as whom.
pub fn as_admin(url: &str) -> [(&str, &str); 3] {
    [("INSIGHTHUB_URL", url), ("INSIGHTHUB_USER", "admin"), ("INSIGHTHUB_PASSWORD", ADMIN_PASSWORD)]
}
