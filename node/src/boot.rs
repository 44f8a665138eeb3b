//! Wires a node from top to bottom and stops it in reverse.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use anyhow::{Context, bail};
use insighthub_actors::Observer;
use insighthub_actors::alerting::delivery::{AllowList, Guard, Outgoing};
use insighthub_actors::partition::SealRule;
use insighthub_actors::{ActorSystem, SystemOptions};
use insighthub_model::access::Role;
use insighthub_model::clock::Clock;
use insighthub_storage::cluster::{Cluster, ClusterLimits};
use insighthub_storage::control::{ControlCommand, ControlReply, Proof, User, UserCommand};
use insighthub_storage::fs::RealFs;
use insighthub_storage::transport::Transport;
use insighthub_storage::wal::WalOptions;
use insighthub_storage::{Store, StoreOptions};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::access::{admin_password, hex, password};
use crate::cli::ServeArgs;
use crate::config::{Config, NodeConfig, Profile};
use crate::http::{
    self, AccessOptions, Counters, Edge, Freshness, Node, Passwords, Places, Provider, RequestCounts,
    TokenUses,
};
use crate::membership;
use crate::memory;
use crate::open_files;
use crate::own_work::OwnWork;
use crate::serving::Serving;

use crate::syslog::Listening;
use crate::system_clock::SystemClock;

/// The data directory where neither `--data` nor the configuration names one.
const DATA_DIR_DEFAULT: &str = "data";
/// Requests under way get this long to end after a stop was asked for.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// A request that Raft has not committed by then is answered "unknown".
const SUBMIT_DEADLINE: Duration = Duration::from_secs(30);
/// At most 256 KiB each.
const ENTRIES_KEPT: u64 = 64;
/// The environment variable that adds the fault routes to a development node.
const FAULTS_VARIABLE: &str = "INSIGHTHUB_FAULTS";

/// What a node is, once configuration, environment and command line are put together.
#[derive(Debug)]
pub struct Plan {
    pub config: Config,
    /// This node's entry.
    pub node: NodeConfig,
    pub name: String,
    pub http: SocketAddr,
    pub data: PathBuf,
    pub trusted_proxies: AllowList,
}

impl Plan {
    /// Puts together file, environment and arguments; every value is checked here.
    pub fn new(args: &ServeArgs) -> anyhow::Result<Plan> {
        let mut config = Config::load(args.config.as_deref())?;
        if args.dev {
            config.cluster.profile = Profile::Development;
        }
        let node = choose_node(&config, args.node.as_deref())?.clone();
        let http = args.http.unwrap_or(node.http);
        let addresses = [Some(http), node.otlp];
        if config.cluster.profile == Profile::Development
            && let Some(address) = addresses.into_iter().flatten().find(|address| !address.ip().is_loopback())
        {
            bail!(
                "the development profile lets anybody send and read logs, so it listens on loopback only, not on \
                 {address}: use 127.0.0.1, or set cluster.profile = \"production\""
            );
        }
        let data = args.data.clone().or_else(|| config.storage.dir.clone());
        let data = data.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT));
        let trusted_proxies = config.access.trusted_proxies.as_deref().unwrap_or_default().parse()?;
        Ok(Plan { config, name: node.name.clone(), node, http, data, trusted_proxies })
    }
}

fn choose_node<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<&'a NodeConfig> {
    match (name, config.nodes.as_slice()) {
        (None, [only]) => Ok(only),
        (None, nodes) => bail!("the configuration names {} nodes: choose one with --node NAME", nodes.len()),
        (Some(name), nodes) => nodes.iter().find(|node| node.name == name).with_context(|| {
            let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            format!("the configuration has no node {name:?}; it has {}", names.join(", "))
        }),
    }
}

/// Runs a node until SIGTERM, Ctrl-C or the failure of its log.
pub async fn serve(plan: Plan) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    create_private(&plan.data)?;
    admin_password::check(&plan.data)?;
    let serving = Serving::bind(plan.http, &plan.config.http)?;
    let address = serving.address;
    let otlp = plan.node.otlp.map(|address| Serving::bind(address, &plan.config.http)).transpose()?;
    let syslog = Listening::bind(&plan)?;
    let observer = Observer::new(plan.config.detection.record_rule);
    let Some(joined) = membership::join(&plan).await? else { return Ok(()) };
    let store = Store::open(
        RealFs::shared(),
        joined.identity.clone(),
        store_options(&plan)?,
        joined.transport.clone(),
        Arc::new(observer.clone()) as _,
    );
    let store = Arc::new(store.await?);
    let limits = cluster_limits(&plan.config);
    let cluster =
        Cluster::new(Arc::clone(&store), joined.transport.clone(), limits, membership::listed(&plan));
    joined.service.set_cluster(Arc::clone(&cluster));
    let own_url = format!("{}://{address}", serving.scheme());
    let outgoing = outgoing(&plan, &own_url)?;
    let options = system_options(&plan, Arc::clone(&clock))?;
    let actors = ActorSystem::start(Arc::clone(&cluster), observer, options).await?;
    let node = Arc::new(node(&plan, address, cluster, actors, clock, outgoing)?);
    let liveness = membership::start_liveness(&plan, &node).await?;
    if let Some(liveness) = &liveness
        && node.liveness.set(liveness.clone()).is_err()
    {
        tracing::debug!("liveness was started before");
    }
    let own_work = OwnWork::start(&plan, &node, liveness.clone());
    if joined.identity.is_founder() {
        create_admin(&node).await?;
    }
    say(&format!("listening on {own_url}"))?;
    syslog.addresses().iter().try_for_each(|line| say(line))?;

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let otlp = otlp.map(|otlp| {
        tracing::info!(address = %otlp.address, "logs of OpenTelemetry are taken here as well");
        tokio::spawn(otlp.run(http::otlp_router(Arc::clone(&node)), stopped.clone()))
    });
    let syslog = syslog.start(&node);
    let serving = tokio::spawn(serving.run(http::router(Arc::clone(&node)), stopped));
    let reason = asked_to_stop(&store).await?;
    tracing::info!(reason, "stopping");
    // What its senders have sent is stored before the door closes: they would not send it again.
    drop(tokio::time::timeout(DRAIN_DEADLINE, syslog.stop()).await);
    node.actors.admission.set_stopping();
    own_work.stop_moving_leaders();
    if let Some(liveness) = node.liveness.get() {
        liveness.leave().await;
    }
    if reason != STORE_FAILED {
        // What this node leads is led by others before they would have to miss it.
        node.cluster.hand_over_all().await;
    }
    stop.send_replace(true);
    // Live tails never end by themselves; they are cut when the deadline has passed.
    let drain = async { drop(tokio::time::timeout(DRAIN_DEADLINE, served(serving, otlp)).await) };
    node.actors.end_sessions();
    drain.await;
    own_work.stop();
    close(&node, &joined.transport, reason).await
}

/// Waits until nobody is served any more.
async fn served(serving: JoinHandle<()>, otlp: Option<JoinHandle<()>>) {
    drop(serving.await);
    if let Some(otlp) = otlp {
        drop(otlp.await);
    }
}

/// Closes what is open, in reverse, once nobody is served any more.
async fn close(node: &Node, transport: &Transport, reason: &str) -> anyhow::Result<()> {
    node.actors.stop().await;
    transport.close().await;
    let closed = tokio::time::timeout(insighthub_storage::store::CLOSE_DEADLINE, node.store.close()).await;
    closed.context("the store did not close in time")??;
    if reason == STORE_FAILED {
        bail!(
            "the log or a replica failed; everything acknowledged is on disk: look at the disk, then start again"
        );
    }
    Ok(())
}

const STORE_FAILED: &str = "the log or a replica failed";

/// Returns at SIGTERM or Ctrl-C.
pub(crate) async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn asked_to_stop(store: &Store) -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("Ctrl-C"),
        failure = store.failed() => {
            tracing::error!(failure, "the node stops: it cannot keep what it would acknowledge");
            Ok(STORE_FAILED)
        }
    }
}

fn node(
    plan: &Plan,
    address: SocketAddr,
    cluster: Arc<Cluster>,
    actors: ActorSystem,
    clock: Arc<dyn Clock>,
    outgoing: Arc<Outgoing>,
) -> anyhow::Result<Node> {
    let development = plan.config.cluster.profile == Profile::Development;
    let access = AccessOptions {
        anonymous: development,
        secure_cookies: plan.config.http.certificate.is_some() || outgoing.public_url.starts_with("https://"),
        trusted_proxies: plan.trusted_proxies.clone(),
    };
    let oidc = Provider::new(&plan.config.oidc, &outgoing.public_url)?;
    let enrich = [("env", &plan.config.enrich.env), ("region", &plan.config.enrich.region)];
    Ok(Node {
        name: plan.name.clone(),
        http_address: address.to_string(),
        replicas_asked: plan.config.replicas_asked(cluster.store.identity.replicas),
        store: Arc::clone(&cluster.store),
        cluster,
        liveness: std::sync::OnceLock::new(),
        actors,
        clock,
        outgoing,
        limits: plan.config.limits.clone(),
        enrich: enrich
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect(),
        access,
        oidc,
        passwords: Passwords::default(),
        freshness: Freshness::default(),
        edge: Edge::new(&plan.config.http),
        places: Places::new(plan.config.http.tails_max, plan.config.http.user_tails_max),
        token_uses: TokenUses::default(),
        counters: Counters::default(),
        requests: RequestCounts::default(),
        disk_free_bytes: AtomicU64::new(0),
        started: AtomicBool::new(false),
        faults: development && std::env::var_os(FAULTS_VARIABLE).is_some_and(|value| value == "1"),
    })
}

/// The way out for alerts: what the configuration allows, and where links lead.
fn outgoing(plan: &Plan, own_url: &str) -> anyhow::Result<Arc<Outgoing>> {
    let alerting = &plan.config.alerting;
    let allowed = alerting.allow_addresses.as_deref().unwrap_or("").parse()?;
    let public_url = alerting.public_url.clone().unwrap_or_else(|| own_url.to_owned());
    Ok(Arc::new(Outgoing { guard: Guard { allowed }, public_url }))
}

fn cluster_limits(config: &Config) -> ClusterLimits {
    ClusterLimits {
        transfer_bytes_per_sec: config.cluster.transfer_bytes_per_sec,
        query_scanned_bytes_max: config.query.scanned_bytes_max,
        query_group_bytes_max: config.query.group_bytes_max,
    }
}

fn store_options(plan: &Plan) -> anyhow::Result<StoreOptions> {
    let storage = &plan.config.storage;
    Ok(StoreOptions {
        directory: plan.data.clone(),
        wal: WalOptions {
            segment_bytes: storage.wal_segment_bytes,
            identity: u64::from_le_bytes(random()?),
            ..WalOptions::default()
        },
        block_cache_bytes: storage.cache_bytes.unwrap_or_else(memory::cache_bytes),
        blocks_open_max: open_files::blocks_max(),
        entries_kept: ENTRIES_KEPT,
        heartbeat_ms: plan.config.raft.heartbeat_ms,
        lease_ms: plan.config.raft.lease_ms,
    })
}

fn system_options(plan: &Plan, clock: Arc<dyn Clock>) -> anyhow::Result<SystemOptions> {
    let (limits, storage) = (&plan.config.limits, &plan.config.storage);
    Ok(SystemOptions {
        clock,
        seal_rule: SealRule {
            head_records_max: storage.head_records_max,
            head_bytes_max: storage.head_bytes_max,
        },
        in_flight_bytes_max: limits.in_flight_bytes_max,
        service_records_per_sec: limits.service_records_per_sec,
        service_burst_records: limits.service_burst_records,
        services_max: limits.services_max,
        own_producer: format!("node:{}:{}", plan.name, hex(&random::<8>()?)),
        submit_deadline: SUBMIT_DEADLINE,
    })
}

/// At the very first start: makes the user `admin` and says its password, once.
async fn create_admin(node: &Node) -> anyhow::Result<()> {
    wait_for_leader(node).await?;
    if node.store.control.replica.read(|state| !state.users.by_name.is_empty()) {
        return Ok(());
    }
    let given = admin_password::given()?;
    // Who chose it knows it; only one made here is shown, once.
    let shown = if given.is_some() { "as given".to_owned() } else { hex(&random::<12>()?) };
    let password = given.unwrap_or_else(|| shown.clone());
    let (salt, secret) = (random::<16>()?, password.clone());
    let password_hash = tokio::task::spawn_blocking(move || password::hash(&secret, &salt)).await??;
    let user =
        User { role: Role::Admin, proof: Proof::Password(password_hash), created_at: node.clock.now() };
    let create = UserCommand::Create { name: "admin".into(), user };
    match node.cluster.propose_control(ControlCommand::User(create)).await? {
        ControlReply::Done => say(&format!("admin login: user admin, password {shown}")),
        // Another node that started at the same time was first, and says it.
        _ => Ok(()),
    }
}

/// The users are only known once the control group has replayed its log.
async fn wait_for_leader(node: &Node) -> anyhow::Result<()> {
    let group = &node.store.control.group;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let status = group.status();
        if status.leads && group.read_index().await.is_ok() {
            return Ok(());
        }
        // A follower knows the users once it has applied what its leader has committed.
        if status.leader.is_some() && !status.leads && status.applied_index.is_some() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("the control group found no leader: are the other nodes running?")
}

pub(crate) fn create_private(directory: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(directory)
        .with_context(|| format!("cannot create the data directory {}", directory.display()))
}

pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gave no random bytes")?;
    Ok(bytes)
}

/// Lines for whoever started the node; its log goes to stderr.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
