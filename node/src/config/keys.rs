//! Every key of the configuration: what it may hold and an example. The reference for operators.

use insighthub_model::limits::CHUNK_COLUMNS_MAX;

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    /// A whole number between two, both included.
    Integer(i64, i64),
    /// Text of one to so many bytes, without control characters.
    Text(usize),
    OneOf(&'static [&'static str]),
    /// An IP address and a port.
    Address,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub section: &'static str,
    pub name: &'static str,
    pub range: Range,
    /// As it would stand in the file.
    pub example: &'static str,
}

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
const TIB: i64 = 1 << 40;

const fn key(section: &'static str, name: &'static str, range: Range, example: &'static str) -> Key {
    Key { section, name, range, example }
}

/// The section whose tables are the nodes.
pub(super) const NODE_SECTION: &str = "node";

pub(super) const KEYS: [Key; 64] = [
    key("cluster", "name", Range::Text(64), "\"local\""),
    key("cluster", "partitions", Range::Integer(1, 1_024), "8"),
    key("cluster", "replicas", Range::Integer(1, 9), "3"),
    key("cluster", "secret", Range::Text(1_024), "\"64 random hex digits\""),
    key("cluster", "transfer_bytes_per_sec", Range::Integer(64 * KIB, 100 * GIB), "67108864"),
    key("cluster", "replace_after_secs", Range::Integer(5, 31_536_000), "600"),
    key("cluster", "profile", Range::OneOf(&["development", "production"]), "\"production\""),
    key(NODE_SECTION, "name", Range::Text(64), "\"n1\""),
    key(NODE_SECTION, "http", Range::Address, "\"127.0.0.1:8000\""),
    key(NODE_SECTION, "peer", Range::Address, "\"127.0.0.1:7000\""),
    key(NODE_SECTION, "control", Range::Address, "\"127.0.0.1:7100\""),
    key(NODE_SECTION, "otlp", Range::Address, "\"127.0.0.1:4317\""),
    key("limits", "body_bytes_max", Range::Integer(KIB, GIB), "33554432"),
    key("limits", "inflated_bytes_max", Range::Integer(KIB, 4 * GIB), "268435456"),
    key("limits", "record_bytes_max", Range::Integer(256, 16 * MIB), "1048576"),
    key("limits", "records_max", Range::Integer(1, 1_000_000), "100000"),
    // A record may add this many columns to a chunk that is not full yet.
    key("limits", "fields_max", Range::Integer(1, CHUNK_COLUMNS_MAX as i64 / 2), "512"),
    // Objects are read by recursion.
    key("limits", "depth_max", Range::Integer(1, 64), "16"),
    key("limits", "field_name_bytes_max", Range::Integer(16, 4 * KIB), "256"),
    key("limits", "service_bytes_max", Range::Integer(1, KIB), "128"),
    key("limits", "in_flight_bytes_max", Range::Integer(MIB, 64 * GIB), "134217728"),
    key("limits", "service_records_per_sec", Range::Integer(0, 1_000_000_000), "50000"),
    key("limits", "service_burst_records", Range::Integer(0, 1_000_000_000), "100000"),
    // A service costs a detector and a shard on its partition: some KiB each.
    key("limits", "services_max", Range::Integer(1, 65_536), "4096"),
    // Ten years: more is no limit.
    key("limits", "future_secs_max", Range::Integer(0, 315_360_000), "86400"),
    key("storage", "dir", Range::Text(4_096), "\"/var/lib/insighthub\""),
    key("storage", "wal_segment_bytes", Range::Integer(MIB, GIB), "67108864"),
    key("storage", "wal_bytes_max", Range::Integer(4 * MIB, TIB), "1073741824"),
    // A row number in a block has 16 bits.
    key("storage", "head_records_max", Range::Integer(1_000, 65_536), "65536"),
    key("storage", "head_bytes_max", Range::Integer(MIB, GIB), "16777216"),
    key("storage", "cache_bytes", Range::Integer(MIB, TIB), "268435456"),
    key("storage", "bytes_max", Range::Integer(MIB, 1_024 * TIB), "107374182400"),
    key("storage", "disk_free_bytes_min", Range::Integer(0, TIB), "268435456"),
    key("storage", "scrub_every_secs", Range::Integer(1, 31_536_000), "21600"),
    key("storage", "scrub_bytes_per_sec", Range::Integer(64 * KIB, 100 * GIB), "16777216"),
    key("query", "scanned_bytes_max", Range::Integer(MIB, 1_024 * TIB), "68719476736"),
    key("query", "group_bytes_max", Range::Integer(MIB, TIB), "268435456"),
    key("raft", "heartbeat_ms", Range::Integer(10, 10_000), "100"),
    key("raft", "lease_ms", Range::Integer(30, 120_000), "300"),
    key("http", "certificate", Range::Text(4_096), "\"/etc/insighthub/site.pem\""),
    key("http", "key", Range::Text(4_096), "\"/etc/insighthub/site.key\""),
    key("http", "connections_max", Range::Integer(16, 1_000_000), "10000"),
    key("http", "allowed_origins", Range::Text(4_096), "\"https://logs.example.com\""),
    key("http", "tails_max", Range::Integer(1, 100_000), "2000"),
    key("http", "user_tails_max", Range::Integer(1, 100_000), "100"),
    key("peer_tls", "authority", Range::Text(4_096), "\"/etc/insighthub/ca.pem\""),
    key("peer_tls", "certificate", Range::Text(4_096), "\"/etc/insighthub/n1.pem\""),
    key("peer_tls", "key", Range::Text(4_096), "\"/etc/insighthub/n1.key\""),
    key(
        "detection",
        "record_rule",
        Range::OneOf(&["detector", "isolation_forest", "moving_average"]),
        "\"detector\"",
    ),
    key("access", "trusted_proxies", Range::Text(4_096), "\"10.0.0.0/8\""),
    key("oidc", "issuer", Range::Text(KIB as usize), "\"https://id.example.com\""),
    key("oidc", "client_id", Range::Text(256), "\"insighthub\""),
    key("oidc", "client_secret", Range::Text(KIB as usize), "\"what the provider gave\""),
    key("oidc", "scopes", Range::Text(256), "\"openid email groups\""),
    key("oidc", "name_claim", Range::Text(64), "\"email\""),
    key("oidc", "groups_claim", Range::Text(64), "\"groups\""),
    key("oidc", "admin_group", Range::Text(256), "\"on-call\""),
    key("oidc", "viewer_group", Range::Text(256), "\"staff\""),
    key("alerting", "public_url", Range::Text(KIB as usize), "\"https://logs.example.com\""),
    key("alerting", "allow_addresses", Range::Text(4_096), "\"10.1.0.0/16, 127.0.0.1\""),
    key("enrich", "env", Range::Text(128), "\"production\""),
    key("enrich", "region", Range::Text(128), "\"eu-west-1\""),
    key("log", "format", Range::OneOf(&["text", "json"]), "\"text\""),
    key("log", "filter", Range::Text(KIB as usize), "\"info,openraft=off,ractor_cluster=error,h2=error\""),
];

impl Key {
    /// A node cannot be without it.
    pub(super) fn is_required(&self) -> bool {
        self.section == NODE_SECTION && matches!(self.name, "name" | "http")
    }

    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// What the key may hold, as the end of "expected ...".
    pub(super) fn expected(&self) -> String {
        match self.range {
            Range::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Range::Text(bytes_max) => {
                format!("text in quotes of 1 to {bytes_max} bytes without control characters")
            }
            Range::OneOf(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Range::Address => "an IP address and a port".to_owned(),
        }
    }

    pub(super) fn admits(&self, value: &toml::Value) -> bool {
        match (self.range, value) {
            (Range::Integer(min, max), toml::Value::Integer(number)) => (min..=max).contains(number),
            (Range::Text(bytes_max), toml::Value::String(text)) => {
                (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
            }
            (Range::OneOf(names), toml::Value::String(text)) => names.contains(&text.as_str()),
            (Range::Address, toml::Value::String(text)) => text.parse::<std::net::SocketAddr>().is_ok(),
            _ => false,
        }
    }

    /// The value of a variable in the key's type; text where it is none, for the message.
    pub(super) fn value_of(&self, text: &str) -> toml::Value {
        match (self.range, text.trim().parse()) {
            (Range::Integer(..), Ok(number)) => toml::Value::Integer(number),
            _ => toml::Value::String(text.to_owned()),
        }
    }
}
