//! Clients of a cluster while it is broken and healed: writers, readers, followers of the live tail.
//!
//! They know nothing of the faults. What they send and see goes into one ledger, which the reckoning
//! compares with what every node returns in the end.

pub mod follower;
pub mod gaps;
pub mod reader;
pub mod writer;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use insighthub_model::PartitionId;
use insighthub_model::routing::partition_of;
use tokio::task::JoinHandle;

use self::follower::{COMPLETE_WITHIN, Followed, Follower};
use self::gaps::Gaps;
use self::writer::{Manner, Writer};
use crate::chaos_record::now;
use crate::cluster::Cluster;
use crate::deadline::wait_until;
use crate::dice::Dice;
use crate::ledger::Ledger;

/// Acknowledged records that readers may ask for; older ones are forgotten.
const RECENT_MAX: usize = 256;

/// What the clients do.
#[derive(Debug, Clone)]
pub struct WorkloadPlan {
    /// Writers whose batches have an identity and are repeated until acknowledged.
    pub writers: u64,
    /// Writers without identity: each batch is sent once.
    pub anonymous: u64,
    pub readers: u64,
    /// One follower of the live tail per node.
    pub followers: bool,
    /// Batches hold 1 to this many records.
    pub batch_records_max: u64,
    /// Every so many records one is broken on purpose.
    pub broken_every: u64,
    /// The least time between two batches of a writer; a slow cluster makes it longer. None: as fast as
    /// the cluster answers.
    pub pause: Duration,
}

impl WorkloadPlan {
    /// As much as a few clients can send, for throughput.
    pub fn full_speed() -> WorkloadPlan {
        WorkloadPlan {
            writers: 4,
            anonymous: 0,
            followers: false,
            batch_records_max: 200,
            pause: Duration::ZERO,
            ..WorkloadPlan::default()
        }
    }
}

impl Default for WorkloadPlan {
    /// Modest: three debug nodes and these clients share two cores.
    fn default() -> Self {
        WorkloadPlan {
            writers: 3,
            anonymous: 1,
            readers: 4,
            followers: true,
            batch_records_max: 20,
            broken_every: 97,
            pause: Duration::from_millis(40),
        }
    }
}

/// A record that was acknowledged, for readers.
#[derive(Debug, Clone)]
struct Acked {
    id: String,
    service: String,
    timestamp: insighthub_model::Timestamp,
    /// Which node answered; readers ask another.
    node: usize,
}

/// Counts of what clients tried and got.
#[derive(Debug, Default)]
pub struct Tally {
    is_stormy: AtomicBool,
    pub calm_attempts: AtomicU64,
    pub calm_answers: AtomicU64,
    pub acknowledged: AtomicU64,
    pub reads: AtomicU64,
    /// Reads that said themselves that they are incomplete or stale.
    pub reads_incomplete: AtomicU64,
    pub reads_unanswered: AtomicU64,
    pub tail_resumes: AtomicU64,
}

impl Tally {
    /// Faults are about to come, or are over and their effects too.
    pub fn set_stormy(&self, is_stormy: bool) {
        self.is_stormy.store(is_stormy, Ordering::Relaxed);
    }

    fn attempt(&self, was_calm: bool, is_answered: bool) {
        // Only attempts that began and ended in a calm say something about calms.
        if was_calm && self.is_calm() {
            self.calm_attempts.fetch_add(1, Ordering::Relaxed);
            self.calm_answers.fetch_add(u64::from(is_answered), Ordering::Relaxed);
        }
    }

    fn is_calm(&self) -> bool {
        !self.is_stormy.load(Ordering::Relaxed)
    }

    /// Share of attempts in calm times that were answered as they should be.
    pub fn calm_ok_rate(&self) -> f64 {
        let attempts = self.calm_attempts.load(Ordering::Relaxed);
        self.calm_answers.load(Ordering::Relaxed) as f64 / attempts.max(1) as f64
    }
}

/// What all clients share.
#[derive(Debug)]
pub struct Shared {
    pub cluster: Arc<Cluster>,
    pub tally: Tally,
    ledger: Mutex<Ledger>,
    recent: Mutex<VecDeque<Acked>>,
    gaps: Mutex<Gaps>,
    /// Writers and readers finish what they are at.
    is_over: AtomicBool,
    /// They have finished: nothing more will be acknowledged.
    is_quiet: AtomicBool,
}

impl Shared {
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn gaps(&self) -> MutexGuard<'_, Gaps> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Acked>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Relaxed)
    }

    fn remember(&self, acked: Acked) {
        let mut recent = self.recent();
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(acked);
    }
}

/// Running clients. Dropped, they end at once.
#[derive(Debug)]
pub struct Workload {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
    followers: Vec<JoinHandle<Followed>>,
}

/// What the clients leave behind.
#[derive(Debug)]
pub struct Outcome {
    pub ledger: Ledger,
    pub followed: Vec<Followed>,
}

impl Workload {
    pub async fn start(
        cluster: &Arc<Cluster>,
        partitions: u16,
        plan: &WorkloadPlan,
        seed: u64,
    ) -> Result<Workload> {
        let shared = Arc::new(Shared {
            cluster: Arc::clone(cluster),
            tally: Tally::default(),
            ledger: Mutex::default(),
            recent: Mutex::default(),
            gaps: Mutex::default(),
            is_over: AtomicBool::new(false),
            is_quiet: AtomicBool::new(false),
        });
        let dice = Dice::new(seed);
        let mut workload =
            Workload { shared: Arc::clone(&shared), clients: Vec::new(), followers: Vec::new() };
        if plan.followers {
            // Before the first write: a follower must see everything.
            for number in cluster.up() {
                let follower =
                    Follower::open(Arc::clone(&shared), number, dice.of_their_own(300 + number as u64))
                        .await?;
                workload.followers.push(tokio::spawn(follower.run()));
            }
        }
        let start = now();
        let mut manners = vec![Manner::Persistent; usize::try_from(plan.writers)?];
        manners.extend(vec![Manner::Once; usize::try_from(plan.anonymous)?]);
        manners.extend(
            steady_services(partitions)
                .into_iter()
                .map(|(partition, service)| Manner::Steady { partition, service }),
        );
        for (number, manner) in manners.into_iter().enumerate() {
            let dice = dice.of_their_own(100 + number as u64);
            let writer = Writer::new(Arc::clone(&shared), number, manner, plan, start, dice)?;
            workload.clients.push(tokio::spawn(writer.run()));
        }
        for number in 0..plan.readers {
            let reader = reader::Reader::new(Arc::clone(&shared), dice.of_their_own(200 + number))?;
            workload.clients.push(tokio::spawn(reader.run()));
        }
        Ok(workload)
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub fn acknowledged(&self) -> u64 {
        self.shared.tally.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until this many more records are acknowledged; says how long it took.
    pub async fn flows(&self, records: u64, within: Duration) -> Result<Duration> {
        let (started, enough) = (Instant::now(), self.acknowledged() + records);
        let what = format!("{records} more records are acknowledged");
        let flowed = wait_until(&what, within, || async move { self.acknowledged() >= enough }).await;
        flowed.with_context(|| {
            format!(
                "{} acknowledged before; last trouble: {}",
                enough - records,
                self.shared.ledger().last_trouble
            )
        })?;
        Ok(started.elapsed())
    }

    /// Lets every writer finish the batch it is at and every follower see what was acknowledged.
    pub async fn finish(mut self, writers_within: Duration) -> Result<Outcome> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let started = Instant::now();
        for client in self.clients.drain(..) {
            let left = writers_within.saturating_sub(started.elapsed());
            match tokio::time::timeout(left, client).await {
                Ok(ended) => ended.context("a client panicked")?,
                Err(_) => bail!(
                    "a writer's last batch was not acknowledged within {writers_within:?}; last trouble: {}",
                    self.shared.ledger().last_trouble
                ),
            }
        }
        self.shared.is_quiet.store(true, Ordering::Relaxed);
        let (started, mut followed) = (Instant::now(), Vec::new());
        for follower in self.followers.drain(..) {
            // They end by themselves; the rest is for a last look.
            let left = (COMPLETE_WITHIN + Duration::from_secs(15)).saturating_sub(started.elapsed());
            let ended = tokio::time::timeout(left, follower).await;
            followed.push(ended.context("a follower hangs")?.context("a follower panicked")?);
        }
        Ok(Outcome { ledger: std::mem::take(&mut *self.shared.ledger()), followed })
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
        self.followers.iter().for_each(JoinHandle::abort);
    }
}

/// A service for each partition, so that a gap can be told by partition.
fn steady_services(partitions: u16) -> Vec<(u16, String)> {
    let service_of = |partition: u16| {
        let mut names = (0..).map(|number: u32| format!("steady-{number}"));
        names.find(|name| partition_of(name, partitions) == PartitionId(partition))
    };
    (0..partitions).filter_map(|partition| Some((partition, service_of(partition)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_a_steady_service_of_its_own() {
        let services = steady_services(8);
        assert_eq!(services.len(), 8);
        for (partition, service) in services {
            assert_eq!(partition_of(&service, 8), PartitionId(partition));
        }
    }

    #[test]
    fn attempts_that_touch_a_storm_do_not_count_for_calms() {
        let tally = Tally::default();
        tally.attempt(true, true);
        tally.set_stormy(true);
        tally.attempt(true, false);
        tally.attempt(false, false);
        tally.set_stormy(false);
        tally.attempt(true, true);
        assert!((tally.calm_ok_rate() - 1.0).abs() < f64::EPSILON);
        tally.attempt(true, false);
        assert!((tally.calm_ok_rate() - 2.0 / 3.0).abs() < 1e-9);
    }
}
