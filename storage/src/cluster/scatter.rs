//! One question to every partition: here where a replica is, at a peer where not, and at another replica
//! when one fails or is damaged. Says of each answer how complete it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::message::{Failure, Request, Response};
use super::{Cluster, ClusterLimits};
use crate::group::PartitionGroup;
use crate::query::{Budget, Stop};
use crate::raft::NodeId;
use crate::store::group_of;

/// A reader waits this long for a leader to confirm that a replica is up to date; an election takes less.
/// Then it is answered all the same, and told so.
pub(super) const CONFIRM_WITHIN: Duration = Duration::from_secs(3);

/// Something that can be asked of any set of partitions and put together from parts.
pub trait Question: Clone + Send + Sync + 'static {
    type Part: Send + 'static;

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request;

    /// The part of an answer, and the partitions that could not confirm that they are up to date.
    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)>;

    fn response(part: Self::Part, stale: Vec<PartitionId>) -> Response;

    /// Answers from replicas on this node; blocks the thread.
    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<Self::Part, Refusal>;
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    OverBudget(String),
    /// This replica cannot read what it stores; another may.
    #[error("{0}")]
    Damaged(String),
    #[error("{0}")]
    Internal(String),
}

/// A part, and the partitions of it that could not confirm that they are up to date.
type Answered<T> = (T, Vec<PartitionId>);
/// Parts that came, and the partitions nobody answered for.
type Collected<T> = (Vec<Answered<T>>, BTreeSet<PartitionId>);

/// What an answer rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub partitions: usize,
    /// Those nobody answered for.
    pub missing: BTreeSet<PartitionId>,
    /// Those answered by a replica that could not confirm that it holds everything acknowledged.
    pub stale: BTreeSet<PartitionId>,
}

impl Coverage {
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Parts and what they cover.
#[derive(Debug)]
pub struct Gathered<T> {
    pub parts: Vec<T>,
    pub coverage: Coverage,
}

impl Cluster {
    /// Asks the partitions and gathers what comes until `deadline`.
    pub async fn scatter<Q: Question>(
        &self,
        question: &Q,
        partitions: impl IntoIterator<Item = PartitionId>,
        deadline: Instant,
    ) -> Result<Gathered<Q::Part>, Refusal> {
        let asked: BTreeSet<PartitionId> = partitions.into_iter().collect();
        let mut coverage = Coverage { partitions: asked.len(), ..Coverage::default() };
        let here: Vec<PartitionGroup> =
            asked.iter().filter_map(|partition| self.usable(*partition)).collect();
        let mut elsewhere: BTreeSet<PartitionId> = asked.clone();
        for replica in &here {
            elsewhere.remove(&replica.replica.partition());
        }
        let (mine, theirs) = tokio::join!(
            self.answer_here(question, here.clone(), deadline),
            self.ask_elsewhere(question, elsewhere, deadline)
        );
        let mut parts = Vec::new();
        let mut take = |(answers, missing): Collected<Q::Part>| {
            for (part, stale) in answers {
                parts.push(part);
                coverage.stale.extend(stale);
            }
            coverage.missing.extend(missing);
        };
        take(theirs?);
        match mine {
            Ok(Some(answer)) => take((vec![answer], BTreeSet::new())),
            Ok(None) => {}
            // What is damaged here is whole elsewhere.
            Err(Refusal::Damaged(reason)) => {
                tracing::error!(reason, "a replica here is damaged; its partitions are asked elsewhere");
                self.find_damage(&here);
                let here = here.iter().map(|replica| replica.replica.partition()).collect();
                take(self.ask_elsewhere(question, here, deadline).await?);
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(Gathered { parts, coverage })
    }

    /// A replica on this node that can be asked.
    pub(super) fn usable(&self, partition: PartitionId) -> Option<PartitionGroup> {
        let replica = self.store.partition(partition)?;
        let status = replica.group.status();
        // A replica that is still being filled knows less than its peers, and it knows it.
        let may_answer = status.failure.is_none() && status.is_voter && replica.replica.is_whole();
        may_answer.then_some(replica)
    }

    /// A reader met damage: finds the blocks, so that the replica is no longer asked until they are mended.
    fn find_damage(&self, replicas: &[PartitionGroup]) {
        for replica in replicas {
            let (counters, replica) = (Arc::clone(&self.scrub), Arc::clone(&replica.replica));
            crate::simulation::spawn_blocking(move || {
                for meta in replica.blocks_to_scrub() {
                    counters.scrub(&replica, &meta);
                }
            });
        }
    }

    /// Answers from this node's replicas; `None` when there is nothing to answer from.
    pub(super) async fn answer_here<Q: Question>(
        &self,
        question: &Q,
        replicas: Vec<PartitionGroup>,
        deadline: Instant,
    ) -> Result<Option<Answered<Q::Part>>, Refusal> {
        if replicas.is_empty() {
            return Ok(None);
        }
        let confirm_by = deadline.min(Instant::now() + CONFIRM_WITHIN);
        let stale = self.catch_up(&replicas, confirm_by).await;
        let question = question.clone();
        let answer = move |budget: &Budget<'_>| question.answer(&replicas, budget);
        let part = within_budget(self.limits, deadline, answer).await??;
        Ok(Some((part, stale)))
    }

    /// Asks peers, one after another for each partition, until one answers or none is left.
    async fn ask_elsewhere<Q: Question>(
        &self,
        question: &Q,
        partitions: BTreeSet<PartitionId>,
        deadline: Instant,
    ) -> Result<Collected<Q::Part>, Refusal> {
        let mut candidates: BTreeMap<PartitionId, Vec<NodeId>> =
            partitions.iter().map(|partition| (*partition, self.holders_of(*partition))).collect();
        let mut missing = BTreeSet::new();
        let mut answers = Vec::new();
        while !candidates.is_empty() {
            let mut by_node: BTreeMap<NodeId, Vec<PartitionId>> = BTreeMap::new();
            candidates.retain(|partition, nodes| {
                if nodes.is_empty() {
                    missing.insert(*partition);
                    return false;
                }
                by_node.entry(nodes.remove(0)).or_default().push(*partition);
                true
            });
            let within = deadline.saturating_duration_since(Instant::now());
            if within.is_zero() {
                missing.extend(candidates.keys());
                break;
            }
            let deadline_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
            let rounds = by_node.into_iter().map(|(node, partitions)| async move {
                let request = question.request(partitions.clone(), deadline_ms);
                let group = group_of(partitions.first().copied().unwrap_or(PartitionId(0)));
                (partitions, self.ask(node, group, &request, within).await)
            });
            for (partitions, answer) in join_all(rounds).await {
                match answer.map(Q::part) {
                    Ok(Some(answer)) => {
                        answers.push(answer);
                        partitions.iter().for_each(|partition| drop(candidates.remove(partition)));
                    }
                    Err(Failure::Invalid(reason)) => return Err(Refusal::OverBudget(reason)),
                    Ok(None) | Err(_) => {}
                }
            }
        }
        Ok((answers, missing))
    }
}

/// Does the work on a thread that may block, within the budget of one query. It is told to stop when time is over, or
/// when nobody waits for it any more: whoever asked is gone and this future with them.
async fn within_budget<T: Send + 'static>(
    limits: ClusterLimits,
    deadline: Instant,
    work: impl FnOnce(&Budget<'_>) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(Arc::clone(&cancelled));
    let working = crate::simulation::spawn_blocking(move || {
        let stop = || match () {
            () if cancelled.load(Ordering::Relaxed) => Some(Stop::Cancelled),
            () if Instant::now() > deadline => Some(Stop::OutOfTime),
            () => None,
        };
        let started = std::time::Instant::now();
        let nanos = || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        work(&Budget {
            scanned_records_max: u64::MAX,
            scanned_bytes_max: limits.query_scanned_bytes_max,
            group_bytes_max: limits.query_group_bytes_max,
            stop: &stop,
            nanos: &nanos,
        })
    });
    working.await.map_err(|error| Refusal::Internal(error.to_string()))
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks whether it must stop until it must, and says why.
    fn until_stopped(budget: &Budget<'_>) -> Stop {
        loop {
            match (budget.stop)() {
                Some(stop) => return stop,
                None => std::thread::yield_now(),
            }
        }
    }

    #[tokio::test]
    async fn a_query_nobody_waits_for_stops() {
        let (said, hear) = tokio::sync::oneshot::channel();
        let deadline = Instant::now() + Duration::from_secs(60);
        let work = |budget: &Budget<'_>| said.send(until_stopped(budget));
        let query = within_budget(ClusterLimits::default(), deadline, work);
        // Begun, then given up, as when a client hangs up.
        assert!(tokio::time::timeout(Duration::from_millis(1), query).await.is_err());
        let stopped = tokio::time::timeout(Duration::from_secs(30), hear).await;
        assert_eq!(stopped.unwrap().unwrap(), Stop::Cancelled);
    }

    #[tokio::test]
    async fn a_query_stops_when_its_time_is_over() {
        let deadline = Instant::now() + Duration::from_millis(1);
        let stopped = within_budget(ClusterLimits::default(), deadline, until_stopped).await;
        assert_eq!(stopped, Ok(Stop::OutOfTime));
    }
}
