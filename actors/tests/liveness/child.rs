//! A node as a process of its own, for the tests beside: the whole tree of actors on an empty store, told
//! what to do on standard input. The parent runs the test binary again with [`VARIABLE`] set.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use insighthub_actors::Observer;
use insighthub_actors::liveness::{ControlEvent, Liveness, LivenessOptions, NodeReport, ReportSource};
use insighthub_actors::partition::SealRule;
use insighthub_actors::{ActorSystem, SystemOptions};
use insighthub_model::Timestamp;
use insighthub_model::clock::Clock;
use insighthub_storage::cluster::founding::Newcomer;
use insighthub_storage::cluster::{Cluster, ClusterLimits, PeerService};
use insighthub_storage::fs::RealFs;
use insighthub_storage::transport::{TcpNetwork, Transport, TransportOptions};
use insighthub_storage::wal::WalOptions;
use insighthub_storage::{Identity, Member, Store, StoreOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Holds the [`Plan`] of a node.
pub(crate) const VARIABLE: &str = "INSIGHTHUB_LIVENESS_NODE";
/// Before each line meant for the parent: the test harness prints lines of its own.
pub(crate) const MARK: &str = "@node ";

/// What a node is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) node_id: u64,
    pub(crate) cluster_id: String,
    pub(crate) cookie: String,
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) peers: BTreeMap<u64, String>,
    pub(crate) beat_ms: u64,
    pub(crate) dead_ms: u64,
    /// Bytes that make each report heavier.
    pub(crate) ballast: usize,
    /// Whether to take part at once, or when told to.
    pub(crate) at_once: bool,
}

#[derive(Debug)]
struct Source(NodeReport);

impl ReportSource for Source {
    fn report(&self) -> NodeReport {
        self.0.clone()
    }
}

#[derive(Debug)]
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

/// Plays the node until standard input ends.
pub(crate) fn run(plan: &str) {
    let plan: Plan = serde_json::from_str(plan).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let system = system(&plan.data).await;
        let mut node = Node { plan, system, liveness: None, events: None };
        if node.plan.at_once {
            node.start().await;
        }
        node.say(&json!("running"));
        let (lines, mut commands) = tokio::sync::mpsc::channel(16);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                drop(lines.blocking_send(line.unwrap()));
            }
        });
        while let Some(command) = commands.recv().await {
            let answer = node.obey(&command).await;
            node.say(&answer);
        }
    });
    std::process::exit(0);
}

struct Node {
    plan: Plan,
    system: ActorSystem,
    liveness: Option<Result<Liveness, String>>,
    events: Option<tokio::sync::broadcast::Receiver<insighthub_actors::liveness::Announcement>>,
}

impl Node {
    async fn start(&mut self) {
        let plan = &self.plan;
        let options = LivenessOptions {
            node_id: plan.node_id,
            name: format!("n{}", plan.node_id),
            cluster_id: plan.cluster_id.clone(),
            listen: plan.listen,
            cookie: plan.cookie.clone(),
            beat_every: Duration::from_millis(plan.beat_ms),
            dead_after: Duration::from_millis(plan.dead_ms),
        };
        let report = NodeReport {
            name: options.name.clone(),
            incarnation: u64::from(std::process::id()),
            http: "x".repeat(plan.ballast),
            ..NodeReport::default()
        };
        let started = self.system.start_liveness(options, Arc::new(Source(report))).await;
        if let Ok(liveness) = &started {
            self.events = Some(liveness.subscribe());
            liveness.set_peers(plan.peers.clone());
        }
        self.liveness = Some(started.map_err(|error| error.to_string()));
    }

    async fn obey(&mut self, command: &str) -> Value {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        if verb == "start" {
            self.start().await;
        }
        let liveness = match self.liveness.as_ref().unwrap() {
            Ok(liveness) => liveness,
            Err(error) => return json!(error),
        };
        match verb {
            "start" => json!("running"),
            "view" => self.view(liveness),
            "peers" => {
                liveness.set_peers(serde_json::from_str(rest).unwrap());
                json!("set")
            }
            "announce" => {
                liveness.announce(ControlEvent::SessionRevoked { session: rest.into() });
                json!("announced")
            }
            "event" => match self.events.as_mut().unwrap().try_recv() {
                Ok(announcement) => json!([announcement.from, announcement.event]),
                Err(_) => Value::Null,
            },
            "leave" => {
                liveness.leave().await;
                json!("left")
            }
            "fail" => {
                liveness.fail();
                json!("failing")
            }
            other => panic!("{other}?"),
        }
    }

    fn view(&self, liveness: &Liveness) -> Value {
        let peers = liveness.view();
        let peers: BTreeMap<u64, Value> = peers
            .iter()
            .map(|peer| {
                let report = peer.report.as_deref().cloned().unwrap_or_default();
                let shown = json!({ "alive": peer.alive, "incarnation": report.incarnation,
                    "sequence": report.sequence, "stopping": report.stopping, "connects": peer.connects });
                (peer.node_id, shown)
            })
            .collect();
        let roster = self.system.roster.status();
        let actor = roster.iter().find(|actor| actor.kind == "liveness").unwrap();
        let changes = *liveness.watch().borrow();
        json!({ "peers": peers, "changes": changes, "status": liveness.status(),
            "restarts": actor.restarts, "queue": actor.queue_depth })
    }

    fn say(&self, answer: &Value) {
        // The harness has begun a line that has no end yet.
        println!("\n{MARK}{answer}");
        std::io::stdout().flush().unwrap();
    }
}

async fn system(data: &Path) -> ActorSystem {
    let options = StoreOptions {
        directory: data.to_path_buf(),
        wal: WalOptions { segment_bytes: 1 << 20, ..WalOptions::default() },
        block_cache_bytes: 1 << 20,
        blocks_open_max: 64,
        entries_kept: 64,
        // One group of one member: its heartbeats are none of what is measured here.
        heartbeat_ms: 1_000,
        lease_ms: 3_000,
    };
    let observer = Observer::default();
    let address = String::new();
    let me = Member {
        node_id: 1,
        name: "test".into(),
        disk_id: "disk".into(),
        http: address.clone(),
        peer: address.clone(),
        control: address,
    };
    let identity = Identity::alone("test".into(), 1, 1, me.clone());
    let service = PeerService::new(Newcomer::new(me));
    let transport =
        Transport::start(TransportOptions::new("test"), Arc::new(TcpNetwork), service).await.unwrap();
    let store =
        Store::open(RealFs::shared(), identity, options, transport.clone(), Arc::new(observer.clone()) as _);
    let cluster =
        Cluster::new(Arc::new(store.await.unwrap()), transport, ClusterLimits::default(), Vec::new());
    let options = SystemOptions {
        clock: Arc::new(NoClock),
        seal_rule: SealRule { head_records_max: 1_000, head_bytes_max: 1 << 20 },
        in_flight_bytes_max: 1 << 20,
        service_records_per_sec: 1_000,
        service_burst_records: 1_000,
        services_max: 1_000,
        own_producer: "test".into(),
        submit_deadline: Duration::from_secs(5),
    };
    let system = ActorSystem::start(Arc::clone(&cluster), observer, options).await.unwrap();
    // Open until the process ends.
    std::mem::forget(cluster);
    system
}
