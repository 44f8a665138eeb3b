//! `cargo xtask up`: builds everything, starts it, and stops it in reverse.

use std::fs;
use std::net::SocketAddr;
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
use crate::readiness::{ensure_free, is_alive, is_ready};
use crate::step::{cargo, root, run as run_command, step, target};

/// A node with much to replay needs a while; longer than this is a fault.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// A node that has not stopped by then is ended.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What a node prints once it takes requests.
const LISTENING_LINE: &str = "listening on ";
/// What a new cluster is filled with: two days, after which the detectors are warm and calibrated.
const DEMO_BACKFILL: &str = "48h";
/// Records a second, then and live: the screen moves, and two days load within seconds.
const DEMO_RATE: &str = "10";
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
    /// Start only the first so many nodes of cluster.toml. A cluster can grow at a later start, not shrink.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    nodes: Option<u16>,
}

/// The nodes to start, and how.
struct Plan {
    nodes: Vec<NodeEntry>,
    program: PathBuf,
    data: PathBuf,
    /// As `serve` is given it, from the checkout's folder.
    config: String,
    /// Nothing is stored yet.
    is_new: bool,
}

/// Builds, starts, waits for Ctrl-C, stops.
pub(crate) fn run(arguments: &UpArguments) -> Result<()> {
    let interrupts = watch_interrupts()?;
    let mut nodes = cluster_file::nodes()?;
    if let Some(count) = arguments.nodes {
        nodes.truncate(usize::from(count));
    }
    let addresses: Vec<SocketAddr> = nodes.iter().flat_map(NodeEntry::addresses).collect();
    addresses.iter().try_for_each(|address| ensure_free(*address))?;
    let program = build(arguments)?;
    // The build may have taken minutes.
    addresses.iter().try_for_each(|address| ensure_free(*address))?;
    let data = root().join("data");
    if arguments.fresh && data.exists() {
        fs::remove_dir_all(&data).context("cannot delete data/")?;
    }
    fs::create_dir_all(&data).context("cannot create data/")?;
    let config = configuration(arguments, &data, nodes.len())?;
    let is_new = !nodes.iter().any(|node| data.join(&node.name).join("identity").exists());
    let plan = Plan { nodes, program, data, config, is_new };
    let mut running = Vec::new();
    let done = start_and_watch(arguments, &plan, &interrupts, &mut running);
    stop(running, &interrupts)?;
    done
}

/// cluster.toml itself, or a copy that names only the nodes to start.
fn configuration(arguments: &UpArguments, data: &Path, count: usize) -> Result<String> {
    let all = cluster_file::nodes()?;
    let left_out = all.iter().skip(count).find(|node| data.join(&node.name).join("identity").exists());
    if let Some(node) = left_out {
        bail!(
            "data/ holds a cluster that {} is part of: start it as well, or begin anew with --fresh",
            node.name
        );
    }
    if arguments.nodes.is_none() {
        return Ok("cluster.toml".to_owned());
    }
    fs::write(data.join("cluster.toml"), cluster_file::with_first_nodes(count)?)
        .context("cannot write data/cluster.toml")?;
    Ok("data/cluster.toml".to_owned())
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
    Ok(target().join(name).join("insighthub"))
}

fn start_and_watch(
    arguments: &UpArguments,
    plan: &Plan,
    interrupts: &AtomicU32,
    running: &mut Vec<NodeProcess>,
) -> Result<()> {
    let (sender, lines) = sync_channel(LINES_MAX);
    step("start", || {
        // All at once: at their first start the nodes wait for each other.
        for node in &plan.nodes {
            let log = plan.data.join(format!("{}.log", node.name));
            let arguments = serve(plan, node);
            running.push(NodeProcess::start(&node.name, &plan.program, &arguments, log, sender.clone())?);
        }
        wait_until_ready(plan, running, &lines, interrupts)
    })?;
    if interrupts.load(Ordering::SeqCst) > 0 {
        return Ok(());
    }
    announce(arguments, plan, running);
    if !arguments.quiet {
        let log = plan.data.join("demo.log");
        running.push(NodeProcess::start("demo", &plan.program, &demo(plan), log, sender)?);
    }
    watch(plan, running, interrupts)
}

fn serve(plan: &Plan, node: &NodeEntry) -> Vec<String> {
    let data = format!("data/{}", node.name);
    ["serve", "--config", &plan.config, "--node", &node.name, "--data", &data].map(str::to_owned).to_vec()
}

/// Where records of earlier runs are stored nothing is filled in: their time would come twice.
fn demo(plan: &Plan) -> Vec<String> {
    let urls: Vec<String> = plan.nodes.iter().map(|node| format!("http://{}", node.http)).collect();
    let urls = urls.join(",");
    let always = ["demo", "--url", &urls, "--rate", DEMO_RATE];
    let filled: &[&str] = if plan.is_new { &["--backfill", DEMO_BACKFILL] } else { &[] };
    always.iter().chain(filled).map(|word| (*word).to_owned()).collect()
}

fn wait_until_ready(
    plan: &Plan,
    running: &mut [NodeProcess],
    lines: &Receiver<String>,
    interrupts: &AtomicU32,
) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut listening = 0;
    while interrupts.load(Ordering::SeqCst) == 0 {
        listening += take_lines(&plan.data, lines)?;
        // The login stands before the line that says where the node listens.
        if listening == plan.nodes.len() && plan.nodes.iter().all(|node| is_ready(node.http)) {
            return Ok(());
        }
        for process in running.iter_mut() {
            if let Some(status) = process.ended()? {
                let last_lines = process.last_lines();
                let hint = hint(&last_lines);
                bail!("{} ended ({status}) before it was ready:\n{last_lines}{hint}", process.name);
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

/// What to do about the one failure that an update of the checkout brings about.
fn hint(last_lines: &str) -> &'static str {
    if last_lines.contains("has format version") {
        "data/ was written by another version of InsightHub, which this one cannot read. Move it away to keep \
         it, or begin anew with: cargo xtask up --fresh"
    } else {
        ""
    }
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

fn announce(arguments: &UpArguments, plan: &Plan, running: &[NodeProcess]) {
    let login = login_file::kept(&plan.data).unwrap_or_else(|| {
        "printed at the first start; with INSIGHTHUB_ADMIN_PASSWORD and --fresh it is the one you choose"
            .to_owned()
    });
    println!();
    println!("InsightHub is up.");
    for (node, process) in plan.nodes.iter().zip(running) {
        let (name, id) = (&node.name, process.process_id());
        println!("  Dashboard    http://{}  ({name}, process {id}, log data/{name}.log)", node.http);
    }
    println!("  Admin login  {login}");
    if !arguments.quiet {
        let past = if plan.is_new { "two days are filled in first; " } else { "" };
        println!("  Demo         {past}something goes wrong within five minutes  (log data/demo.log)");
    }
    println!("  Stop         Ctrl-C");
    println!();
}

/// Returns at Ctrl-C; fails once so many nodes have ended by themselves that nothing is taken in.
fn watch(plan: &Plan, running: &mut Vec<NodeProcess>, interrupts: &AtomicU32) -> Result<()> {
    while interrupts.load(Ordering::SeqCst) == 0 {
        let mut ended = None;
        for (index, process) in running.iter_mut().enumerate() {
            if let Some(status) = process.ended()? {
                ended = Some((index, status));
            }
        }
        if let Some((index, status)) = ended {
            let process = running.remove(index);
            println!(
                "{} ended by itself ({status}). Its last lines:\n{}",
                process.name,
                process.last_lines()
            );
            match plan.nodes.iter().find(|node| node.name == process.name) {
                Some(node) => go_on_without(plan, node)?,
                None => println!("The demo traffic has ended; the nodes go on."),
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Says how to start the node again, as long as the others are a majority.
fn go_on_without(plan: &Plan, node: &NodeEntry) -> Result<()> {
    // Asked, not counted: somebody may have started a node again by hand.
    let (all, alive) = (plan.nodes.len(), plan.nodes.iter().filter(|node| is_alive(node.http)).count());
    if alive * 2 <= all {
        bail!("{alive} of {all} nodes are left, no majority: nothing can be taken in any more");
    }
    let program = plan.program.strip_prefix(root()).unwrap_or(&plan.program);
    println!(
        "{alive} of {all} nodes go on. Start {} again from another terminal, in this folder:",
        node.name
    );
    println!("    {} {}", program.display(), serve(plan, node).join(" "));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_cluster_is_filled_with_the_past() {
        let plan = |is_new| Plan {
            nodes: Vec::new(),
            program: PathBuf::new(),
            data: PathBuf::new(),
            config: String::new(),
            is_new,
        };
        assert!(demo(&plan(true)).contains(&"--backfill".to_owned()));
        assert!(!demo(&plan(false)).contains(&"--backfill".to_owned()));
    }

    #[test]
    fn data_of_another_version_is_explained() {
        let line = "insighthub: identity: the value has format version 1, this program reads version 2";
        assert!(hint(line).contains("--fresh"));
        assert_eq!(hint("address in use"), "");
    }
}
