//! How a node without an identity becomes part of a cluster.
//!
//! It asks the peers of its configuration who it is. A cluster that knows its disk, or may take it in,
//! answers with an identity. Where nobody has a cluster yet, the first node of the configuration founds
//! one with all the nodes that are there; the others learn it by asking again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Cluster;
use super::message::{self, Hello, HelloAnswer, kind};
use crate::control::{ControlCommand, ControlReply, NodeState, TopologyCommand};
use crate::fs::Fs;
use crate::identity::{Identity, Member};
use crate::store::StoreError;
use crate::transport::{Call, CallError, Transport};

const ASK_DEADLINE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(200);
/// How long the founder waits for all nodes of the configuration; then a majority will do, and the
/// others join when they come.
const FOUND_WITH_ALL_WITHIN: Duration = Duration::from_secs(20);
/// How often a node that waits for others says so.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What the configuration says about a new node.
#[derive(Clone, Debug)]
pub struct FoundingOptions {
    pub directory: PathBuf,
    /// The nodes of the configuration in its order, this one included; node ids are 0.
    pub listed: Vec<Member>,
    /// This node, with its disk id.
    pub me: Member,
    pub partitions: u16,
    pub replicas: u16,
    /// Of the cluster, should this node found it.
    pub new_cluster_id: String,
}

/// Why a node does not become a member.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    #[error("{peer} refuses this node: {reason}")]
    Refused { peer: String, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A node without an identity, as it answers others of its kind.
#[derive(Clone, Debug)]
pub struct Newcomer {
    me: Member,
    /// Set once this node has founded a cluster and not yet opened it.
    founded: Arc<Mutex<Option<Identity>>>,
}

impl Newcomer {
    pub fn new(me: Member) -> Newcomer {
        Newcomer { me, founded: Arc::default() }
    }

    pub(super) fn hear_hello(&self, hello: &Hello) -> HelloAnswer {
        let founded = self.founded.lock();
        match founded.as_ref().and_then(|identity| welcome(identity, &hello.member.disk_id)) {
            Some(identity) => HelloAnswer::Welcome { identity },
            None => HelloAnswer::AlsoNew { member: self.me.clone() },
        }
    }
}

/// The identity of a founder with this disk.
fn welcome(identity: &Identity, disk_id: &str) -> Option<Identity> {
    let member = identity.founders.iter().find(|member| member.disk_id == disk_id)?;
    Some(Identity { node_id: member.node_id, disk_id: member.disk_id.clone(), ..identity.clone() })
}

/// Finds out what this node is and makes that durable; waits for its peers as long as it takes.
pub async fn become_member(
    fs: &dyn Fs,
    transport: &Transport,
    newcomer: &Newcomer,
    options: &FoundingOptions,
) -> Result<Identity, FoundingError> {
    let started = Instant::now();
    let mut last_said = started;
    loop {
        let round = ask_all(transport, options).await?;
        let identity = match round {
            Round::Welcome(identity) => Some(identity),
            Round::Newcomers(members) => {
                may_found(options, &members, started.elapsed()).then(|| found(options, members))
            }
        };
        if let Some(identity) = identity {
            identity.write(fs, &options.directory)?;
            *newcomer.founded.lock() = Some(identity.clone());
            return Ok(identity);
        }
        if last_said.elapsed() > SAY_EVERY {
            last_said = Instant::now();
            let others = options.listed.iter().filter(|member| member.name != options.me.name);
            let addresses: Vec<&str> = others.map(|member| member.peer.as_str()).collect();
            tracing::info!(peers = addresses.join(", "), "waiting for the other nodes of the configuration");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Round {
    Welcome(Identity),
    /// Nodes without a cluster that answered, this one among them.
    Newcomers(Vec<Member>),
}

async fn ask_all(transport: &Transport, options: &FoundingOptions) -> Result<Round, FoundingError> {
    let hello = Hello { member: options.me.clone() };
    let mut newcomers = vec![options.me.clone()];
    for peer in options.listed.iter().filter(|member| member.name != options.me.name) {
        match ask(transport, &peer.peer, &hello).await {
            Ok(HelloAnswer::Welcome { identity }) => return Ok(Round::Welcome(identity)),
            Ok(HelloAnswer::AlsoNew { member }) => newcomers.push(member),
            Ok(HelloAnswer::Refused { reason }) => {
                return Err(FoundingError::Refused { peer: peer.name.clone(), reason });
            }
            Ok(HelloAnswer::Later { reason }) => tracing::debug!(peer = peer.name, reason, "not yet"),
            Err(CallError::Refused { reason, .. }) => {
                tracing::warn!(peer = peer.name, reason, "a peer does not speak with this node");
            }
            Err(error) => tracing::debug!(peer = peer.name, %error, "a peer does not answer"),
        }
    }
    Ok(Round::Newcomers(newcomers))
}

async fn ask(transport: &Transport, address: &str, hello: &Hello) -> Result<HelloAnswer, CallError> {
    let payload = message::encode(hello).map_err(|error| CallError::Failed(error.to_string()))?;
    let call = Call { kind: kind::HELLO, group: 0, payload };
    let (_, answer) = transport.call_address(address, call, ASK_DEADLINE).await?;
    message::decode(&answer).map_err(|error| CallError::Failed(error.to_string()))
}

/// Only the first node of the configuration founds, and never alone where others are named: a node
/// whose disk was wiped must not start a second cluster beside its own.
fn may_found(options: &FoundingOptions, newcomers: &[Member], waited: Duration) -> bool {
    let is_first = options.listed.first().is_some_and(|first| first.name == options.me.name);
    let (all, here) = (options.listed.len(), newcomers.len());
    is_first && (here == all || (here * 2 > all && waited > FOUND_WITH_ALL_WITHIN))
}

fn found(options: &FoundingOptions, newcomers: Vec<Member>) -> Identity {
    let number = |member: Member| {
        let place = options.listed.iter().position(|listed| listed.name == member.name);
        Member { node_id: place.map_or(0, |place| place as u64 + 1), ..member }
    };
    let mut founders: Vec<Member> = newcomers.into_iter().map(number).collect();
    founders.sort_by_key(|member| member.node_id);
    founders.retain(|member| member.node_id > 0);
    let names: Vec<&str> = founders.iter().map(|member| member.name.as_str()).collect();
    tracing::info!(cluster = options.new_cluster_id, nodes = names.join(", "), "founding a cluster");
    Identity {
        cluster_id: options.new_cluster_id.clone(),
        node_id: founders.iter().find(|member| member.name == options.me.name).map_or(1, |me| me.node_id),
        disk_id: options.me.disk_id.clone(),
        partitions: options.partitions,
        replicas: options.replicas,
        founders,
    }
}

impl Cluster {
    /// Answers a node that has no identity.
    pub(super) async fn hear_hello(&self, hello: Hello) -> HelloAnswer {
        let member = hello.member;
        let state = self.topology(|topology| topology.by_disk(&member.disk_id).map(|known| known.state));
        let is_founder = welcome(&self.store.identity, &member.disk_id);
        // Before the founders are written down, the identity is all there is to know them by.
        if let Some(identity) = is_founder.filter(|_| state != Some(NodeState::Removed)) {
            return HelloAnswer::Welcome { identity };
        }
        // Numbers are given after the founders' own: until those are written down, nobody can have one.
        if self.topology(|topology| topology.nodes.is_empty()) {
            return HelloAnswer::Later { reason: "the cluster is being founded".into() };
        }
        let name = member.name.clone();
        let join = ControlCommand::Topology(TopologyCommand::Join { member: member.clone() });
        match self.propose_control(join).await {
            Ok(ControlReply::Node(node_id)) => {
                self.connect_peers();
                HelloAnswer::Welcome {
                    identity: Identity {
                        node_id,
                        disk_id: member.disk_id,
                        founders: Vec::new(),
                        ..self.store.identity.clone()
                    },
                }
            }
            Ok(ControlReply::Conflict) => HelloAnswer::Refused {
                reason: format!(
                    "node {name} is known with another disk. If its disk was wiped or replaced, take the old node \
                     out first (insighthub cluster remove {name} --force), then start it again: it comes \
                     back as a new node. If this node was removed before, wipe its data directory"
                ),
            },
            Ok(reply) => {
                HelloAnswer::Refused { reason: format!("the cluster takes in no more nodes ({reply:?})") }
            }
            Err(failure) => HelloAnswer::Later { reason: failure.to_string() },
        }
    }
}
