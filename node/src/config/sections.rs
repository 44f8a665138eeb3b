//! Every section of the configuration: what each key means, its default, what it may hold and an example, said once.
//!
//! `docs/configuration.md` is made from this file. Knows nothing of the parts that are configured.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use insighthub_actors::detection::RecordRule;
use insighthub_model::limits::IngestLimits;
use insighthub_model::settings;
use insighthub_model::settings::Range::{Address, Integer, OneOf, Text};
use insighthub_model::settings::Section;

use super::{LogFormat, Profile};
use crate::access::Secret;

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
const TIB: i64 = 1 << 40;
/// A path.
const PATH: settings::Range = Text(4_096);

/// The section whose tables are the nodes.
pub(super) const NODE: &str = "node";

/// In the order of the reference.
pub(super) const SECTIONS: [Section; 15] = [
    ClusterConfig::SECTION,
    NodeConfig::SECTION,
    HttpConfig::SECTION,
    SyslogConfig::SECTION,
    AccessConfig::SECTION,
    OidcConfig::SECTION,
    PeerTlsConfig::SECTION,
    StorageConfig::SECTION,
    IngestLimits::SECTION,
    QueryConfig::SECTION,
    DetectionConfig::SECTION,
    AlertingConfig::SECTION,
    EnrichConfig::SECTION,
    RaftConfig::SECTION,
    LogConfig::SECTION,
];

settings! {
    "cluster";
    /// What all nodes of a cluster agree on.
    pub struct ClusterConfig {
        /// What the cluster is called.
        name: String = "local".to_owned(), Text(64);
        /// Raft groups that hold logs; fixed when the cluster is created.
        partitions: u16 = 8, Integer(1, 1_024);
        /// Copies of each partition, where there are as many nodes; fixed as well. Left out: 3, and a cluster of fewer nodes
        /// lacks none.
        replicas: Option<u16> = None, Integer(1, 9), like "3";
        /// Who is let in without a token: with `development` anybody on this machine, and only on loopback; with `production`
        /// nobody.
        profile: Profile = Profile::default(), OneOf(&["development", "production"]);
        /// Shared by all nodes, 32 bytes or more; peers prove that they know it. Needed wherever peers listen beyond
        /// loopback.
        secret: Option<Secret> = None, Text(1_024), like "\"64 random hex digits\"";
        /// What replicas that move to a node may take, bytes a second.
        transfer_bytes_per_sec: u64 = 64 << 20, Integer(64 * KIB, 100 * GIB);
        /// A node silent for this long is replaced where spare nodes exist.
        replace_after_secs: u64 = 600, Integer(5, 31_536_000);
    }
}

settings! {
    "node";
    /// One for each node, the same on every node. Where there is none, one node is alone on `127.0.0.1:8000`.
    pub struct NodeConfig {
        /// What it is called; each node has a name of its own.
        name: String = "n1".to_owned(), Text(64);
        /// Where clients reach it.
        http: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)), Address;
        /// Where peers reach it: Raft, forwarded logs, queries. Not needed by a node that is alone.
        peer: Option<SocketAddr> = None, Address, like "\"127.0.0.1:7000\"";
        /// Where peers reach its control plane: who is alive. Not needed by a node that is alone.
        control: Option<SocketAddr> = None, Address, like "\"127.0.0.1:7100\"";
        /// Where it takes logs of OpenTelemetry as well, and nothing else: `/v1/logs` and gRPC.
        otlp: Option<SocketAddr> = None, Address, like "\"127.0.0.1:4317\"";
        /// Where it takes syslog over TCP.
        syslog_tcp: Option<SocketAddr> = None, Address, like "\"127.0.0.1:1514\"";
        /// Where it takes syslog as datagrams.
        syslog_udp: Option<SocketAddr> = None, Address, like "\"127.0.0.1:1514\"";
        /// Where it takes syslog over TLS.
        syslog_tls: Option<SocketAddr> = None, Address, like "\"0.0.0.0:6514\"";
    }
}

settings! {
    "http";
    /// How clients are served.
    pub struct HttpConfig {
        /// PEM, together with the key: the node then speaks TLS to clients, and nothing else. Read again when the file
        /// changes.
        certificate: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/site.pem\"";
        /// The certificate's key, PEM.
        key: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/site.key\"";
        /// Connections of clients at once; above it: 503. Left out: 10,000, or what the limit on open files allows.
        connections_max: Option<usize> = None, Integer(16, 1_000_000), like "10000";
        /// Origins of pages, besides the node's own, that may change things and open live tails, with commas between them.
        allowed_origins: Option<String> = None, Text(4_096), like "\"https://logs.example.com\"";
        /// Live tails at once on this node; above it: 429.
        tails_max: usize = 2_000, Integer(1, 100_000);
        /// Live tails of one user on this node.
        user_tails_max: usize = 100, Integer(1, 100_000);
    }
}

settings! {
    "syslog";
    /// Who may send syslog to the addresses that nodes name for it, and how it is read.
    pub struct SyslogConfig {
        /// Networks that may send without credentials, with commas between them. Needed by plain addresses beyond loopback; an
        /// address on loopback takes what comes from there.
        allow: Option<String> = None, Text(4_096), like "\"10.0.0.0/8\"";
        /// Of times without a zone. Left out: UTC.
        time_zone: Option<String> = None, Text(64), like "\"Europe/Berlin\"";
        /// What the node shows over TLS, PEM. Left out: what it shows to clients of HTTP.
        certificate: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/syslog.pem\"";
        /// The certificate's key, PEM.
        key: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/syslog.key\"";
        /// Whose certificates let senders in over TLS, PEM.
        authority: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/senders.pem\"";
        /// A connection that is silent for so long is closed. Long, because senders may lose what they write next.
        idle_secs: u64 = 86_400, Integer(1, 31_536_000);
        /// Connections of this node at once.
        connections_max: usize = 1_000, Integer(1, 1_000_000);
        /// Datagrams that wait to be stored; what comes beyond is counted and lost.
        queue_bytes_max: usize = 16 << 20, Integer(MIB, GIB);
    }
}

settings! {
    "access";
    /// How people come in.
    pub struct AccessConfig {
        /// Networks of proxies whose `X-Forwarded-For` is believed, with commas between them.
        trusted_proxies: Option<String> = None, Text(4_096), like "\"10.0.0.0/8\"";
    }
}

settings! {
    "oidc";
    /// An identity provider with which people may sign in (OpenID Connect): `issuer`, `client_id` and what they need, or
    /// nothing.
    pub struct OidcConfig {
        /// As the provider writes it.
        issuer: Option<String> = None, Text(1_024), like "\"https://id.example.com\"";
        /// What the provider calls this cluster.
        client_id: Option<String> = None, Text(256), like "\"insighthub\"";
        /// Left out: a public client, which PKCE alone protects.
        client_secret: Option<Secret> = None, Text(1_024), like "\"what the provider gave\"";
        /// Left out: `openid email profile`.
        scopes: Option<String> = None, Text(256), like "\"openid email groups\"";
        /// The claim that is the user's name here. Left out: `email`.
        name_claim: Option<String> = None, Text(64), like "\"email\"";
        /// The claim that lists the user's groups. Left out: `groups`.
        groups_claim: Option<String> = None, Text(64), like "\"groups\"";
        /// Who is in it is an admin here.
        admin_group: Option<String> = None, Text(256), like "\"on-call\"";
        /// Who is in it may look. Left out: everybody whom the provider knows.
        viewer_group: Option<String> = None, Text(256), like "\"staff\"";
    }
}

settings! {
    "peer_tls";
    /// Certificates for the connections between nodes, PEM; all three or none. Each node shows its own.
    pub struct PeerTlsConfig {
        /// Who certifies all of them.
        authority: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/ca.pem\"";
        /// This node's.
        certificate: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/n1.pem\"";
        /// Its key.
        key: Option<PathBuf> = None, PATH, like "\"/etc/insighthub/n1.key\"";
    }
}

settings! {
    "storage";
    /// What a node keeps, and where.
    pub struct StorageConfig {
        /// Where the node keeps what it stores; `--data` goes before it. Left out: `data`.
        dir: Option<PathBuf> = None, PATH, like "\"/var/lib/insighthub\"";
        /// Size of one write-ahead log file.
        wal_segment_bytes: u64 = 64 << 20, Integer(MIB, GIB);
        /// The write-ahead log is cut behind a snapshot before it grows past this; partitions that hold it back are sealed.
        wal_bytes_max: u64 = 1 << 30, Integer(4 * MIB, TIB);
        /// Records in memory per partition before they become a block.
        // A row number in a block has 16 bits.
        head_records_max: usize = 65_536, Integer(1_000, 65_536);
        /// The same in bytes.
        head_bytes_max: usize = 16 << 20, Integer(MIB, GIB);
        /// Memory for columns of blocks that were read. Left out: a sixteenth of the machine's, 32 to 256 MiB.
        cache_bytes: Option<usize> = None, Integer(MIB, TIB), like "268435456";
        /// Block files may take so many bytes on this node; beyond, the oldest logs go. Left out: no bound.
        bytes_max: Option<u64> = None, Integer(MIB, 1_024 * TIB), like "107374182400";
        /// Below this much free disk the node refuses logs and goes on reading.
        disk_free_bytes_min: u64 = 256 << 20, Integer(0, TIB);
        /// How often everything at rest is read again to find what the disk has lost.
        scrub_every_secs: u64 = 6 * 3_600, Integer(1, 31_536_000);
        /// How fast.
        scrub_bytes_per_sec: u64 = 16 << 20, Integer(64 * KIB, 100 * GIB);
    }
}

settings! {
    "query";
    /// What one query may cost on a node.
    pub struct QueryConfig {
        /// Stored bytes of the columns it reads.
        scanned_bytes_max: u64 = 64 << 30, Integer(MIB, 1_024 * TIB);
        /// Memory of the groups it makes.
        group_bytes_max: usize = 256 << 20, Integer(MIB, TIB);
    }
}

settings! {
    "detection";
    /// How anomalies are found.
    pub struct DetectionConfig {
        /// What scores single records; windows of services are scored by all channels whatever is chosen here.
        record_rule: RecordRule = RecordRule::default(), OneOf(&["detector", "isolation_forest", "moving_average"]);
    }
}

settings! {
    "alerting";
    /// What alerts may reach, and where their links lead.
    pub struct AlertingConfig {
        /// Where people reach the dashboard. Left out: messages link to this node's own address.
        public_url: Option<String> = None, Text(1_024), like "\"https://logs.example.com\"";
        /// Addresses and networks that are not public and may be called all the same, with commas between them; set it on
        /// every node.
        allow_addresses: Option<String> = None, Text(4_096), like "\"10.1.0.0/16, 127.0.0.1\"";
    }
}

settings! {
    "enrich";
    /// Fields that every record gets which lacks them.
    pub struct EnrichConfig {
        /// The field `env`.
        env: Option<String> = None, Text(128), like "\"production\"";
        /// The field `region`.
        region: Option<String> = None, Text(128), like "\"eu-west-1\"";
    }
}

settings! {
    "raft";
    /// How soon a leader that is gone has a successor: a follower stands one heartbeat after its lease.
    pub struct RaftConfig {
        /// How often a leader is heard of. Above the usual worst time of a disk sync.
        heartbeat_ms: u64 = 100, Integer(10, 10_000);
        /// A follower that has heard its leader keeps to it for this long; two heartbeats or more.
        lease_ms: u64 = 300, Integer(30, 120_000);
    }
}

settings! {
    "log";
    /// The node's own log.
    pub struct LogConfig {
        /// For people, or for machines.
        format: LogFormat = LogFormat::default(), OneOf(&["text", "json"]);
        /// Levels by module.
        filter: String = "info,openraft=off,ractor_cluster=error,h2=error".to_owned(), Text(1_024);
    }
}
