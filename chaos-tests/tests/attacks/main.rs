//! A real node under attack: each family of attacks is refused with a reason, and leaves memory and service as they were.
//!
//! One node for all families, one with TLS, and one whose secrets must not leak. Run with `--nocapture` for the figures.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what the test itself does wrong must fail loudly"
)]

mod backups;
mod bombs;
mod files;
mod output;
mod pages;
mod paths;
mod peers;
mod queries;
mod records;
mod secrets;
mod services;
mod slow;
mod smuggling;
mod target;
mod tls;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use target::Target;

/// How much a family may leave behind in memory: caches and heads fill a little with what is taken.
const GROWTH_KIB_MAX: i64 = 64 * 1024;

/// Runs a family and says what it cost.
macro_rules! family {
    ($target:ident, $name:literal, $attack:expr) => {{
        let (before, started) = ($target.memory_kib()?, Instant::now());
        let checks: usize = $attack.await.context($name)?;
        $target.is_well().await.context($name)?;
        let (after, took) = ($target.memory_kib()?, started.elapsed());
        println!(
            "{:<28} {checks:>4} checks  {:>5.1} s  {:>6.1} MiB before, {:>6.1} after",
            $name,
            took.as_secs_f64(),
            before as f64 / 1024.0,
            after as f64 / 1024.0
        );
        ensure!(after - before < GROWTH_KIB_MAX, "{} left {} KiB in memory", $name, after - before);
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_withstands_every_family_of_attacks() -> Result<()> {
    let target = Target::start().await?;
    target.is_well().await?;
    family!(target, "decompression bombs", bombs::attack(&target));
    family!(target, "records and timestamps", records::attack(&target));
    family!(target, "queries and expressions", queries::attack(&target));
    family!(target, "tricks with paths", paths::attack(&target));
    family!(target, "request smuggling", smuggling::attack(&target));
    family!(target, "pages of other sites", pages::attack(&target));
    family!(target, "slow clients, idle sockets", slow::attack(&target));
    family!(target, "escape sequences in output", output::attack(&target));
    family!(target, "malicious backups", backups::attack(&target));
    family!(target, "files of the node", files::attack(&target));
    family!(target, "a million services", services::attack(&target));
    let complaints = target.node.complaints()?;
    ensure!(complaints.is_empty(), "the node complained: {complaints:#?}");
    Ok(())
}
