//! The demo's shop, sent by the binary itself.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::Past;
use crate::binary::binary;

/// Fifty thousand records into debug builds, on a machine that also builds.
const FILLED_WITHIN: Duration = Duration::from_secs(300);
/// The incident of the past: recent enough for the last hour, which pages show first.
const INCIDENT: &str = "error-burst@-20m";
const SEED: &str = "1";
/// Another story than the past's, or the same traces would come twice.
const SEED_AFTER: &str = "2";

/// Sends the past and waits until it is stored.
pub(super) async fn fill(urls: &[String], past: Past) -> Result<()> {
    let rate = past.rate.to_string();
    let running = Command::new(binary()?)
        .args(["demo", "--url", &urls.join(","), "--rate", &rate, "--seed", SEED])
        .args(["--backfill", past.backfill, "--incident", INCIDENT, "--duration", "1s"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(FILLED_WITHIN, running)
        .await
        .with_context(|| format!("the demo is not through within {FILLED_WITHIN:?}"))??;
    ensure!(output.status.success(), "the demo failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Sends what happens from now on, until it is killed.
pub(super) fn go_on(urls: &[String], past: Past) -> Result<Child> {
    let rate = past.rate.to_string();
    std::process::Command::new(binary()?)
        .args(["demo", "--url", &urls.join(","), "--rate", &rate, "--seed", SEED_AFTER, "--no-incidents"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the demo cannot be started")
}
