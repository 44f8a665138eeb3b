//! What a node does for clients, in place of its HTTP edge: brings chunks to their leader and answers searches
//! from all partitions, on whatever node is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use insighthub_model::{PartitionId, RecordBatch, Timestamp};
use insighthub_storage::cluster::message::{AppendFailure, ChunkMessage, Failure};
use insighthub_storage::cluster::{AppendHandler, Cluster, Question, SearchQuestion};
use insighthub_storage::command::{ChunkOutcome, EncodedBatch};
use insighthub_storage::control::{ControlCommand, ControlReply, Deed, DeletionEntry};
use insighthub_storage::query::{Budget, Conditions, Page};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::Mutation;
use crate::appends::{Appends, EPOCH_NANOS};
use crate::history::Tracked;

const PAGE_RECORDS: usize = 1_000;
const SEARCH_DEADLINE: Duration = Duration::from_secs(4);

/// What clients ask for. An answer that does not come means that the node has stopped.
pub(crate) enum Ask {
    Append {
        partition: PartitionId,
        chunk: ChunkMessage,
        within: Duration,
        answer: oneshot::Sender<Result<ChunkOutcome, AppendFailure>>,
    },
    Search {
        service: String,
        answer: oneshot::Sender<Option<Found>>,
    },
    /// Every record whose message starts so.
    Delete {
        start: String,
        /// True: they are hidden in every partition.
        answer: oneshot::Sender<bool>,
    },
    Control {
        command: ControlCommand,
        answer: oneshot::Sender<Result<ControlReply, Failure>>,
    },
}

/// An answer to a search.
pub(crate) struct Found {
    pub(crate) records: Vec<Tracked>,
    /// Partitions the answer may be incomplete for, and says so.
    pub(crate) uncertain: BTreeSet<PartitionId>,
}

/// Serves clients until the node stops.
pub(crate) async fn open(
    cluster: Arc<Cluster>,
    appends: Appends,
    mut asked: mpsc::Receiver<Ask>,
    mutation: Mutation,
) {
    while let Some(ask) = asked.recv().await {
        let (cluster, appends) = (Arc::clone(&cluster), appends.clone());
        // A client that has gone away is not told; what it asked for is done all the same.
        tokio::spawn(async move {
            match ask {
                Ask::Append { partition, chunk, within, answer } => {
                    let appended = append(&cluster, &appends, partition, chunk, within, mutation);
                    drop(answer.send(appended.await));
                }
                Ask::Search { service, answer } => {
                    drop(answer.send(search(&cluster, service, mutation).await))
                }
                Ask::Delete { start, answer } => drop(answer.send(delete(&cluster, &start).await)),
                Ask::Control { command, answer } => drop(answer.send(cluster.propose_control(command).await)),
            }
        });
    }
}

async fn append(
    cluster: &Arc<Cluster>,
    appends: &Appends,
    partition: PartitionId,
    mut chunk: ChunkMessage,
    within: Duration,
    mutation: Mutation,
) -> Result<ChunkOutcome, AppendFailure> {
    if mutation == Mutation::DropDedupe {
        // As if nobody remembered what was stored: every attempt is a batch of its own.
        let now = turmoil::sim_elapsed().unwrap_or_default().as_nanos();
        chunk.identity.producer = format!("{}-{now}", chunk.identity.producer);
    }
    if mutation == Mutation::DropKeys {
        chunk.records = without_keys(chunk.records)?;
    }
    let none = || Failure::Unavailable("no leader is known".into());
    let leader =
        cluster.leader_of(partition).or_else(|| cluster.guess_leader(partition, 0)).ok_or_else(none)?;
    let mut outcomes = if leader == cluster.me() {
        appends.append(partition, vec![chunk], within).await
    } else {
        match cluster.forward(leader, partition, vec![chunk], within).await {
            Ok(outcomes) => outcomes,
            Err(failure) => {
                let leader = if let Failure::NotLeader { leader } = failure { leader } else { None };
                cluster.learn_leader(partition, leader);
                return Err(failure.into());
            }
        }
    };
    outcomes.pop().unwrap_or(Err(AppendFailure::Failure(Failure::Unknown("no answer".into()))))
}

fn without_keys(records: Bytes) -> Result<Bytes, Failure> {
    let records = EncodedBatch::from_bytes(records).map_err(|error| Failure::Invalid(error.to_string()))?;
    let batch = RecordBatch { keys: Vec::new(), ..records.batch.as_ref().clone() };
    Ok(EncodedBatch::new(batch).to_bytes())
}

async fn delete(cluster: &Arc<Cluster>, start: &str) -> bool {
    let Ok(filter) = insighthub_model::query::parse_filter(&format!("\"{start}\"")) else { return false };
    let query = insighthub_model::query::Query::of(filter);
    let entry = DeletionEntry {
        user: "a client".into(),
        asked_at: Timestamp(EPOCH_NANOS),
        query: start.to_owned(),
        conditions: Conditions { query, ..Conditions::default() },
        reason: "a test".into(),
        erased: BTreeMap::new(),
    };
    let deed = Deed {
        at: entry.asked_at,
        node: String::new(),
        user: entry.user.clone(),
        action: "logs.delete".into(),
        target: entry.query.clone(),
        detail: String::new(),
    };
    cluster.delete(entry, deed).await.is_ok_and(|(_, late)| late.is_empty())
}

/// All records of a service, page by page.
async fn search(cluster: &Arc<Cluster>, service: String, mutation: Mutation) -> Option<Found> {
    let deadline = Instant::now() + SEARCH_DEADLINE;
    let conditions = Conditions { services: vec![service], ..Conditions::default() };
    let mut question = SearchQuestion { conditions, page: Page { limit: PAGE_RECORDS, after: None } };
    let mut found = Found { records: Vec::new(), uncertain: BTreeSet::new() };
    loop {
        let parts = if mutation == Mutation::ServeBeforeReadIndex {
            vec![question.answer(&cluster.store.partitions(), &Budget::UNBOUNDED).ok()?]
        } else {
            let gathered = cluster.scatter(&question, cluster.store.all_partitions(), deadline).await.ok()?;
            found.uncertain.extend(gathered.coverage.missing.iter().chain(&gathered.coverage.stale));
            gathered.parts
        };
        let answer = insighthub_storage::cluster::SearchAnswer::merge(parts, PAGE_RECORDS);
        let records = answer.records.iter();
        found.records.extend(records.map(|record| (record.log_id.partition, record.message.clone())));
        match answer.next_cursor() {
            Some(cursor) => question.page.after = Some(cursor),
            None => return Some(found),
        }
    }
}
