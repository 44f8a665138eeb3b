//! `cargo xtask up`: builds everything, starts it, and stops it in reverse.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cluster_file::{self, NodeEntry};
use crate::dashboard;
use crate::login_file;
use crate::node_process::NodeProcess;
use crate::readiness::{ensure_free, is_ready};
use crate::step::{cargo, root, run as run_command, step};

/// A node with much to replay needs a while; longer than this is a fault.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// A node that has not stopped by then is ended.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What a node prints once it takes requests.
const LISTENING_LINE: &str = "listening on ";
/// Lines of a starting node that wait to be read; there are a few.
const LINES_MAX: usize = 1_024;

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// Delete what earlier runs stored in data/ and start empty.
    #[arg(long, conflicts_with = "keep_data")]
    fresh: bool,
    /// Keep what earlier runs stored (this is the default).
    #[arg(long)]
    keep_data: bool,
    /// Build the node unoptimised: quicker to build, much slower to run.
    #[arg(long)]
    debug: bool,
    /// Build the node optimised (this is the default).
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// Start no demo traffic.
    #[arg(long)]
    quiet: bool,
}

/// Builds, starts, waits for Ctrl-C, stops.
pub(crate) fn run(arguments: &UpArguments) -> Result<()> {
    let interrupts = watch_interrupts()?;
    let nodes = cluster_file::nodes()?;
    for node in &nodes {
        ensure_free(node.http)?;
    }
    let program = build(arguments)?;
    // The build may have taken minutes.
    for node in &nodes {
        ensure_free(node.http)?;
    }
    let data = root().join("data");
    if arguments.fresh && data.exists() {
        fs::remove_dir_all(&data).context("cannot delete data/")?;
    }
    fs::create_dir_all(&data).context("cannot create data/")?;
    let mut running = Vec::new();
    let done = start_and_watch(arguments, &nodes, &program, &data, &interrupts, &mut running);
    stop(running, &interrupts)?;
    done
}

/// Counts Ctrl-C and SIGTERM.
fn watch_interrupts() -> Result<Arc<AtomicU32>> {
    let interrupts = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&interrupts);
    ctrlc::set_handler(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(interrupts)
}

fn build(arguments: &UpArguments) -> Result<PathBuf> {
    dashboard::build(dashboard::Profile::Release)?;
    let (name, flags): (_, &[&str]) =
        if arguments.debug { ("debug", &[]) } else { ("release", &["--release"]) };
    step(&format!("node: build ({name})"), || {
        run_command(cargo().args(["build", "--package", "insighthub-node"]).args(flags))
    })?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join(name).join("insighthub"))
}

fn start_and_watch(
    arguments: &UpArguments,
    nodes: &[NodeEntry],
    program: &Path,
    data: &Path,
    interrupts: &AtomicU32,
    running: &mut Vec<NodeProcess>,
) -> Result<()> {
    let (sender, lines) = sync_channel(LINES_MAX);
    step("start", || {
        for node in nodes {
            let log = data.join(format!("{}.log", node.name));
            running.push(NodeProcess::start(&node.name, program, &serve(node), log, sender.clone())?);
        }
        wait_until_ready(nodes, running, data, &lines, interrupts)
    })?;
    let Some(first) = nodes.first().filter(|_| interrupts.load(Ordering::SeqCst) == 0) else { return Ok(()) };
    if !arguments.quiet {
        let url = format!("http://{}", first.http);
        let demo = ["demo".to_owned(), "--url".to_owned(), url];
        running.push(NodeProcess::start("demo", program, &demo, data.join("demo.log"), sender)?);
    }
    announce(first, data);
    watch(running, interrupts)
}

fn serve(node: &NodeEntry) -> Vec<String> {
    let data = format!("data/{}", node.name);
    ["serve", "--config", "cluster.toml", "--node", &node.name, "--data", &data].map(str::to_owned).to_vec()
}

fn wait_until_ready(
    nodes: &[NodeEntry],
    running: &mut [NodeProcess],
    data: &Path,
    lines: &Receiver<String>,
    interrupts: &AtomicU32,
) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut listening = 0;
    while interrupts.load(Ordering::SeqCst) == 0 {
        listening += take_lines(data, lines)?;
        // The login stands before the line that says where the node listens.
        if listening == nodes.len() && nodes.iter().all(|node| is_ready(node.http)) {
            return Ok(());
        }
        for process in running.iter_mut() {
            if let Some(status) = process.ended()? {
                bail!("{} ended ({status}) before it was ready:\n{}", process.name, process.last_lines());
            }
        }
        if Instant::now() > deadline {
            let logs: Vec<String> = running.iter().map(|process| process.log.display().to_string()).collect();
            bail!("not ready after {} s; see {}", READY_WITHIN.as_secs(), logs.join(", "));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Keeps the admin login if one was printed: a node prints it at its first start only. Says how many
/// nodes have said that they listen.
fn take_lines(data: &Path, lines: &Receiver<String>) -> Result<usize> {
    let mut listening = 0;
    for line in lines.try_iter() {
        listening += usize::from(line.starts_with(LISTENING_LINE));
        if let Some(login) = login_file::in_line(&line) {
            login_file::keep(data, login)?;
        }
    }
    Ok(listening)
}

fn announce(node: &NodeEntry, data: &Path) {
    let login = login_file::kept(data).unwrap_or_else(|| {
        "printed at the node's first start; set INSIGHTHUB_ADMIN_PASSWORD to choose another".to_owned()
    });
    println!();
    println!("InsightHub is up.");
    println!("  Dashboard    http://{}", node.http);
    println!("  Admin login  {login}");
    println!("  Node log     data/{}.log", node.name);
    println!("  Stop         Ctrl-C");
    println!();
}

/// Returns at Ctrl-C; fails if a node ends by itself.
fn watch(running: &mut Vec<NodeProcess>, interrupts: &AtomicU32) -> Result<()> {
    while interrupts.load(Ordering::SeqCst) == 0 {
        let mut ended = None;
        for (index, process) in running.iter_mut().enumerate() {
            if let Some(status) = process.ended()? {
                ended = Some((index, status));
            }
        }
        if let Some((index, status)) = ended {
            let process = running.remove(index);
            let last_lines = process.last_lines();
            if process.name != "demo" {
                bail!("node {} ended by itself ({status}):\n{last_lines}", process.name);
            }
            println!(
                "The demo traffic has ended ({status}); the node runs on. Its last lines:\n{last_lines}"
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Stops everything, the last started first. A second Ctrl-C ends it at once.
fn stop(mut running: Vec<NodeProcess>, interrupts: &AtomicU32) -> Result<()> {
    if running.is_empty() {
        return Ok(());
    }
    println!("\nStopping. Ctrl-C again ends everything at once.");
    let asked_at_once = interrupts.load(Ordering::SeqCst) + 1;
    while let Some(mut process) = running.pop() {
        process.terminate();
        let deadline = Instant::now() + STOPPED_WITHIN;
        while process.ended()?.is_none() {
            let is_impatient = interrupts.load(Ordering::SeqCst) >= asked_at_once;
            if is_impatient || Instant::now() > deadline {
                println!("    {}: ended at once", process.name);
                process.kill();
            }
            std::thread::sleep(LOOK_EVERY);
        }
        println!("    {}: stopped", process.name);
    }
    Ok(())
}
