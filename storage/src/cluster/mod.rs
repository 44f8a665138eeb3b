//! A node among its peers: who leads what, what is asked of whom, how answers are gathered.
//!
//! `founding` makes a node a member; `service` answers peers; `reading` makes sure that a replica holds all
//! that was acknowledged; `scatter` asks every partition; `proposing` brings a command to its leader;
//! `placement` plans and `membership` moves replicas; `upkeep` has blocks merged and what is old or deleted dropped.

mod catching_up;
mod copying;
mod deleting;
mod exploring;
mod following;
pub mod founding;
mod gathering;
mod letter_counts;
pub mod membership;
pub mod message;
pub mod placement;
mod proposing;
mod questions;
mod reading;
mod scatter;
mod scrub;
mod service;
mod succession;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use insighthub_model::PartitionId;
use insighthub_model::detection::DetectionSettings;
use parking_lot::Mutex;

use crate::Store;
use crate::control::Topology;
use crate::durations::Durations;
use crate::identity::Member;
use crate::query::pipeline::GROUP_BYTES_MAX;
use crate::raft::NodeId;
use crate::store::group_of;
use crate::transport::{Call, Lane, Transport};
use crate::wal::GroupId;
use message::{AppendFailure, ChunkMessage, Failure, Request, Response, kind};

pub use exploring::{ExploreQuestion, Explored};
pub use gathering::{GatherQuestion, QueryAnswer, QueryTimes};
pub use letter_counts::{LetterCounts, LetterCountsQuestion, LettersOfReason, RefusedFor};
pub use questions::{MinutesQuestion, NotesQuestion, SearchAnswer, SearchQuestion};
pub use scatter::{Coverage, Gathered, Question, Refusal};
pub use scrub::{ScrubCounters, ScrubOptions};
pub use service::PeerService;
pub use upkeep::{Upkeep, UpkeepOptions};

use crate::command::ChunkOutcome;

/// Takes chunks that a peer forwarded to the partitions this node leads.
pub trait AppendHandler: Send + Sync + std::fmt::Debug {
    /// One outcome per chunk, in order.
    fn append(
        &self,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        deadline: Duration,
    ) -> BoxFuture<'static, Vec<Result<ChunkOutcome, AppendFailure>>>;
}

/// What work for others and one query may cost on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterLimits {
    /// Bytes a second that replicas moving here may take.
    pub transfer_bytes_per_sec: u64,
    /// Stored bytes of the columns that a query reads here.
    pub query_scanned_bytes_max: u64,
    /// Memory of a query's groups here.
    pub query_group_bytes_max: usize,
}

impl Default for ClusterLimits {
    /// A day of logs of a busy service may be read whole; groups stay what one person can look at.
    fn default() -> Self {
        ClusterLimits {
            transfer_bytes_per_sec: 64 << 20,
            query_scanned_bytes_max: 64 << 30,
            query_group_bytes_max: GROUP_BYTES_MAX,
        }
    }
}

/// This node and its peers.
#[derive(Debug)]
pub struct Cluster {
    pub store: Arc<Store>,
    pub transport: Transport,
    appends: OnceLock<Arc<dyn AppendHandler>>,
    /// Who was last heard to lead the partitions that are not here.
    leaders_elsewhere: Mutex<BTreeMap<PartitionId, NodeId>>,
    limits: ClusterLimits,
    pub scrub: Arc<ScrubCounters>,
    /// From the proposal of records to their apply, of the partitions that this node leads.
    pub commits: Durations,
    /// Where this node's configuration says that others are. It knows the way from here; what they say
    /// of themselves is for everybody else.
    listed: Vec<Member>,
}

impl Cluster {
    pub fn new(
        store: Arc<Store>,
        transport: Transport,
        limits: ClusterLimits,
        listed: Vec<Member>,
    ) -> Arc<Cluster> {
        let scrub = ScrubCounters::since_start(&store.partitions());
        let cluster = Cluster {
            store,
            transport,
            appends: OnceLock::new(),
            leaders_elsewhere: Mutex::default(),
            limits,
            scrub,
            commits: Durations::default(),
            listed,
        };
        cluster.connect_peers();
        Arc::new(cluster)
    }

    /// Who takes forwarded chunks; until then they are refused as if the node were starting.
    pub fn set_append_handler(&self, handler: Arc<dyn AppendHandler>) {
        if self.appends.set(handler).is_err() {
            tracing::debug!("forwarded chunks already have a taker");
        }
    }

    pub fn me(&self) -> NodeId {
        self.store.identity.node_id
    }

    /// Every node that is there, by id: as the control group says, or, before it has said anything, as the
    /// cluster was founded.
    pub fn members(&self) -> BTreeMap<NodeId, Member> {
        let known: BTreeMap<NodeId, Member> = self.topology(|topology| {
            topology.present().map(|entry| (entry.member.node_id, entry.member.clone())).collect()
        });
        let mut members = if known.is_empty() {
            let founders = self.store.identity.founders.iter();
            founders.map(|member| (member.node_id, member.clone())).collect()
        } else {
            known
        };
        for listed in &self.listed {
            if let Some(member) = members.values_mut().find(|member| member.name == listed.name) {
                (member.peer, member.control) = (listed.peer.clone(), listed.control.clone());
            }
        }
        members
    }

    pub fn topology<T>(&self, read: impl FnOnce(&Topology) -> T) -> T {
        self.store.control.replica.read(|state| read(&state.topology))
    }

    /// What detectors are to be told, as far as this node has heard.
    pub fn detection_settings(&self) -> Arc<DetectionSettings> {
        self.store.control.replica.read(|state| Arc::clone(&state.detection))
    }

    /// Tells the transport where the peers are.
    pub fn connect_peers(&self) {
        let me = self.me();
        let peers = self.members().into_iter().filter(|(node, _)| *node != me);
        self.transport.set_peers(peers.map(|(node, member)| (node, member.peer)).collect());
    }

    /// Who leads a partition, as far as this node knows.
    pub fn leader_of(&self, partition: PartitionId) -> Option<NodeId> {
        match self.store.partition(partition) {
            Some(hosted) => hosted.group.leadership().leader,
            None => self.leaders_elsewhere.lock().get(&partition).copied(),
        }
    }

    fn leader_of_group(&self, group: GroupId) -> Option<NodeId> {
        match crate::store::partition_of_group(group) {
            Some(partition) => self.leader_of(partition),
            None => self.store.control.group.leadership().leader,
        }
    }

    /// Takes note of who leads a partition that is not here; `None`: whoever was thought to does not.
    fn heard_leader(&self, partition: PartitionId, leader: Option<NodeId>) {
        let mut leaders = self.leaders_elsewhere.lock();
        match leader {
            Some(leader) => leaders.insert(partition, leader),
            None => leaders.remove(&partition),
        };
    }

    /// Nodes that may answer for a partition that is not here, the likeliest leader first.
    fn holders_of(&self, partition: PartitionId) -> Vec<NodeId> {
        let mut holders =
            self.topology(|topology| topology.placement.get(&partition).cloned().unwrap_or_default());
        let leader = self.leader_of(partition);
        holders.sort_by_key(|node| Some(*node) != leader);
        holders.retain(|node| *node != self.me());
        holders
    }

    /// Asks a peer.
    async fn ask(
        &self,
        node: NodeId,
        group: GroupId,
        request: &Request,
        deadline: Duration,
    ) -> Result<Response, Failure> {
        let payload = message::encode(request).map_err(|error| Failure::Invalid(error.to_string()))?;
        let lane = match request {
            Request::ReadIndex { .. } | Request::Elect { .. } | Request::StepDown { .. } => Lane::Urgent,
            Request::ReadBlock { .. } => Lane::Bulk,
            _ => Lane::Request,
        };
        let call = Call { kind: kind::REQUEST, group: group.0, payload };
        let answer = self.transport.call(node, lane, call, deadline).await.map_err(|error| {
            match error.was_certainly_not_delivered() {
                true => Failure::Unavailable(error.to_string()),
                false => Failure::Unknown(error.to_string()),
            }
        })?;
        match message::decode(&answer).map_err(|error| Failure::Unknown(error.to_string()))? {
            Response::Failed(failure) => Err(failure),
            response => Ok(response),
        }
    }

    /// Sends chunks of one request to the leader of their partition, once.
    pub async fn forward(
        &self,
        leader: NodeId,
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
        deadline: Duration,
    ) -> Result<Vec<Result<ChunkOutcome, AppendFailure>>, Failure> {
        let count = chunks.len();
        let request = Request::Append { partition, chunks };
        match self.ask(leader, group_of(partition), &request, deadline).await? {
            Response::Append(outcomes) if outcomes.len() == count => Ok(outcomes),
            _ => Err(Failure::Unknown("the leader gave an answer of another kind".into())),
        }
    }

    /// The node to send a partition's chunks to when nobody is known to lead it: any that would know.
    pub fn guess_leader(&self, partition: PartitionId, attempt: usize) -> Option<NodeId> {
        let holders = self.holders_of(partition);
        holders.get(attempt % holders.len().max(1)).copied()
    }

    /// What a peer said about a partition's leader when it refused.
    pub fn learn_leader(&self, partition: PartitionId, leader: Option<NodeId>) {
        if self.store.partition(partition).is_none() {
            self.heard_leader(partition, leader);
        }
    }
}
