//! A node becomes part of its cluster, says how it is, and hears how the others are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use insighthub_actors::detection::Detection;
use insighthub_actors::liveness::{Liveness, LivenessOptions, NodeReport, ReplicaReport, ReportSource, Role};
use insighthub_storage::cluster::founding::{FoundingOptions, Newcomer, become_member};
use insighthub_storage::cluster::membership::{MembershipOptions, NodeWatch};
use insighthub_storage::cluster::{Cluster, PeerService, ScrubOptions};
use insighthub_storage::fs::{Fs, RealFs};
use insighthub_storage::raft::NodeId;
use insighthub_storage::transport::{TcpNetwork, TlsFiles, Transport, TransportOptions};
use insighthub_storage::{Identity, Member};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::access::hex;
use crate::boot::{Plan, random};
use crate::config::NodeConfig;
use crate::http::Node;

/// Often enough to notice a dead node within two seconds, seldom enough to cost nothing.
const BEAT_EVERY: Duration = Duration::from_millis(250);
const DEAD_AFTER: Duration = Duration::from_millis(1_500);

/// What a node needs to open its store as a member.
pub(crate) struct Joined {
    pub(crate) identity: Identity,
    pub(crate) transport: Transport,
    pub(crate) service: Arc<PeerService>,
}

/// Finds out who this node is; `None` when it was asked to stop while it waited for its peers.
pub(crate) async fn join(plan: &Plan) -> anyhow::Result<Option<Joined>> {
    let fs = RealFs::shared();
    if insighthub_storage::backup::is_unfinished(fs.as_ref(), &plan.data)? {
        bail!(
            "a restore into {} was not finished: empty the directory and run `insighthub restore` again",
            plan.data.display()
        );
    }
    let me = Member { disk_id: disk_id(fs.as_ref(), &plan.data)?, ..member(&plan.node) };
    let newcomer = Newcomer::new(me.clone());
    let service = PeerService::new(newcomer.clone());
    let transport = start_transport(plan, &service).await?;
    let known = Identity::read(fs.as_ref(), &plan.data)?;
    let cluster = &plan.config.cluster;
    let identity = match known {
        Some(identity) => identity,
        None if plan.config.nodes.len() == 1 => {
            let me = Member { node_id: 1, ..me };
            let identity = Identity::alone(hex(&random::<16>()?), cluster.partitions, cluster.replicas(), me);
            identity.write(fs.as_ref(), &plan.data)?;
            identity
        }
        None => {
            let options = FoundingOptions {
                directory: plan.data.clone(),
                listed: listed(plan),
                me,
                partitions: cluster.partitions,
                replicas: cluster.replicas(),
                new_cluster_id: hex(&random::<16>()?),
            };
            tokio::select! {
                identity = become_member(fs.as_ref(), &transport, &newcomer, &options) => identity?,
                () = crate::boot::asked_to_end() => return Ok(None),
            }
        }
    };
    if identity.partitions != cluster.partitions {
        bail!(
            "the cluster was created with {found} partitions, the configuration says {configured}; the number is \
             fixed when a cluster is created: set cluster.partitions = {found}",
            found = identity.partitions,
            configured = cluster.partitions
        );
    }
    transport.set_identity(identity.cluster_id.clone(), identity.node_id);
    Ok(Some(Joined { identity, transport, service }))
}

/// A random number made with the data directory: without it, the disk is another disk.
pub(crate) fn disk_id(fs: &dyn Fs, data: &Path) -> anyhow::Result<String> {
    let path = data.join("disk-id");
    match fs.read(&path) {
        Ok(bytes) => String::from_utf8(bytes).context("the disk id is damaged"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let disk_id = hex(&random::<16>()?);
            fs.replace(&path, disk_id.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(disk_id)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The nodes that the configuration names; their ids are not in it.
pub(crate) fn listed(plan: &Plan) -> Vec<Member> {
    plan.config.nodes.iter().map(member).collect()
}

pub(crate) fn member(node: &NodeConfig) -> Member {
    let text = |address: Option<std::net::SocketAddr>| address.map(|address| address.to_string());
    Member {
        node_id: 0,
        name: node.name.clone(),
        disk_id: String::new(),
        http: node.http.to_string(),
        peer: text(node.peer).unwrap_or_default(),
        control: text(node.control).unwrap_or_default(),
    }
}

async fn start_transport(plan: &Plan, service: &Arc<PeerService>) -> anyhow::Result<Transport> {
    let mut options = TransportOptions::new(plan.name.clone());
    options.listen = plan.node.peer;
    options.secret = plan.config.cluster.secret.as_ref().map(|secret| secret.reveal().as_bytes().to_vec());
    let tls = &plan.config.peer_tls;
    if let (Some(authority), Some(certificate), Some(key)) = (&tls.authority, &tls.certificate, &tls.key) {
        options.tls = Some(TlsFiles {
            authority: authority.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
        });
    }
    Ok(Transport::start(options, Arc::new(TcpNetwork), Arc::clone(service) as _).await?)
}

/// Starts telling the others how this node is; `None` for a node without a control address.
pub(crate) async fn start_liveness(plan: &Plan, node: &Arc<Node>) -> anyhow::Result<Option<Liveness>> {
    let Some(listen) = plan.node.control else { return Ok(None) };
    let identity = &node.store.identity;
    let mut cookie = Sha256::new();
    cookie.update(b"insighthub control plane\0");
    cookie.update(&identity.cluster_id);
    if let Some(secret) = &plan.config.cluster.secret {
        cookie.update(secret.reveal());
    }
    let options = LivenessOptions {
        node_id: identity.node_id,
        name: plan.name.clone(),
        cluster_id: identity.cluster_id.clone(),
        listen,
        cookie: hex(&cookie.finalize()),
        beat_every: BEAT_EVERY,
        dead_after: DEAD_AFTER,
    };
    let incarnation = u64::from_le_bytes(random()?);
    let source = Arc::new(Reporter { node: Arc::downgrade(node), incarnation });
    Ok(Some(node.actors.start_liveness(options, source).await?))
}

/// Keeps replicas where they belong; runs until aborted.
pub(crate) fn keep(plan: &Plan, cluster: Arc<Cluster>, liveness: Option<Liveness>) -> JoinHandle<()> {
    let options =
        MembershipOptions { replace_after: Duration::from_secs(plan.config.cluster.replace_after_secs) };
    let watch = Arc::new(Watch { liveness, cluster: Arc::downgrade(&cluster) });
    tokio::spawn(cluster.keep_membership(watch, options))
}

/// Keeps its groups led; runs until aborted.
pub(crate) fn watch_leaders(cluster: Arc<Cluster>) -> JoinHandle<()> {
    tokio::spawn(cluster.watch_leaders())
}

/// Keeps reading what is at rest; runs until aborted.
pub(crate) fn scrub(plan: &Plan, cluster: Arc<Cluster>) -> JoinHandle<()> {
    let storage = &plan.config.storage;
    let options = ScrubOptions {
        every: Duration::from_secs(storage.scrub_every_secs),
        bytes_per_sec: storage.scrub_bytes_per_sec,
    };
    tokio::spawn(cluster.keep_scrubbing(options))
}

/// What liveness has heard, as membership asks it; also tells liveness whom to hear.
#[derive(Debug)]
struct Watch {
    liveness: Option<Liveness>,
    cluster: std::sync::Weak<Cluster>,
}

impl NodeWatch for Watch {
    fn silent_for(&self) -> BTreeMap<NodeId, Duration> {
        let Some(liveness) = &self.liveness else { return BTreeMap::new() };
        let heard = liveness.view();
        let heard = heard.iter().filter(|peer| peer.report.is_some());
        heard
            .map(|peer| {
                let silent = peer.last_heard.map_or(Duration::MAX, |at| at.elapsed());
                (peer.node_id, if peer.alive { silent.min(BEAT_EVERY) } else { silent })
            })
            .collect()
    }

    fn members_changed(&self) {
        let (Some(liveness), Some(cluster)) = (&self.liveness, self.cluster.upgrade()) else { return };
        let me = cluster.me();
        let peers = cluster.members().into_iter().filter(|(node, _)| *node != me);
        liveness.set_peers(peers.map(|(node, member)| (node, member.control)).collect());
    }
}

/// Says how this node is.
#[derive(Debug)]
struct Reporter {
    node: std::sync::Weak<Node>,
    incarnation: u64,
}

impl ReportSource for Reporter {
    fn report(&self) -> NodeReport {
        let Some(node) = self.node.upgrade() else { return NodeReport::default() };
        let waiting_for = crate::http::waiting_for(&node);
        let member = node.cluster.members().remove(&node.cluster.me());
        NodeReport {
            node_id: node.cluster.me(),
            name: node.name.clone(),
            http: node.http_address.clone(),
            peer: member.map(|member| member.peer).unwrap_or_default(),
            incarnation: self.incarnation,
            ready: waiting_for.is_empty(),
            waiting_for,
            replicas: replica_reports(&node),
            actors_restarted: node.actors.roster.status().iter().map(|actor| actor.restarts).sum(),
            disk_free_bytes: node.disk_free_bytes.load(Ordering::Relaxed),
            stopping: node.actors.admission.status().stopping,
            ..NodeReport::default()
        }
    }
}

/// What this node's replicas say of themselves.
pub(crate) fn replica_reports(node: &Node) -> Vec<ReplicaReport> {
    node.store.partitions().iter().map(|group| replica_report(group, &node.actors.detection)).collect()
}

fn replica_report(group: &insighthub_storage::group::PartitionGroup, detection: &Detection) -> ReplicaReport {
    let watched = detection.status(group.replica.partition()).unwrap_or_default();
    let (raft, state) = (group.group.status(), group.replica.status());
    let role = match () {
        () if raft.failure.is_some() => Role::Stopped,
        () if raft.leads => Role::Leader,
        () if raft.is_voter => Role::Follower,
        () => Role::Learner,
    };
    ReplicaReport {
        partition: group.replica.partition().0,
        role,
        term: raft.term,
        leader: raft.leader,
        last_log_index: raft.last_log_index.unwrap_or(0),
        applied_index: raft.applied_index.unwrap_or(0),
        snapshot_index: raft.snapshot_index.unwrap_or(0),
        records: state.next_offset,
        blocks: state.blocks as u64,
        block_bytes: state.block_bytes,
        failure: raft.failure,
        checksum: state.scrubbed,
        damaged_blocks: state.damaged_blocks as u64,
        detectors: watched.services as u64,
        detector_bytes: watched.bytes as u64,
    }
}
