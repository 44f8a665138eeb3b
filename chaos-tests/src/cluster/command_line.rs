//! `insighthub ...` as an operator types it, against the cluster under test or beside it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::ADMIN_PASSWORD;
use super::node::Node;
use crate::binary::binary;

/// Far less than any order takes.
const MOMENT: Duration = Duration::from_millis(1);

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
    Ongoing::start(words, environment)?.end()
}

/// `insighthub ...` while it runs; killed if nobody waits for its end.
#[derive(Debug)]
pub struct Ongoing(Option<Child>);

impl Ongoing {
    pub fn start(words: &[&str], environment: &[(&str, &str)]) -> Result<Ongoing> {
        let mut command = Command::new(binary()?);
        command.args(words).envs(environment.iter().copied());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Ok(Ongoing(Some(child.context("insighthub")?)))
    }

    /// Lets it run a moment at a time, and holds it at the first moment at which the condition holds. False when it
    /// ended before.
    pub fn hold_when(&mut self, condition: impl Fn() -> bool) -> Result<bool> {
        loop {
            let child = self.0.as_mut().context("it has ended")?;
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            self.signal(Signal::STOP)?;
            if condition() {
                return Ok(true);
            }
            self.go_on()?;
            std::thread::sleep(MOMENT);
        }
    }

    pub fn go_on(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Waits for its end.
    pub fn end(mut self) -> Result<Ordered> {
        let child = self.0.take().context("it has ended")?;
        let output = tokio::task::block_in_place(|| child.wait_with_output()).context("insighthub")?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Ordered {
            is_accepted: output.status.success(),
            said: String::from_utf8_lossy(&said).trim().to_owned(),
        })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let child = self.0.as_ref().context("it has ended")?;
        kill_process(Pid::from_child(child), signal).context("a signal to insighthub")
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
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
