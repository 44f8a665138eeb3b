//! A cluster of real processes on this machine: start, break, heal, and wait until it is whole again.
//!
//! Nodes reach each other through links that can be cut; clients reach each node directly. Knows
//! nothing of what is written or read meanwhile.

pub mod addresses;
pub mod blocks;
pub mod clock;
pub mod command_line;
pub mod link;
pub mod links;
pub mod namespaces;
pub mod node;
pub mod settings;
pub mod view;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;

use self::addresses::free_address;
use self::clock::Clock;
use self::links::{Dialer, Links, Listening, Plane};
use self::namespaces::Namespaces;
use self::node::{Condition, Node, Parts};
use self::settings::{Entry, Settings};
use self::view::{View, leader_trouble, liveness_trouble, replica_trouble};
use crate::binary::binary;
use crate::loop_disk::LoopDisk;
use crate::node_process::{NodeOptions, Role};

/// Founding a cluster of debug builds on two cores.
const FOUNDED_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at the whole cluster.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The password of `admin` on every cluster under test.
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";
/// Only proves that nodes with a secret work together; it protects nothing.
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// How nodes reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Between {
    /// Relays in this process; needs no rights.
    #[default]
    Relays,
    /// A network namespace for each node, joined by a bridge; needs root.
    Namespaces,
}

/// What cluster to start.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    pub nodes: usize,
    /// Nodes that are prepared and not started: they join later.
    pub spares: usize,
    pub partitions: u16,
    pub environment: Vec<(String, String)>,
    /// Each node stores on a disk of its own whose power can be cut and which can be filled.
    pub own_disks: bool,
    /// Each node has a clock that can be set.
    pub own_clocks: bool,
    pub between: Between,
    /// Keys of `[[node]]` that name further doors for clients, such as `otlp`: each node gets an address for each.
    pub doors: Vec<&'static str>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        ClusterOptions {
            nodes: 3,
            spares: 0,
            partitions: 4,
            environment: settings::small_and_patient(),
            own_disks: false,
            own_clocks: false,
            between: Between::Relays,
            doors: Vec::new(),
        }
    }
}

/// A running cluster. Dropped, its processes are killed.
#[derive(Debug)]
pub struct Cluster {
    // First: processes end before the network and the directory they use.
    pub nodes: Vec<Node>,
    pub links: Links,
    pub namespaces: Option<Namespaces>,
    replicas: usize,
    /// `None` once it is to stay.
    directory: Mutex<Option<tempfile::TempDir>>,
}

impl Cluster {
    /// Starts the founding nodes and waits until all are ready.
    pub async fn start(options: &ClusterOptions) -> Result<Cluster> {
        Cluster::start_after(options, |_| Ok(())).await
    }

    /// The same, with something done to what the nodes will find.
    pub async fn start_after(
        options: &ClusterOptions,
        before: impl FnOnce(&Cluster) -> Result<()>,
    ) -> Result<Cluster> {
        let cluster = Cluster::prepare(options).await?;
        before(&cluster)?;
        join_all(cluster.nodes.iter().take(options.nodes).map(Node::launch))
            .await
            .into_iter()
            .collect::<Result<()>>()?;
        for node in cluster.nodes.iter().take(options.nodes) {
            node.wait_until_ready(FOUNDED_WITHIN).await?;
        }
        cluster.wait_for_leaders(FOUNDED_WITHIN).await?;
        Ok(cluster)
    }

    async fn prepare(options: &ClusterOptions) -> Result<Cluster> {
        ensure!(options.nodes > 0, "a cluster has at least one node");
        let directory = tempfile::Builder::new().prefix("insighthub-cluster-").tempdir()?;
        let replicas = options.nodes.min(3);
        let settings = Settings { partitions: options.partitions, replicas, secret: SECRET.to_owned() };
        let count = options.nodes + options.spares;
        let namespaces = match options.between {
            Between::Relays => None,
            Between::Namespaces => Some(Namespaces::new(count)?),
        };
        let places = Places::choose(count, namespaces.as_ref(), &options.doors)?;
        let links = match namespaces {
            Some(_) => Links::default(),
            None => Links::open(&places.listening, &places.pairs(options.nodes)).await?,
        };
        let mut nodes = Vec::new();
        for number in 0..count {
            let file = settings.file(&places.entries(number, options.nodes, &links));
            let home = directory.path().join(places.name(number));
            nodes.push(prepare_node(number, &places, &home, &file, namespaces.as_ref(), options)?);
        }
        Ok(Cluster { nodes, links, namespaces, replicas, directory: Mutex::new(Some(directory)) })
    }

    /// Leaves configuration and output of the nodes, and data that is on no disk of its own, where it is.
    pub fn keep_files(&self) -> Option<PathBuf> {
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        directory.take().map(tempfile::TempDir::keep)
    }

    pub fn node(&self, number: usize) -> Result<&Node> {
        self.nodes.get(number).with_context(|| format!("there is no node {number}"))
    }

    /// Fails where a secret is in what nodes print, or in the audit trail.
    pub async fn keeps_to_itself(&self, secrets: &[&str]) -> Result<()> {
        let trail = self.node(0)?.admin().get("/api/audit", &[]).await?.text;
        for node in &self.nodes {
            let output = node.last_output().await;
            for secret in secrets {
                ensure!(!output.contains(secret), "{} prints a secret", node.name);
                ensure!(!trail.contains(secret), "a secret is in the trail");
            }
        }
        Ok(())
    }

    /// Nodes whose process runs, heard by the others or not.
    pub fn up(&self) -> Vec<usize> {
        self.those(|condition| condition == Condition::Up)
    }

    /// Nodes that belong to the cluster.
    pub fn members(&self) -> Vec<usize> {
        self.those(|condition| condition != Condition::Absent)
    }

    fn those(&self, fits: impl Fn(Condition) -> bool) -> Vec<usize> {
        let numbered = self.nodes.iter().enumerate();
        numbered.filter(|(_, node)| fits(node.condition())).map(|(number, _)| number).collect()
    }

    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// What each running node says, of those that answer.
    pub async fn views(&self) -> Vec<View> {
        let running: Vec<&Node> =
            self.nodes.iter().filter(|node| node.condition() == Condition::Up).collect();
        join_all(running.into_iter().map(Node::view)).await.into_iter().flatten().collect()
    }

    /// The node that leads a partition, as most of the running nodes see it.
    pub async fn leader(&self, partition: u16) -> Option<usize> {
        let views = self.views().await;
        let newest = views.iter().filter_map(|view| view.partition(partition));
        let newest = newest.filter(|view| view.leader.is_some()).max_by_key(|view| view.term)?;
        self.number_of(newest.leader.as_deref()?)
    }

    /// The node that leads the control group, as most of the running nodes see it.
    pub async fn control_leader(&self) -> Option<usize> {
        let views = self.views().await;
        let named: Vec<usize> =
            views.iter().filter_map(|view| self.number_of(view.control_leader.as_deref()?)).collect();
        let votes = |number: &usize| named.iter().filter(|other| *other == number).count();
        named.iter().copied().max_by_key(votes)
    }

    /// The same among the others while one node is dead, which then must not be a leader.
    pub async fn wait_for_leaders_without(&self, dead: usize, within: Duration) -> Result<Duration> {
        let name = &self.node(dead)?.name;
        self.wait_for("one living leader for each partition", within, || async {
            let views = self.views().await;
            let mut trouble = leader_trouble(&views);
            let follows = views.iter().flat_map(|view| view.leads(name));
            trouble.extend(follows.map(|partition| format!("partition {partition} is led by the dead node")));
            trouble
        })
        .await
    }

    /// Waits until every partition has one leader that all nodes agree on; says how long it took.
    pub async fn wait_for_leaders(&self, within: Duration) -> Result<Duration> {
        self.wait_for("one leader for each partition", within, || async {
            let views = self.views().await;
            let mut trouble = leader_trouble(&views);
            trouble.extend(self.silent(&views));
            trouble
        })
        .await
    }

    /// Waits until all running nodes report a node alive, or dead.
    pub async fn wait_for_word_of(
        &self,
        number: usize,
        is_alive: bool,
        within: Duration,
    ) -> Result<Duration> {
        let name = &self.node(number)?.name;
        let what = format!("agreement that {name} is {}", if is_alive { "alive" } else { "dead" });
        self.wait_for(&what, within, || async { liveness_trouble(&self.views().await, name, is_alive) }).await
    }

    /// Waits until all replicas are equal. Nothing may be written meanwhile.
    pub async fn wait_for_equality(&self, within: Duration) -> Result<Duration> {
        self.wait_for("equal replicas", within, || async {
            let views = self.views().await;
            let mut trouble = replica_trouble(&views, self.replicas.min(self.members().len()));
            trouble.extend(self.silent(&views));
            trouble
        })
        .await
    }

    fn silent(&self, views: &[View]) -> Vec<String> {
        let missing = self.members().into_iter().filter_map(|number| self.nodes.get(number));
        let missing = missing.filter(|node| !views.iter().any(|view| view.node == node.name));
        missing.map(|node| format!("{} does not answer ({:?})", node.name, node.condition())).collect()
    }

    async fn wait_for<Looking>(
        &self,
        what: &str,
        within: Duration,
        look: impl Fn() -> Looking,
    ) -> Result<Duration>
    where
        Looking: Future<Output = Vec<String>>,
    {
        let started = Instant::now();
        loop {
            let trouble = look().await;
            if trouble.is_empty() {
                return Ok(started.elapsed());
            }
            if started.elapsed() > within {
                bail!("no {what} within {within:?}: {}", trouble.join("; "));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Names and addresses of all nodes.
struct Places {
    http: Vec<std::net::SocketAddr>,
    listening: Vec<Listening>,
    doors: Vec<Vec<(&'static str, std::net::SocketAddr)>>,
}

impl Places {
    fn choose(count: usize, namespaces: Option<&Namespaces>, doors: &[&'static str]) -> Result<Places> {
        let (mut http, mut listening, mut further) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            further.push(doors.iter().map(|key| Ok((*key, free_address()?))).collect::<Result<_>>()?);
            http.push(free_address()?);
            listening.push(match namespaces {
                Some(namespaces) => namespaces.listening(number),
                None => Listening { peer: free_address()?, control: free_address()? },
            });
        }
        Ok(Places { http, listening, doors: further })
    }

    fn name(&self, number: usize) -> String {
        format!("n{}", number + 1)
    }

    /// Founding nodes dial each other, a spare dials the founders; whoever dials a spare learnt its
    /// address from the cluster.
    fn pairs(&self, founders: usize) -> Vec<(Dialer, usize)> {
        let count = self.listening.len();
        let to_founders = (0..count).flat_map(|dialer| {
            (0..founders)
                .filter(move |dialed| *dialed != dialer)
                .map(move |dialed| (Dialer::Node(dialer), dialed))
        });
        to_founders.chain((founders..count).map(|spare| (Dialer::Anyone, spare))).collect()
    }

    /// The nodes that one node's file names: the founders, and itself.
    fn entries(&self, own: usize, founders: usize, links: &Links) -> Vec<Entry> {
        let is_alone = self.listening.len() == 1;
        let named = (0..self.listening.len()).filter(|number| *number < founders || *number == own);
        let entry = |number: usize| {
            let place = self.listening.get(number)?;
            let dialed = |plane, direct| {
                if number == own {
                    direct
                } else {
                    links.address(Dialer::Node(own), number, plane).unwrap_or(direct)
                }
            };
            let between = (dialed(Plane::Peer, place.peer), dialed(Plane::Control, place.control));
            Some(Entry {
                name: self.name(number),
                http: *self.http.get(number)?,
                between: (!is_alone).then_some(between),
                doors: self.doors.get(number)?.clone(),
            })
        };
        named.filter_map(entry).collect()
    }
}

fn prepare_node(
    number: usize,
    places: &Places,
    home: &Path,
    file: &str,
    namespaces: Option<&Namespaces>,
    options: &ClusterOptions,
) -> Result<Node> {
    std::fs::create_dir_all(home)?;
    let config = home.join("cluster.toml");
    std::fs::write(&config, file)?;
    let disk = if options.own_disks { Some(LoopDisk::new().context("a disk of its own")?) } else { None };
    let clock = if options.own_clocks { Some(Clock::new(home)?) } else { None };
    let mut environment = options.environment.clone();
    environment.push(("INSIGHTHUB_ADMIN_PASSWORD".to_owned(), ADMIN_PASSWORD.to_owned()));
    environment.extend(clock.iter().flat_map(Clock::environment));
    let data = disk.as_ref().map_or_else(|| home.to_owned(), LoopDisk::mount_point).join("data");
    let (name, http) = (places.name(number), places.http.get(number).copied().context("no address")?);
    let wrapper = match namespaces {
        Some(namespaces) => namespaces.enter(number, http)?,
        None => Vec::new(),
    };
    let node_options = NodeOptions {
        binary: binary()?,
        role: Role::Named { config, name: name.clone() },
        wrapper,
        data,
        output: home.to_owned(),
        environment,
    };
    let listening = places.listening.get(number).copied().context("no address")?;
    let admin_password = ADMIN_PASSWORD.to_owned();
    let doors = places.doors.get(number).cloned().unwrap_or_default();
    Node::new(Parts { name, http, listening, doors, disk, clock, options: node_options, admin_password })
}
