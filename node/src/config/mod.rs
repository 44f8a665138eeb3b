//! The configuration of a node: one file, one struct, every value checked before anything starts.
//!
//! `sections` says of every key what it is and may hold; `check` holds a file and the environment against it, `reference`
//! writes it down for people. Knows nothing of the parts that are configured.

mod check;
mod check_access;
mod check_syslog;
mod keys;
mod nearest;
mod reference;
mod sections;
mod syslog;
#[cfg(test)]
mod tests;
mod variables;

use std::path::Path;

use insighthub_model::limits::IngestLimits;
use serde::{Deserialize, Serialize};

pub use check::ConfigError;
pub(crate) use reference::reference;
pub use sections::{
    AccessConfig, AlertingConfig, ClusterConfig, DetectionConfig, EnrichConfig, HttpConfig, LogConfig,
    NodeConfig, OidcConfig, PeerTlsConfig, QueryConfig, RaftConfig, StorageConfig, SyslogConfig,
};

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
    pub syslog: SyslogConfig,
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

/// Who is let in without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Anybody on this machine, and only on loopback.
    Development,
    /// Nobody.
    #[default]
    Production,
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

/// How the node's own log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        let variables = variables::read(std::env::vars_os())?;
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
