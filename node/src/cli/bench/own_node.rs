//! A node of the benchmark's own: the same program as a child process, on a free port.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;

const LISTENING_LINE: &str = "listening on http://";
/// A node that is not ready by then is broken, on any machine and with any data.
const READY_WITHIN: Duration = Duration::from_secs(300);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(20);

/// A running node. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct OwnNode {
    data: PathBuf,
    child: Child,
    url: String,
}

impl OwnNode {
    /// Starts a node on this data directory and waits until it is ready.
    pub(super) async fn start(data: &Path) -> Result<OwnNode, CliError> {
        let program = std::env::current_exe().map_err(CliError::Runtime)?;
        let mut child = Command::new(program)
            .args(["serve", "--dev", "--http", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(CliError::Runtime)?;
        let stdout = child.stdout.take().ok_or_else(|| failed("its output cannot be read"))?;
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            let line = lines.next_line().await.map_err(CliError::Runtime)?;
            let line = line.ok_or_else(|| failed("it ended before it listened; its last words are above"))?;
            if let Some(address) = line.strip_prefix(LISTENING_LINE) {
                break format!("http://{}", address.trim_end_matches('/'));
            }
        };
        // What it prints later must have somewhere to go, or it would wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let node = OwnNode { data: data.to_owned(), child, url };
        node.wait_until_ready().await?;
        Ok(node)
    }

    /// How to reach it: no token is needed in the development profile.
    pub(super) fn connection(&self) -> ConnectionArgs {
        ConnectionArgs { url: self.url.clone(), ca: None, token: None, user: None, password: None }
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// SIGTERM, and waits for the end.
    pub(super) async fn stop(mut self) -> Result<PathBuf, CliError> {
        let pid = self.child.id().ok_or_else(|| failed("it ended on its own"))?;
        // The standard library sends no signal but SIGKILL; every shell does.
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid.to_string()]).status().await;
        sent.map_err(CliError::Runtime)?;
        match tokio::time::timeout(STOPPED_WITHIN, self.child.wait()).await {
            Ok(ended) => ended.map(|_| self.data.clone()).map_err(CliError::Runtime),
            Err(_) => Err(failed("it did not stop within a minute of SIGTERM")),
        }
    }

    async fn wait_until_ready(&self) -> Result<(), CliError> {
        let (client, started) = (Client::new(&self.connection())?, Instant::now());
        loop {
            match client.get::<serde_json::Value>("/readyz", &[]).await {
                // Ready is said in words, not in JSON.
                Ok(_) | Err(CliError::Unreadable { .. }) => return Ok(()),
                Err(error) if started.elapsed() > READY_WITHIN => return Err(error),
                Err(_) => tokio::time::sleep(READY_POLL).await,
            }
        }
    }
}

fn failed(what: &str) -> CliError {
    CliError::Check(format!("the benchmark's own node failed: {what}"))
}
