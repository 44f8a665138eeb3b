//! The thread of a node that works off what applied commands leave to be done: batches of heads are joined, frozen heads
//! become blocks, blocks are merged. One after another, in log order within each partition.
//!
//! Compression and syncs take tens of milliseconds; done here they hold up neither the apply of the
//! next entries nor any async thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::{PartitionReplica, PartitionSnapshot};
use crate::block::BlockId;
use crate::index::IndexError;
use crate::life::Veil;
use crate::raft::{Membership, RaftLogId};
use crate::sealed_head::SealedHead;
use crate::simulation;
use crate::store::StoreError;

/// Jobs that may wait. The leader proposes none while one of its partition waits, so this
/// is only reached while a restart replays; then apply waits for the sealer.
const JOBS_MAX: usize = 1_024;
/// Pause before a failed job is tried again: a full disk may be emptied, a damaged block mended.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What is left to be done by an applied command.
#[derive(Debug)]
pub struct Job {
    pub replica: Arc<PartitionReplica>,
    pub log_id: RaftLogId,
    /// Of the replica's state; a job of an older one is void.
    pub generation: u64,
    pub work: Work,
}

#[derive(Debug)]
pub enum Work {
    /// A frozen head on its way to disk.
    Seal {
        head: Arc<SealedHead>,
        /// The partition's state as of the seal, without its content.
        state: Box<PartitionSnapshot>,
        membership: Membership,
        veil: Arc<Veil>,
    },
    /// Neighbouring blocks on their way to become one, run by run.
    Merge { runs: Vec<Vec<BlockId>>, veil: Arc<Veil> },
    /// What a deletion hid is gone by now.
    LiftErasure(u64),
    /// Small batches of the head become larger ones. Changes no file, and nothing a reader sees.
    Join,
}

/// Handle of the sealing thread, which ends when the last handle is gone.
#[derive(Debug)]
pub struct Sealer {
    jobs: Jobs,
}

/// Where jobs wait.
#[derive(Debug)]
enum Jobs {
    Thread(SyncSender<Job>),
    /// In a simulation, which has no threads.
    Task(tokio::sync::mpsc::Sender<Job>),
}

impl Sealer {
    pub fn start() -> std::io::Result<Sealer> {
        if simulation::is_on() {
            let (jobs, receiver) = tokio::sync::mpsc::channel(JOBS_MAX);
            tokio::spawn(run_simulated(receiver));
            return Ok(Sealer { jobs: Jobs::Task(jobs) });
        }
        let (jobs, receiver) = sync_channel(JOBS_MAX);
        std::thread::Builder::new().name("sealer".into()).spawn(move || run(&receiver))?;
        Ok(Sealer { jobs: Jobs::Thread(jobs) })
    }

    /// Queues a job; waits while [`JOBS_MAX`] jobs wait.
    pub fn submit(&self, job: Job) {
        let is_queued = match &self.jobs {
            Jobs::Thread(jobs) => jobs.send(job).is_ok(),
            Jobs::Task(jobs) => jobs.try_send(job).is_ok(),
        };
        if !is_queued {
            tracing::error!("the sealer has stopped; heads stay in memory and in the log");
        }
    }
}

fn run(jobs: &Receiver<Job>) {
    let mut backlog = Backlog::default();
    loop {
        let job = match backlog.retry_at {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match job {
            Ok(job) => backlog.take(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        backlog.retry_when_due();
    }
}

async fn run_simulated(mut jobs: tokio::sync::mpsc::Receiver<Job>) {
    let mut backlog = Backlog::default();
    loop {
        let job = match backlog.retry_at {
            None => Ok(jobs.recv().await),
            Some(at) => tokio::time::timeout_at(at, jobs.recv()).await,
        };
        match job {
            Ok(Some(job)) => {
                // Joining waits for no disk.
                if !matches!(job.work, Work::Join) {
                    tokio::time::sleep(simulation::disk_latency()).await;
                }
                backlog.take(job);
            }
            Ok(None) => return,
            Err(_) => {}
        }
        backlog.retry_when_due();
    }
}

/// Jobs that failed and, behind each, the later ones of its partition: none may be skipped, the next one's snapshot would
/// not name its blocks. Other partitions go on.
#[derive(Default)]
struct Backlog {
    waiting: BTreeMap<PartitionId, VecDeque<Job>>,
    /// `None` while nothing waits. A moment, not a pause between jobs: on a busy node there is none.
    retry_at: Option<Instant>,
}

impl Backlog {
    fn take(&mut self, job: Job) {
        let partition = job.replica.partition();
        match self.waiting.get_mut(&partition) {
            Some(waiting) => waiting.push_back(job),
            None if is_done(&job) => {}
            None => {
                self.waiting.insert(partition, VecDeque::from([job]));
                self.retry_at.get_or_insert_with(|| Instant::now() + RETRY_PAUSE);
            }
        }
    }

    fn retry_when_due(&mut self) {
        if self.retry_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        for waiting in self.waiting.values_mut() {
            while waiting.front().is_some_and(is_done) {
                waiting.pop_front();
            }
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
        self.retry_at = (!self.waiting.is_empty()).then(|| Instant::now() + RETRY_PAUSE);
    }
}

fn is_done(job: &Job) -> bool {
    let partition = job.replica.partition();
    match job.replica.work_off(job) {
        Ok(()) => true,
        // The node stops; its next start does it from the log.
        Err(StoreError::Index(IndexError::Closed)) => {
            tracing::info!(%partition, "blocks are left to the next start");
            false
        }
        Err(error) => {
            tracing::error!(%partition, %error, "blocks were not written; it is tried again");
            false
        }
    }
}
