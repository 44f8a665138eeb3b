//! One node of the simulated cluster: everything of `storage` a real node has, put together as the binary does,
//! and a door for clients in place of HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use insighthub_storage::cluster::founding::{FoundingOptions, Newcomer, become_member};
use insighthub_storage::cluster::membership::{MembershipOptions, NodeWatch};
use insighthub_storage::cluster::{Cluster, ClusterLimits, PeerService};
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::partition::{ApplyObserver, Folded, Unsealed};
use insighthub_storage::sealed_head::SealedHead;
use insighthub_storage::transport::{Call, Handler, PeerIdentity, Transport, TransportOptions};
use insighthub_storage::wal::WalOptions;
use insighthub_storage::{Identity, Member, Store, StoreOptions, StoredBatch};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::Mutation;
use crate::appends::{Appends, keep_sealing, keep_tending};
use crate::dice::Dice;
use crate::door::{self, Ask};
use crate::history::History;
use crate::network::SimulatedNetwork;

pub(crate) const PARTITIONS: u16 = 2;
const REPLICAS: u16 = 3;
/// Requests of clients that wait for the node; clients are few, so it is never reached.
const REQUESTS_MAX: usize = 64;

/// What outlives a process: the disk, and what the driver and the clients hold of the node.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) mutation: Mutation,
    /// The nodes of the configuration, this one included.
    pub(crate) listed: Vec<Member>,
    /// Paths on the simulated disk; the index alone lies there for real, and is no source of anything.
    pub(crate) directory: PathBuf,
    pub(crate) disk: Arc<Mutex<SimFs>>,
    pub(crate) history: Arc<Mutex<History>>,
    /// Of the process that runs, if one does.
    pub(crate) running: Arc<Mutex<Option<Running>>>,
    /// What answers peers in it.
    pub(crate) service: Arc<Mutex<Option<Arc<PeerService>>>>,
    /// The process wants to end by itself.
    pub(crate) has_ended: Arc<Mutex<bool>>,
    /// Processes started so far.
    pub(crate) lives: Arc<Mutex<u64>>,
}

/// The way into a running process.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) appends: Appends,
    pub(crate) door: mpsc::Sender<Ask>,
}

/// A node of this name and number, as a configuration would list it.
pub(crate) fn member(number: u64) -> Member {
    let name = format!("n{number}");
    Member {
        node_id: 0,
        disk_id: String::new(),
        http: format!("{name}:8080"),
        peer: format!("{name}:7000"),
        control: format!("{name}:7001"),
        name,
    }
}

impl Machine {
    /// Lets go of everything the process that ended held.
    pub(crate) fn forget_process(&self) {
        *self.running.lock() = None;
        *self.service.lock() = None;
        *self.has_ended.lock() = false;
    }

    pub(crate) fn note(&self, event: &str) {
        self.history.lock().note(&self.name, event);
    }

    /// A process from start to end; it ends by itself only when its log fails, as a real one does.
    pub(crate) async fn run(self) -> turmoil::Result {
        let life = {
            let mut lives = self.lives.lock();
            *lives += 1;
            *lives
        };
        let fs = self.disk.lock().as_fs();
        match self.live(&fs, life).await {
            // Without its place on the real file system, which differs from run to run.
            Ok(reason) => {
                self.note(&format!("ends: {}", reason.replace(&*self.directory.to_string_lossy(), "")));
            }
            Err(error) if is_of_the_disk(&error) => self.note("cannot start: the disk fails"),
            Err(error) => self.history.lock().violate(format!("{} cannot start: {error:#}", self.name)),
        }
        *self.has_ended.lock() = true;
        // The driver takes the process away; it notes how that happens.
        std::future::pending().await
    }

    async fn live(&self, fs: &Arc<dyn Fs>, life: u64) -> anyhow::Result<String> {
        self.note("starts");
        let me = Member { disk_id: format!("disk-{}", self.number), ..member(self.number) };
        let newcomer = Newcomer::new(me.clone());
        let service = PeerService::new(newcomer.clone());
        *self.service.lock() = Some(Arc::clone(&service));
        let transport = self.start_transport(life).await?;
        let identity = match Identity::read(fs.as_ref(), &self.directory)? {
            Some(identity) => identity,
            None => self.found(fs, &transport, &newcomer, me).await?,
        };
        transport.set_identity(identity.cluster_id.clone(), identity.node_id);
        let observer = Arc::new(Observer { name: self.name.clone(), history: Arc::clone(&self.history) });
        let store =
            Store::open(Arc::clone(fs), identity, self.options(), transport.clone(), observer).await?;
        let store = Arc::new(store);
        let limits = ClusterLimits { transfer_bytes_per_sec: 4 << 20, ..ClusterLimits::default() };
        let cluster = Cluster::new(Arc::clone(&store), transport, limits, self.listed.clone());
        service.set_cluster(Arc::clone(&cluster));
        let appends = Appends::new(&cluster, self.mutation);
        cluster.set_append_handler(Arc::new(appends.clone()));
        let watch = Arc::new(Watch(Arc::downgrade(&cluster)));
        let options = MembershipOptions { replace_after: Duration::from_secs(600) };
        tokio::spawn(Arc::clone(&cluster).keep_membership(watch, options));
        tokio::spawn(Arc::clone(&cluster).watch_leaders());
        tokio::spawn(keep_sealing(Arc::clone(&cluster), self.sealing_dice(life)));
        tokio::spawn(keep_tending(Arc::clone(&cluster), self.tending_dice(life)));
        let (door, asked) = mpsc::channel(REQUESTS_MAX);
        tokio::spawn(door::open(Arc::clone(&cluster), appends.clone(), asked, self.mutation));
        *self.running.lock() = Some(Running { cluster, appends, door });
        self.note("runs");
        Ok(store.failed().await)
    }

    async fn start_transport(&self, life: u64) -> anyhow::Result<Transport> {
        let dice = Mutex::new(Dice::for_part(self.seed, 1_000 * self.number + life));
        let options = TransportOptions {
            listen: Some("0.0.0.0:7000".parse()?),
            secret: Some(b"a secret of the simulated cluster".to_vec()),
            dice: Arc::new(move |bytes: &mut [u8]| {
                let mut dice = dice.lock();
                bytes.iter_mut().for_each(|byte| *byte = dice.roll() as u8);
            }),
            ..TransportOptions::new(self.name.clone())
        };
        let handler = Arc::new(Answers(Arc::clone(&self.service)));
        Ok(Transport::start(options, Arc::new(SimulatedNetwork), handler).await?)
    }

    async fn found(
        &self,
        fs: &Arc<dyn Fs>,
        transport: &Transport,
        newcomer: &Newcomer,
        me: Member,
    ) -> anyhow::Result<Identity> {
        let options = FoundingOptions {
            directory: self.directory.clone(),
            listed: self.listed.clone(),
            me,
            partitions: PARTITIONS,
            replicas: REPLICAS,
            new_cluster_id: format!("simulated-{}", self.seed),
        };
        Ok(become_member(fs.as_ref(), transport, newcomer, &options).await?)
    }

    fn options(&self) -> StoreOptions {
        let mut dice = Dice::for_part(self.seed, 77);
        StoreOptions {
            directory: self.directory.clone(),
            wal: WalOptions {
                // Small, so that a run of seconds rotates, purges and reads from files.
                segment_bytes: 16 << 10,
                queue_bytes_max: 1 << 20,
                cache_bytes_max: dice.pick(&[0, 4 << 10, 1 << 20]).unwrap_or_default(),
                batch_bytes_max: 64 << 10,
                identity: self.seed.wrapping_mul(31).wrapping_add(self.number),
            },
            block_cache_bytes: 1 << 20,
            // With few of them who was away for a moment gets a snapshot.
            entries_kept: dice.pick(&[1, 4, 64]).unwrap_or_default(),
            blocks_open_max: dice.pick(&[1, 2, 64]).unwrap_or_default(),
            heartbeat_ms: 100,
            lease_ms: 300,
        }
    }

    fn tending_dice(&self, life: u64) -> Dice {
        Dice::for_part(self.seed, 3_000 * self.number + life)
    }

    fn sealing_dice(&self, life: u64) -> Dice {
        Dice::for_part(self.seed, 2_000 * self.number + life)
    }
}

/// Failures a node may meet at its start because of a fault of the simulated disk.
fn is_of_the_disk(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("os error 5") || text.contains("no storage space")
}

/// Answers peers while the process lives. A process that ends frees what it holds, whoever holds whom; here
/// connections and the service that answers them would keep each other alive.
#[derive(Debug)]
struct Answers(Arc<Mutex<Option<Arc<PeerService>>>>);

impl Handler for Answers {
    fn admits(&self, peer: &PeerIdentity) -> Result<(), String> {
        self.0.lock().as_ref().map_or(Ok(()), |service| service.admits(peer))
    }

    fn handle(
        &self,
        peer: &PeerIdentity,
        call: Call,
        deadline: Duration,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        match self.0.lock().as_ref() {
            Some(service) => service.handle(peer, call, deadline),
            None => std::future::ready(Err("this node stops".to_owned())).boxed(),
        }
    }
}

/// Hears what a replica applies.
#[derive(Clone)]
struct Observer {
    name: String,
    history: Arc<Mutex<History>>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ApplyObserver for Observer {
    fn applied(&self, batch: &Arc<StoredBatch>) {
        self.history.lock().apply(&self.name, batch);
    }

    /// Counts records: enough to tell when replicas fold other heads.
    fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded {
        let mut history = self.history.lock();
        history.counts.seals += 1;
        history.note(&self.name, &format!("sealed p{} at {}", head.partition, head.seal_index));
        let counted: u64 = head.batches.iter().map(|batch| batch.len() as u64).sum();
        let before = before.detectors.first_chunk().map_or(0, |count| u64::from_le_bytes(*count));
        let detectors = Bytes::copy_from_slice(&(before + counted).to_le_bytes());
        Folded { detectors, notes: Vec::new() }
    }
}

/// Who was heard of, by the connections of the transport.
#[derive(Debug)]
struct Watch(std::sync::Weak<Cluster>);

impl NodeWatch for Watch {
    fn silent_for(&self) -> BTreeMap<u64, Duration> {
        let Some(cluster) = self.0.upgrade() else { return BTreeMap::new() };
        let heard = cluster.transport.status().into_iter();
        heard.filter_map(|peer| Some((peer.node_id, peer.last_heard?))).collect()
    }

    fn members_changed(&self) {}
}
