//! Whole clusters on one thread: real logs, replicas, Raft and transport on a simulated network and simulated
//! disks, with faults and clients by seed. The same seed gives the same run.
//!
//! Reading order: `run_seed` here, `cluster` (machines), `node` (what a machine runs), `clients`, `faults`,
//! `history` and `checks` (what must hold).

mod appends;
mod checks;
mod clients;
mod cluster;
mod dice;
mod door;
mod faults;
mod history;
mod network;
mod node;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::checks::{Watcher, check_end, disagreement};
use crate::cluster::SimulatedCluster;
use crate::dice::Dice;
use crate::faults::Faults;
pub use crate::faults::Kind;
pub use crate::history::Counts;
use crate::history::History;

/// After the last fault: fresh writes by every writer and a read that is certain, within this time.
const SERVES_WITHIN: Duration = Duration::from_secs(10);
/// After the last write: all replicas equal, within this time.
const CONVERGES_WITHIN: Duration = Duration::from_secs(20);

/// What is broken on purpose, to see that it is noticed. None of it is in the code of a node: the simulated disk
/// and what stands in for actors and HTTP do it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    #[default]
    None,
    /// The disk says that it has synced and has not.
    SkipSync,
    /// A batch is acknowledged when the leader has taken it.
    AcknowledgeBeforeCommit,
    /// Nobody remembers which batches were stored.
    DropDedupe,
    /// Nobody knows a record that comes again with another request.
    DropKeys,
    /// A replica answers from what it has, without asking how far the log is committed.
    ServeBeforeReadIndex,
}

impl Mutation {
    pub const ALL: [Mutation; 5] = [
        Mutation::SkipSync,
        Mutation::AcknowledgeBeforeCommit,
        Mutation::DropDedupe,
        Mutation::DropKeys,
        Mutation::ServeBeforeReadIndex,
    ];
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    /// Over (time, node, event) of everything that was seen.
    pub trace_hash: u64,
    /// Empty when everything held.
    pub violations: Vec<String>,
    pub counts: Counts,
    pub faults: BTreeMap<Kind, u64>,
    /// Processes that ended because their log failed.
    pub failed_logs: u64,
    pub simulated: Duration,
}

/// How a seed is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    pub mutation: Mutation,
    /// Prints every event.
    pub prints: bool,
}

/// Runs a seed from an empty cluster to its verdict.
pub fn run_seed(seed: u64, options: RunOptions) -> anyhow::Result<Outcome> {
    let _entered = insighthub_storage::simulation::enter(seed);
    let place = tempfile::Builder::new().prefix("insighthub-simulation-").tempdir_in(memory_directory())?;
    let history = Arc::new(Mutex::new(History::new(options.prints, place.path())));
    let mut dice = Dice::for_part(seed, 1);
    let nodes = if dice.one_in(5) { 5 } else { 3 };
    let joins_at = dice.one_in(4).then(|| Duration::from_millis(dice.within(1_500..6_000)));
    let mut cluster =
        SimulatedCluster::new(seed, options.mutation, nodes, place.path(), Arc::clone(&history));
    let mut run = Run { watcher: Watcher::default(), faults: Faults::new(seed) };
    let driven = run.drive(&mut cluster, joins_at, |cluster| {
        cluster.add_machine(nodes + 1, nodes + 1, place.path());
    });
    if let Err(error) = driven {
        history.lock().violate(format!("the simulation ended: {error}"));
    }
    let (failed_logs, simulated) = (cluster.failed_logs, cluster.now());
    drop(cluster);
    let history = history.lock();
    Ok(Outcome {
        seed,
        trace_hash: history.trace_hash(),
        violations: history.violations().to_vec(),
        counts: history.counts,
        faults: run.faults.struck,
        failed_logs,
        simulated,
    })
}

/// The index of a node lies on a real file system; one in memory is quicker.
fn memory_directory() -> std::path::PathBuf {
    let memory = std::path::PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

struct Run {
    watcher: Watcher,
    faults: Faults,
}

impl Run {
    fn drive(
        &mut self,
        cluster: &mut SimulatedCluster,
        mut joins_at: Option<Duration>,
        join: impl Fn(&mut SimulatedCluster),
    ) -> turmoil::Result {
        while self.faults.step(cluster) {
            if joins_at.is_some_and(|at| at <= cluster.now()) {
                joins_at = None;
                cluster.note("a node joins");
                join(cluster);
            }
            self.step(cluster)?;
        }
        cluster.note("healed");
        self.faults.heal(cluster);
        cluster.progress.lock().healed = true;
        let serves = self.until(cluster, SERVES_WITHIN, |cluster| {
            let progress = cluster.progress.lock();
            let writes = progress.fresh_batches.iter().all(|batches| *batches >= 2);
            match writes && progress.complete_reads_after_healing > 0 {
                true => None,
                false => Some(format!(
                    "fresh batches {:?}, certain reads {}",
                    progress.fresh_batches, progress.complete_reads_after_healing
                )),
            }
        })?;
        if let Some(reason) = serves {
            let why = disagreement(cluster).unwrap_or_default();
            cluster
                .history
                .lock()
                .violate(format!("the cluster does not serve after healing: {reason}; {why}"));
        }
        cluster.progress.lock().stopped = true;
        let converges = self.until(cluster, CONVERGES_WITHIN, |cluster| {
            let clients = cluster.progress.lock().running;
            if clients > 0 { Some(format!("{clients} clients wait")) } else { disagreement(cluster) }
        })?;
        if let Some(reason) = converges {
            cluster.history.lock().violate(format!("the replicas do not become equal: {reason}"));
        }
        check_end(cluster);
        Ok(())
    }

    fn step(&mut self, cluster: &mut SimulatedCluster) -> turmoil::Result {
        cluster.step()?;
        self.watcher.look(cluster);
        Ok(())
    }

    /// Goes on until nothing is missing; what is missing still when the time is over.
    fn until(
        &mut self,
        cluster: &mut SimulatedCluster,
        within: Duration,
        missing: impl Fn(&SimulatedCluster) -> Option<String>,
    ) -> turmoil::Result<Option<String>> {
        let give_up = cluster.now() + within;
        while let Some(reason) = missing(cluster) {
            if cluster.now() > give_up {
                return Ok(Some(reason));
            }
            for _ in 0..10 {
                self.step(cluster)?;
            }
        }
        Ok(None)
    }
}
