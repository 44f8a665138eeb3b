//! What this node answers to its peers.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use insighthub_model::{PartitionId, Record};
use parking_lot::RwLock;
use tokio::time::Instant;

use super::catching_up;
use super::founding::Newcomer;
use super::gathering::GatherQuestion;
use super::message::{self, AppendFailure, Failure, Hello, Request, Response, kind};
use super::scatter::{Question, Refusal};
use super::{
    Cluster, ExploreQuestion, LetterCountsQuestion, MinutesQuestion, NotesQuestion, SearchQuestion, reading,
};
use crate::command::Payload;
use crate::control::NodeState;
use crate::query::{Cursor, Filter, Page, after_offset};
use crate::raft::network::kind as raft_kind;
use crate::raft::{NodeId, pre_vote, service};
use crate::store::partition_of_group;
use crate::transport::{Call, Handler, PeerIdentity};
use crate::wal::GroupId;

/// Bytes of a block in one answer.
pub(super) const BLOCK_PIECE_BYTES_MAX: u32 = 1 << 20;
/// A peer waits this long for records that follow, then asks again.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Answers peers: first as a newcomer, then, once there is a store, as a member.
#[derive(Debug)]
pub struct PeerService {
    newcomer: RwLock<Option<Newcomer>>,
    cluster: OnceLock<Arc<Cluster>>,
}

impl PeerService {
    /// Answers as `newcomer` until the node is a member.
    pub fn new(newcomer: Newcomer) -> Arc<PeerService> {
        Arc::new(PeerService { newcomer: RwLock::new(Some(newcomer)), cluster: OnceLock::new() })
    }

    /// From now on this node answers as a member.
    pub fn set_cluster(&self, cluster: Arc<Cluster>) {
        *self.newcomer.write() = None;
        if self.cluster.set(cluster).is_err() {
            tracing::debug!("the node was a member before");
        }
    }
}

impl Handler for PeerService {
    fn admits(&self, peer: &PeerIdentity) -> Result<(), String> {
        let (Some(cluster), Some(node_id)) = (self.cluster.get(), peer.node_id) else { return Ok(()) };
        cluster.topology(|topology| match topology.nodes.get(&node_id) {
            Some(entry) if entry.state == NodeState::Removed => {
                Err(format!("node {} (id {node_id}) was removed from this cluster", entry.member.name))
            }
            _ => Ok(()),
        })
    }

    fn handle(
        &self,
        peer: &PeerIdentity,
        call: Call,
        deadline: Duration,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        if call.kind == kind::HELLO {
            return self.hello(call.payload);
        }
        let (from, cluster_id) = (peer.node_id, peer.cluster_id.clone());
        let cluster = self.cluster.get().cloned();
        Box::pin(async move {
            let cluster = cluster.ok_or("this node is starting")?;
            // A visitor says hello and nothing else: it may be a node of another cluster, with a number there.
            let is_ours = cluster_id.as_ref() == Some(&cluster.store.identity.cluster_id);
            let from = from.filter(|_| is_ours).ok_or("only members may ask this")?;
            cluster.answer_call(from, call, deadline).await
        })
    }
}

impl PeerService {
    fn hello(&self, payload: Bytes) -> BoxFuture<'static, Result<Bytes, String>> {
        let newcomer = self.newcomer.read().clone();
        let cluster = self.cluster.get().cloned();
        Box::pin(async move {
            let hello: Hello = message::decode(&payload).map_err(|error| error.to_string())?;
            let answer = match (cluster, newcomer) {
                (Some(cluster), _) => cluster.hear_hello(hello).await,
                (None, Some(newcomer)) => newcomer.hear_hello(&hello),
                (None, None) => return Err("this node is starting".to_owned()),
            };
            message::encode(&answer).map_err(|error| error.to_string())
        })
    }
}

impl Cluster {
    async fn answer_call(
        self: Arc<Self>,
        from: NodeId,
        call: Call,
        deadline: Duration,
    ) -> Result<Bytes, String> {
        let Call { kind: what, group, payload } = call;
        let group = GroupId(group);
        if what == kind::REQUEST {
            let request = message::decode(&payload).map_err(|error| error.to_string())?;
            let response = self.answer_request(request, Instant::now() + deadline).await;
            let response = response.unwrap_or_else(Response::Failed);
            return message::encode(&response).map_err(|error| error.to_string());
        }
        let replica = self.group(group).ok_or_else(|| format!("group {group} has no replica here"))?;
        let answer = match what {
            raft_kind::SNAPSHOT => {
                let message = service::snapshot_message(&payload).map_err(|error| error.to_string())?;
                catching_up::fetch_blocks(&self, from, group, &message).await?;
                service::install(replica.raft(), message).await
            }
            raft_kind::PRE_VOTE => pre_vote::answer(&replica, group, self.store.wal(), &payload).await,
            other => match service::answer(&replica, other, payload).await {
                Some(answer) => answer,
                None => return Err(format!("call {other} is not known to this version")),
            },
        };
        answer.map_err(|error| error.to_string())
    }

    async fn answer_request(
        self: &Arc<Self>,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        match request {
            Request::ReadIndex { groups } => {
                Ok(Response::ReadIndex(self.read_indices(groups, deadline).await))
            }
            Request::Propose { group, command } => {
                let here = self.group(GroupId(group)).ok_or(Failure::NotLeader { leader: None })?;
                let (applied, index) = here.propose_payload(Payload::from_bytes(command)).await?;
                Ok(Response::Propose { applied, index })
            }
            Request::Append { partition, chunks } => {
                let within = deadline.saturating_duration_since(Instant::now());
                let outcomes = match self.appends.get() {
                    Some(handler) => handler.append(partition, chunks, within).await,
                    None => {
                        let starting = Failure::Unavailable("the node is starting".into());
                        chunks.iter().map(|_| Err(AppendFailure::Failure(starting.clone()))).collect()
                    }
                };
                Ok(Response::Append(outcomes))
            }
            Request::Search { partitions, conditions, limit, after, deadline_ms } => {
                let after = after.map(|(timestamp, log_id)| Cursor { timestamp, log_id });
                let page = Page { limit: limit as usize, after };
                self.answer_question(SearchQuestion { conditions, page }, partitions, deadline_ms).await
            }
            Request::Gather { partitions, conditions, gathering, deadline_ms } => {
                self.answer_question(GatherQuestion { conditions, gathering }, partitions, deadline_ms).await
            }
            Request::Explore { partitions, conditions, wanted, deadline_ms } => {
                self.answer_question(ExploreQuestion { conditions, wanted }, partitions, deadline_ms).await
            }
            Request::Minutes { partitions, service, from_minute, to_minute, deadline_ms } => {
                let question = MinutesQuestion { service, from_minute, to_minute };
                self.answer_question(question, partitions, deadline_ms).await
            }
            Request::Notes { partitions, filter, deadline_ms } => {
                self.answer_question(NotesQuestion(filter), partitions, deadline_ms).await
            }
            Request::CountLetters { partitions, from, to, deadline_ms } => {
                self.answer_question(LetterCountsQuestion { from, to }, partitions, deadline_ms).await
            }
            other => self.answer_about_replica(other, deadline).await,
        }
    }

    /// Requests that concern one replica.
    async fn answer_about_replica(
        self: &Arc<Self>,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        match request {
            Request::After { partition, conditions, from, limit, wait_ms } => {
                let wait = Duration::from_millis(u64::from(wait_ms)).min(WAIT_MAX);
                let replica = self.hosted(partition)?;
                let filter = Filter::new(&conditions).map_err(|error| Failure::Invalid(error.to_string()))?;
                let until = deadline.min(Instant::now() + wait);
                let (records, next) = records_after(replica, filter, from, limit as usize, until).await?;
                Ok(Response::After { records: records.into_iter().map(Into::into).collect(), next })
            }
            Request::DeadLetters { partition, before, limit } => {
                let replica = self.whole(partition)?;
                self.catch_up(std::slice::from_ref(&replica), deadline).await;
                let replica = replica.replica;
                let reading =
                    crate::simulation::spawn_blocking(move || replica.dead_letters(before, limit as usize));
                let letters = reading.await.map_err(|error| Failure::Unknown(error.to_string()))?;
                Ok(Response::DeadLetters(letters.map_err(|error| Failure::Unavailable(error.to_string()))?))
            }
            Request::Ends { partitions } => {
                let ends = partitions.into_iter().filter_map(|partition| {
                    Some((partition, self.store.partition(partition)?.replica.status().next_offset))
                });
                Ok(Response::Ends(ends.collect()))
            }
            Request::ReadBlock { partition, file_name, offset, bytes } => {
                let replica = self.hosted(partition)?.replica;
                let reading = crate::simulation::spawn_blocking(move || {
                    replica.read_block_file(&file_name, offset, bytes.min(BLOCK_PIECE_BYTES_MAX))
                });
                let piece = reading.await.map_err(|error| Failure::Unknown(error.to_string()))?;
                Ok(Response::Block(piece.map_err(|error| Failure::Unavailable(error.to_string()))?))
            }
            Request::CopyPartition { partition } => {
                Ok(Response::Copy(self.copy_here(self.whole(partition)?, deadline).await?))
            }
            Request::Checksums { partition } => {
                Ok(Response::Checksums(self.hosted(partition)?.replica.checksums()))
            }
            Request::Snapshot { partition } => {
                Ok(Response::Snapshot(self.hosted(partition)?.replica.durable_snapshot().map(Box::new)))
            }
            Request::Deletion { partition, id } => {
                Ok(Response::Deletion(self.hosted(partition)?.replica.deletion(id)))
            }
            Request::Elect { group } => {
                let here = self.group(GroupId(group)).ok_or(Failure::NotLeader { leader: None })?;
                here.elect().await?;
                Ok(Response::Done)
            }
            Request::StepDown { group, to } => {
                self.hand_over(GroupId(group), to).await?;
                Ok(Response::Done)
            }
            _ => Err(Failure::Invalid("the request is not known to this version".into())),
        }
    }

    fn hosted(&self, partition: PartitionId) -> Result<crate::group::PartitionGroup, Failure> {
        self.store.partition(partition).ok_or(Failure::NotHosted(partition))
    }

    /// A replica that knows of no damage: what it answers from blocks and index is all there is.
    pub(super) fn whole(&self, partition: PartitionId) -> Result<crate::group::PartitionGroup, Failure> {
        let replica = self.hosted(partition)?;
        if replica.replica.is_whole() { Ok(replica) } else { Err(Failure::damaged(partition)) }
    }

    async fn read_indices(&self, groups: Vec<u16>, deadline: Instant) -> Vec<Result<Option<u64>, Failure>> {
        let within = deadline.saturating_duration_since(Instant::now());
        join_all(groups.into_iter().map(|group| async move {
            let group = GroupId(group);
            let not_here =
                partition_of_group(group).map_or(Failure::NotLeader { leader: None }, Failure::NotHosted);
            reading::read_index(&self.group(group).ok_or(not_here)?, within).await
        }))
        .await
    }

    async fn answer_question<Q: Question>(
        &self,
        question: Q,
        partitions: Vec<PartitionId>,
        deadline_ms: u32,
    ) -> Result<Response, Failure> {
        let replicas = partitions.iter().map(|partition| self.whole(*partition));
        let replicas = replicas.collect::<Result<Vec<_>, _>>()?;
        let deadline = Instant::now() + Duration::from_millis(u64::from(deadline_ms));
        match self.answer_here(&question, replicas, deadline).await {
            Ok(Some((part, stale))) => Ok(Q::response(part, stale)),
            Ok(None) => Err(Failure::Invalid("no partition was asked for".into())),
            Err(Refusal::Damaged(reason) | Refusal::Internal(reason)) => Err(Failure::Unavailable(reason)),
            Err(Refusal::Invalid(reason) | Refusal::OverBudget(reason)) => Err(Failure::Invalid(reason)),
        }
    }
}

/// Matching records from an offset on and the offset after everything looked at; waits for the first.
async fn records_after(
    replica: crate::group::PartitionGroup,
    filter: Filter,
    from: u64,
    limit: usize,
    until: Instant,
) -> Result<(Vec<Record>, u64), Failure> {
    let index = replica.group.status().applied_index;
    if replica.replica.status().next_offset <= from {
        replica.group.wait_applied(Some(index.map_or(0, |index| index + 1)), until).await;
    }
    let reading = crate::simulation::spawn_blocking(move || {
        let end = replica.replica.status().next_offset;
        let partition = replica.replica.partition();
        let view = replica.replica.view_from(from).ok_or_else(|| Failure::damaged(partition))?;
        let sources: Vec<_> = view.sources().collect();
        let records = after_offset(&sources, &filter, from, limit);
        let records = records.map_err(|error| Failure::Unavailable(error.to_string()))?;
        let next = match records.last() {
            Some(last) if records.len() >= limit => last.log_id.offset + 1,
            // The view is newer than `end` and may hold more.
            Some(last) => end.max(last.log_id.offset + 1),
            None => end.max(from),
        };
        Ok((records, next))
    });
    reading.await.map_err(|error| Failure::Unknown(error.to_string()))?
}
