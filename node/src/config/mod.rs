//! The configuration of a node: one file, one struct, every value checked before anything starts.
//!
//! `keys` names every key with its range; `check` holds a file and the environment against it.
//! Knows nothing of the parts that are configured.

mod check;
mod check_access;
mod keys;
mod nearest;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use insighthub_actors::detection::RecordRule;
use insighthub_model::limits::IngestLimits;
use serde::Deserialize;

use crate::access::Secret;

pub use check::ConfigError;

/// The start of every variable that overrides a key: `INSIGHTHUB_RAFT__HEARTBEAT_MS`.
const VARIABLE_PREFIX: &str = "INSIGHTHUB_";

/// Everything `cluster.toml` says; what it leaves out has its default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub cluster: ClusterConfig,
    /// At least one once [`Config::parse`] is through.
    #[serde(rename = "node")]
    pub nodes: Vec<NodeConfig>,
    pub limits: IngestLimits,
    pub storage: StorageConfig,
    pub query: QueryConfig,
    pub raft: RaftConfig,
    pub http: HttpConfig,
    pub peer_tls: PeerTlsConfig,
    pub detection: DetectionConfig,
    pub access: AccessConfig,
    pub oidc: OidcConfig,
    pub alerting: AlertingConfig,
    pub enrich: EnrichConfig,
    pub log: LogConfig,
}

/// One node may fail, and another be away for an upgrade, and nothing is lost.
const REPLICAS_DEFAULT: u16 = 3;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterConfig {
    pub name: String,
    /// Raft groups that hold logs; fixed when the cluster is created.
    pub partitions: u16,
    /// Copies of each partition, where there are as many nodes; fixed as well. Left out: [`REPLICAS_DEFAULT`], and a
    /// cluster of fewer nodes lacks none.
    pub replicas: Option<u16>,
    pub profile: Profile,
    /// Shared by all nodes; peers prove that they know it. Needed wherever peers listen beyond loopback,
    /// unless they have certificates.
    pub secret: Option<Secret>,
    /// What replicas that move to a node may take, bytes a second.
    pub transfer_bytes_per_sec: u64,
    /// A node silent for this long is replaced where spare nodes exist.
    pub replace_after_secs: u64,
}

/// Who is let in without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Anybody on this machine, and only on loopback.
    Development,
    /// Nobody.
    #[default]
    Production,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    pub name: String,
    pub http: SocketAddr,
    /// Where peers reach it: Raft, forwarded logs, queries. Not needed by a node that is alone.
    pub peer: Option<SocketAddr>,
    /// Where peers reach its control plane: who is alive.
    pub control: Option<SocketAddr>,
    /// Where it takes logs of OpenTelemetry as well, and nothing else: `/v1/logs` and gRPC.
    pub otlp: Option<SocketAddr>,
}

/// How clients are served.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// PEM; both or none. With them the node speaks TLS to clients, and nothing else.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Connections of clients at once; 10,000 where nothing is said, or what the limit on open files allows.
    pub connections_max: Option<usize>,
    /// Origins of pages, besides the node's own, that may change things and open live tails, with commas between them.
    pub allowed_origins: Option<String>,
    /// Live tails at once on this node, and of one user on it.
    pub tails_max: usize,
    pub user_tails_max: usize,
}

/// Certificates for the connections between nodes, PEM; all three or none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerTlsConfig {
    pub authority: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// Where the node keeps what it stores, unless the command line says otherwise.
    pub dir: Option<PathBuf>,
    /// Size of one write-ahead log file.
    pub wal_segment_bytes: u64,
    /// The write-ahead log is cut behind a snapshot before it grows past this.
    pub wal_bytes_max: u64,
    /// Records in memory per partition before they become a block.
    pub head_records_max: usize,
    pub head_bytes_max: usize,
    /// Memory for columns of blocks that were read; a share of the machine's where nothing is said.
    pub cache_bytes: Option<usize>,
    /// Block files may take so many bytes on this node; beyond, the oldest logs go. As large as the disk where unset.
    pub bytes_max: Option<u64>,
    /// Below this much free disk the node refuses writes and goes on reading.
    pub disk_free_bytes_min: u64,
    /// How often, and how fast, everything at rest is read again to find what the disk has lost.
    pub scrub_every_secs: u64,
    pub scrub_bytes_per_sec: u64,
}

/// What one query may cost on a node.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryConfig {
    /// Stored bytes of the columns it reads.
    pub scanned_bytes_max: u64,
    /// Memory of the groups it makes.
    pub group_bytes_max: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RaftConfig {
    pub heartbeat_ms: u64,
    /// A follower that has heard its leader keeps to it for this long.
    pub lease_ms: u64,
}

/// How people come in.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Option<String>,
}

/// An identity provider with which people may sign in (OpenID Connect): `issuer`, `client_id` and what they need, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// As the provider writes it.
    pub issuer: Option<String>,
    pub client_id: Option<String>,
    /// Left out: a public client, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    pub scopes: Option<String>,
    pub name_claim: Option<String>,
    pub groups_claim: Option<String>,
    /// Who is in it is an admin here.
    pub admin_group: Option<String>,
    /// Who is in it may look; left out: everybody whom the provider knows.
    pub viewer_group: Option<String>,
}

impl OidcConfig {
    pub fn scopes(&self) -> &str {
        self.scopes.as_deref().unwrap_or("openid email profile")
    }

    /// The claim that is the user's name here.
    pub fn name_claim(&self) -> &str {
        self.name_claim.as_deref().unwrap_or("email")
    }

    pub fn groups_claim(&self) -> &str {
        self.groups_claim.as_deref().unwrap_or("groups")
    }
}

/// How anomalies are found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionConfig {
    /// What scores single records; windows of services are scored by all channels whatever is chosen here.
    pub record_rule: RecordRule,
}

/// What alerts may reach, and where their links lead.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertingConfig {
    /// Where people reach the dashboard; without it messages link to this node's own address.
    pub public_url: Option<String>,
    /// Addresses and networks that are not public and may be called all the same, with commas between them.
    pub allow_addresses: Option<String>,
}

/// Fields that every record gets which lacks them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrichConfig {
    pub env: Option<String>,
    pub region: Option<String>,
}

/// The node's own log.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    pub format: LogFormat,
    /// Levels by module: `info,openraft=off,ractor_cluster=error,h2=error`.
    pub filter: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// The configuration of a file, or the defaults where there is none, with what the environment
    /// overrides.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.display().to_string(), source })?,
        };
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Config::parse(&text, &variables)
    }

    /// Puts together the text of a file and variables; checks every value.
    pub fn parse(text: &str, variables: &[(String, String)]) -> Result<Config, ConfigError> {
        let mut table: toml::Table = text.parse().map_err(ConfigError::syntax)?;
        check::override_from(&mut table, variables)?;
        check::check_keys(&table)?;
        let mut config: Config = table.try_into().map_err(ConfigError::syntax)?;
        if config.nodes.is_empty() {
            config.nodes.push(NodeConfig::default());
        }
        check::check_together(&config)?;
        Ok(config)
    }

    /// Replicas that a partition must have to be well, in a cluster founded with `replicas`: all of them where they are
    /// asked for by name, else one on each node that is listed.
    pub fn replicas_asked(&self, replicas: u16) -> u16 {
        match self.cluster.replicas {
            Some(_) => replicas,
            None => replicas.min(self.nodes.len().try_into().unwrap_or(u16::MAX)),
        }
    }
}

impl ClusterConfig {
    /// Copies of each partition, where there are as many nodes.
    pub fn replicas(&self) -> u16 {
        self.replicas.unwrap_or(REPLICAS_DEFAULT)
    }
}

impl Default for ClusterConfig {
    fn default() -> Self {
        ClusterConfig {
            name: "local".to_owned(),
            partitions: 8,
            replicas: None,
            profile: Profile::default(),
            secret: None,
            transfer_bytes_per_sec: 64 << 20,
            replace_after_secs: 600,
        }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig {
            name: "n1".to_owned(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            peer: None,
            control: None,
            otlp: None,
        }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        StorageConfig {
            dir: None,
            wal_segment_bytes: 64 << 20,
            wal_bytes_max: 1 << 30,
            head_records_max: 65_536,
            head_bytes_max: 16 << 20,
            cache_bytes: None,
            bytes_max: None,
            disk_free_bytes_min: 256 << 20,
            scrub_every_secs: 6 * 3_600,
            scrub_bytes_per_sec: 16 << 20,
        }
    }
}

impl Default for QueryConfig {
    fn default() -> Self {
        QueryConfig { scanned_bytes_max: 64 << 30, group_bytes_max: 256 << 20 }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            certificate: None,
            key: None,
            connections_max: None,
            allowed_origins: None,
            tails_max: 2_000,
            user_tails_max: 100,
        }
    }
}

impl Default for RaftConfig {
    /// Fail-over in under a second: a follower stands one heartbeat after its lease. A heartbeat above the usual worst
    /// time of a disk sync.
    fn default() -> Self {
        RaftConfig { heartbeat_ms: 100, lease_ms: 300 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig {
            format: LogFormat::default(),
            filter: "info,openraft=off,ractor_cluster=error,h2=error".to_owned(),
        }
    }
}
