//! One client at work: started, waited for, stopped.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::Child;

use super::client::Client;
use super::configuration::configuration;
use super::place::Place;
use super::programs::{Programs, Start, output};
use super::sent::Sent;
use super::tools::Tools;

/// A daemon that still has something to send takes this long at most to stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A client that sends. Dropped, its programs are killed.
#[derive(Debug)]
pub struct Running {
    // First: processes end before their folder goes.
    programs: Programs,
    folder: TempDir,
}

impl Running {
    /// Starts a client with the configuration of its page.
    pub async fn start(
        client: &Client,
        tools: &Tools,
        place: &Place,
        sent: &[Sent],
        pause: Duration,
    ) -> Result<Running> {
        let folder = tempfile::Builder::new().prefix("insighthub-client-").tempdir()?;
        let block = configuration(client, place)?;
        let service = &place.service;
        let start = Start { tools, folder: folder.path(), block: &block, service, sent, pause };
        let programs = start.run(client.program).await.with_context(|| output(folder.path()))?;
        Ok(Running { programs, folder })
    }

    /// Waits until everything was given to the client; it may still have to send it.
    pub async fn given(&mut self, within: Duration) -> Result<()> {
        let ended = tokio::time::timeout(within, self.programs.sender.wait()).await;
        let status: ExitStatus = ended.with_context(|| format!("it does not end: {}", self.output()))??;
        ensure!(status.success(), "it ended with {status}: {}", self.output());
        Ok(())
    }

    /// Stops what goes on by itself, as a machine that shuts down does.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(daemon) = self.programs.daemon.as_mut() else { return Ok(()) };
        terminate(daemon)?;
        if tokio::time::timeout(STOP_WITHIN, daemon.wait()).await.is_err() {
            daemon.kill().await?;
        }
        Ok(())
    }

    /// What its programs have printed.
    pub fn output(&self) -> String {
        output(self.folder.path())
    }
}

fn terminate(child: &Child) -> Result<()> {
    let Some(id) = child.id() else { return Ok(()) };
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("no process id")?;
    Ok(kill_process(pid, Signal::TERM)?)
}
