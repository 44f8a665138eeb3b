//! What is asked of single partitions, here or at a peer: where a live tail starts and what follows, dead
//! letters.

use std::collections::BTreeMap;
use std::time::Duration;

use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{Offset, PartitionId, Record};
use tokio::time::Instant;

use super::Cluster;
use super::message::{Failure, Request, Response};
use crate::query::Conditions;
use crate::store::group_of;

/// Above what a peer waits for records.
const SLACK: Duration = Duration::from_secs(2);
const ASK_DEADLINE: Duration = Duration::from_secs(2);

impl Cluster {
    /// Matching records of a partition from an offset on, from a peer that has a replica, and the offset after
    /// everything looked at. Waits up to `wait` for the first.
    pub async fn records_after(
        &self,
        partition: PartitionId,
        conditions: &Conditions,
        from: Offset,
        limit: usize,
        wait: Duration,
    ) -> Result<(Vec<Record>, Offset), Failure> {
        let mut failure = Failure::NotHosted(partition);
        for node in self.holders_of(partition) {
            let request = Request::After {
                partition,
                conditions: conditions.clone(),
                from,
                limit: limit as u32,
                wait_ms: wait.as_millis() as u32,
            };
            match self.ask(node, group_of(partition), &request, wait + SLACK).await {
                Ok(Response::After { records, next }) => {
                    return Ok((records.into_iter().map(Record::from).collect(), next));
                }
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Where a follower is in every partition: where it was, or at the end of those it does not name.
    pub async fn positions(&self, asked: BTreeMap<PartitionId, Offset>) -> BTreeMap<PartitionId, Offset> {
        let mut positions = BTreeMap::new();
        for partition in self.store.all_partitions() {
            let asked = asked.get(&partition).copied();
            let position = match self.store.partition(partition) {
                Some(replica) => {
                    let end = || replica.replica.status().next_offset;
                    // Ahead of this replica: it lags behind the node the follower came from, or the
                    // cursor is another cluster's; then it starts at the end. Without a leader to ask it
                    // is taken at its word: to start again before it would show records twice.
                    let is_ahead = asked.is_some_and(|asked| asked > end());
                    let confirm_by = Instant::now() + ASK_DEADLINE;
                    let is_unknown = is_ahead
                        && !self.catch_up(std::slice::from_ref(&replica), confirm_by).await.is_empty();
                    match asked {
                        Some(asked) if is_unknown => asked,
                        Some(asked) => asked.min(end()),
                        None => end(),
                    }
                }
                None => {
                    let end = if asked.is_none() { self.end_elsewhere(partition).await } else { None };
                    asked.or(end).unwrap_or(0)
                }
            };
            positions.insert(partition, position);
        }
        positions
    }

    /// Unresolved dead letters of a partition with numbers below `before`, newest first, as of now.
    pub async fn dead_letters(
        &self,
        partition: PartitionId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<(u64, DeadLetter)>, Failure> {
        let is_here = self.store.partition(partition).is_some();
        let mut failure = if is_here { Failure::damaged(partition) } else { Failure::NotHosted(partition) };
        // The index of a replica that lacks a block lacks its dead letters too, and does not know it.
        if let Some(replica) = self.usable(partition) {
            let confirm_by = Instant::now() + ASK_DEADLINE;
            self.catch_up(std::slice::from_ref(&replica), confirm_by).await;
            let reading =
                crate::simulation::spawn_blocking(move || replica.replica.dead_letters(before, limit)).await;
            match reading.map_err(|error| Failure::Unavailable(error.to_string()))? {
                Ok(letters) => return Ok(letters),
                Err(error) => failure = Failure::Unavailable(error.to_string()),
            }
        }
        for node in self.holders_of(partition) {
            let request = Request::DeadLetters { partition, before, limit: limit as u32 };
            match self.ask(node, group_of(partition), &request, ASK_DEADLINE * 2).await {
                Ok(Response::DeadLetters(letters)) => return Ok(letters),
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn end_elsewhere(&self, partition: PartitionId) -> Option<Offset> {
        for node in self.holders_of(partition) {
            let request = Request::Ends { partitions: vec![partition] };
            if let Ok(Response::Ends(ends)) =
                self.ask(node, group_of(partition), &request, ASK_DEADLINE).await
            {
                return ends.first().map(|(_, end)| *end);
            }
        }
        None
    }
}
