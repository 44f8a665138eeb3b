//! The thread of a node that turns frozen heads into blocks, one after another.
//!
//! Compression and syncs take tens of milliseconds; done here they hold up neither the apply of the
//! next entries nor any async thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::{PartitionReplica, PartitionSnapshot};
use crate::raft::{Membership, RaftLogId};
use crate::sealed_head::SealedHead;
use crate::simulation;

/// Frozen heads that may wait. The leader proposes no seal while one of its partition waits, so this
/// is only reached while a restart replays; then apply waits for the sealer.
const JOBS_MAX: usize = 1_024;
/// Pause before a failed seal is tried again: a full disk may be emptied.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// One frozen head on its way to disk.
#[derive(Debug)]
pub struct SealJob {
    pub replica: Arc<PartitionReplica>,
    pub head: Arc<SealedHead>,
    /// The partition's state as of the seal, without its blocks.
    pub state: PartitionSnapshot,
    pub log_id: RaftLogId,
    pub membership: Membership,
    /// Of the replica's state; a job of an older one is void.
    pub generation: u64,
}

/// Handle of the sealing thread, which ends when the last handle is gone.
#[derive(Debug)]
pub struct Sealer {
    jobs: Jobs,
}

/// Where jobs wait.
#[derive(Debug)]
enum Jobs {
    Thread(SyncSender<SealJob>),
    /// In a simulation, which has no threads.
    Task(tokio::sync::mpsc::Sender<SealJob>),
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
    pub fn submit(&self, job: SealJob) {
        let is_queued = match &self.jobs {
            Jobs::Thread(jobs) => jobs.send(job).is_ok(),
            Jobs::Task(jobs) => jobs.try_send(job).is_ok(),
        };
        if !is_queued {
            tracing::error!("the sealer has stopped; heads stay in memory and in the log");
        }
    }
}

fn run(jobs: &Receiver<SealJob>) {
    while let Ok(job) = jobs.recv() {
        while !is_sealed(&job) {
            std::thread::sleep(RETRY_PAUSE);
        }
    }
}

async fn run_simulated(mut jobs: tokio::sync::mpsc::Receiver<SealJob>) {
    while let Some(job) = jobs.recv().await {
        tokio::time::sleep(simulation::disk_latency()).await;
        while !is_sealed(&job) {
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// Tries to seal. A seal must not be skipped: the next one's snapshot would not name its block.
fn is_sealed(job: &SealJob) -> bool {
    let sealed = job.replica.finish_seal(job);
    if let Err(error) = &sealed {
        let partition = job.replica.partition();
        tracing::error!(%partition, %error, "sealing failed; the head stays in memory and is tried again");
    }
    sealed.is_ok()
}
