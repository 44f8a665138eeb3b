//! The nemesis: does what a schedule says to a cluster, makes sure that it really happened, and takes
//! it back.

pub mod fault;
pub mod scenario;
pub mod strace;

mod clock_faults;
mod disk_faults;
mod link_faults;
mod membership_faults;
mod process_faults;
mod rot;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::join_all;
use serde::Serialize;

use self::fault::{Fault, Whom};
use self::scenario::Abilities;
use self::strace::Strace;
use crate::cluster::Cluster;
use crate::cluster::clock::Clock;

/// A node that was started again must at least listen by then, on any machine.
const LISTENING_WITHIN: Duration = Duration::from_secs(60);

/// One fault that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Strike {
    pub kind: &'static str,
    pub fault: String,
    /// Names of the nodes it hit.
    pub on: Vec<String>,
    /// Only what is known to have happened counts as fired.
    pub fired: bool,
    pub detail: String,
    /// What the nodes did then that they must not do.
    pub violations: Vec<String>,
    /// Seconds since the start of the run.
    pub at_secs: f64,
    pub lasted_ms: u64,
}

/// What a fault found out about itself.
#[derive(Debug, Default)]
struct Effect {
    detail: String,
    violations: Vec<String>,
}

impl Effect {
    fn seen(detail: impl Into<String>) -> Effect {
        Effect { detail: detail.into(), violations: Vec::new() }
    }
}

/// Does faults to one cluster.
#[derive(Debug)]
pub struct Nemesis {
    cluster: Arc<Cluster>,
    started: Instant,
}

impl Nemesis {
    pub fn new(cluster: Arc<Cluster>) -> Nemesis {
        Nemesis { cluster, started: Instant::now() }
    }

    /// What this machine can do.
    pub fn abilities() -> Abilities {
        Abilities {
            disks: crate::loop_disk::LoopDisk::new().is_ok(),
            failing_syncs: Strace::is_possible(),
            clocks: Clock::is_possible().is_ok(),
        }
    }

    /// Does all faults at once, each to nodes of its own, and returns when all are over.
    pub async fn fire(&self, faults: &[Fault]) -> Vec<Strike> {
        let mut taken = BTreeSet::new();
        let mut aimed = Vec::new();
        for fault in faults {
            let targets = self.aim(fault, &taken).await;
            taken.extend(targets.iter().copied());
            aimed.push((fault, targets));
        }
        join_all(aimed.into_iter().map(|(fault, targets)| self.strike(fault, targets))).await
    }

    /// The nodes a fault hits: running, and not taken by another fault.
    async fn aim(&self, fault: &Fault, taken: &BTreeSet<usize>) -> Vec<usize> {
        let mut free = self.cluster.up();
        free.retain(|node| !taken.contains(node));
        let leader = match fault.whom() {
            Whom::All => return free,
            Whom::Leader(partition) | Whom::Follower(partition) => self.cluster.leader(partition).await,
            // Any other would prove nothing.
            Whom::ControlLeader => {
                let leader = self.cluster.control_leader().await;
                return leader.filter(|node| free.contains(node)).into_iter().collect();
            }
            Whom::Any => None,
        };
        let is_leader = |node: &&usize| Some(**node) == leader;
        let wanted = match fault.whom() {
            Whom::Follower(_) => free.iter().find(|node| !is_leader(node)),
            _ => free.iter().find(is_leader),
        };
        wanted.or(free.last()).copied().into_iter().collect()
    }

    async fn strike(&self, fault: &Fault, targets: Vec<usize>) -> Strike {
        let begun = Instant::now();
        let effect = if targets.is_empty() {
            Err(anyhow::anyhow!("nobody is left to hit"))
        } else {
            self.effect(fault, &targets).await
        };
        let (fired, effect) = match effect {
            Ok(effect) => (true, effect),
            Err(error) => (false, Effect::seen(format!("{error:#}"))),
        };
        let name = |node: &usize| self.cluster.nodes.get(*node).map(|node| node.name.clone());
        Strike {
            kind: fault.kind(),
            fault: format!("{fault:?}"),
            on: targets.iter().filter_map(name).collect(),
            fired,
            detail: effect.detail,
            violations: effect.violations,
            at_secs: begun.duration_since(self.started).as_secs_f64(),
            lasted_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn effect(&self, fault: &Fault, targets: &[usize]) -> Result<Effect> {
        let one = *targets.first().context("no target")?;
        match *fault {
            Fault::Kill { down, .. } => self.kill(targets, down).await,
            Fault::Pause { length, .. } => self.pause(one, length).await,
            Fault::RollingRestart => self.restart_in_turn(targets).await,
            Fault::Isolate { way, length, .. } => {
                let others = self.others(one);
                self.cut(one, &others, way, length).await
            }
            Fault::CutPair { way, length, .. } => {
                let others = self.others(one);
                self.cut(one, others.get(..1).unwrap_or(&[]), way, length).await
            }
            Fault::Resets { length, .. } => self.reset_connections(one, length).await,
            Fault::Slow { delay, bytes_per_sec, length, .. } => {
                self.slow_down(one, delay, bytes_per_sec, length).await
            }
            Fault::PowerCut { leaves, down, .. } => self.cut_power(targets, leaves, down).await,
            Fault::FullDisk { left_bytes, length, .. } => self.fill_disk(one, left_bytes, length).await,
            Fault::Rot { harm, .. } => self.rot(one, harm).await,
            Fault::FailedSync { .. } => self.fail_sync(one).await,
            Fault::ClockJump { offset_secs, length, .. } => self.jump(one, offset_secs, length).await,
            Fault::Drain { length, .. } => self.drain_for(one, length).await,
            Fault::Join => self.join_one().await,
            Fault::Leave => self.remove_one().await,
            Fault::MoveLeader { partition } => self.move_leader(partition).await,
            Fault::Spread { service, over } => self.spread(service, over).await,
        }
    }

    /// Members besides one.
    fn others(&self, one: usize) -> Vec<usize> {
        self.cluster.members().into_iter().filter(|node| *node != one).collect()
    }

    /// Starts nodes again, all at once, and waits until they listen.
    async fn launch_all(&self, targets: &[usize]) -> Result<()> {
        for target in targets {
            self.cluster.node(*target)?.launch().await?;
        }
        for target in targets {
            self.cluster.node(*target)?.wait_until_listening(LISTENING_WITHIN).await?;
        }
        Ok(())
    }
}
