//! Holds a configuration against the table of keys, so that a mistake is told in full at the start:
//! which key, what it holds, what it may hold, and an example.

use std::collections::BTreeSet;

use insighthub_actors::alerting::delivery::AllowList;
use insighthub_storage::transport::SECRET_BYTES_MIN;

use super::keys::{Key, keys, keys_of};
use super::nearest::nearest;
use super::sections::{NODE, NodeConfig, SECTIONS};
use super::{Config, Profile, VARIABLE_PREFIX, variables};
use super::{check_access, check_syslog};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("cannot read {path}, which {variable} names: {source}")]
    UnreadableFile { variable: String, path: String, source: std::io::Error },
    #[error("the configuration is not TOML: {0}")]
    Syntax(String),
    #[error("{name} is no key of the configuration{}", suggestion(.nearest))]
    UnknownKey { name: String, nearest: Option<String> },
    #[error("{key} is {value}: expected {expected}, for example {example}")]
    Value { key: String, value: String, expected: String, example: String },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |nearest| format!(": did you mean {nearest}?"))
}

impl ConfigError {
    pub(super) fn syntax(error: toml::de::Error) -> ConfigError {
        ConfigError::Syntax(error.to_string().trim_end().to_owned())
    }

    pub(super) fn together(key: &str, value: impl ToString, expected: String, example: &str) -> ConfigError {
        ConfigError::Value {
            key: key.to_owned(),
            value: value.to_string(),
            expected,
            example: example.to_owned(),
        }
    }
}

/// Puts the variables `INSIGHTHUB_SECTION__KEY` over what the file says.
pub(super) fn override_from(table: &mut toml::Table, given: &[(String, String)]) -> Result<(), ConfigError> {
    for (variable, text) in given {
        // Names without the separator are no keys: INSIGHTHUB_CONFIG and the like.
        let Some(path) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
        let Some((section, name)) = path.split_once(variables::SEPARATOR) else { continue };
        let (section, name) = (section.to_ascii_lowercase(), name.to_ascii_lowercase());
        let Some(key) = find(&section, &name).filter(|key| key.section != NODE) else {
            let nearest = nearest_path(&section, &name).map(|path| variable_of(&path));
            return Err(ConfigError::UnknownKey { name: variable.clone(), nearest });
        };
        let value = key.value_of(text);
        check_value(&key, &value, variable)?;
        let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(name, value);
        }
    }
    Ok(())
}

fn variable_of(path: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", path.replace('.', variables::SEPARATOR).to_ascii_uppercase())
}

fn find(section: &str, name: &str) -> Option<Key> {
    keys().find(|key| key.section == section && key.setting.name == name)
}

fn nearest_path(section: &str, name: &str) -> Option<String> {
    nearest(&format!("{section}.{name}"), keys().map(|key| key.path()))
}

/// Checks every key and value that the file and the variables give.
pub(super) fn check_keys(table: &toml::Table) -> Result<(), ConfigError> {
    let sections: BTreeSet<&str> = SECTIONS.iter().map(|section| section.name).collect();
    for (section, value) in table {
        if !sections.contains(section.as_str()) {
            let nearest = nearest(section, sections.iter().map(|name| (*name).to_owned()));
            return Err(ConfigError::UnknownKey { name: section.clone(), nearest });
        }
        match value {
            toml::Value::Table(keys) if section != NODE => check_section(section, keys)?,
            toml::Value::Array(nodes) if section == NODE => check_nodes(nodes)?,
            other => return Err(no_section(section, other)),
        }
    }
    Ok(())
}

fn no_section(section: &str, value: &toml::Value) -> ConfigError {
    let (expected, example) = match section {
        NODE => ("one [[node]] for each node", "[[node]]".to_owned()),
        section => ("a section", format!("[{section}]")),
    };
    let value = match value {
        toml::Value::Table(_) => "a single section".to_owned(),
        other => other.to_string(),
    };
    ConfigError::Value { key: section.to_owned(), value, expected: expected.to_owned(), example }
}

fn check_section(section: &str, keys: &toml::Table) -> Result<(), ConfigError> {
    for (name, value) in keys {
        let Some(key) = find(section, name) else {
            let nearest = nearest_path(section, name);
            return Err(ConfigError::UnknownKey { name: format!("{section}.{name}"), nearest });
        };
        check_value(&key, value, &key.path())?;
    }
    Ok(())
}

fn check_nodes(nodes: &[toml::Value]) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    for node in nodes {
        let Some(keys) = node.as_table() else { return Err(no_section(NODE, node)) };
        check_section(NODE, keys)?;
        for key in keys_of(NodeConfig::SECTION) {
            let Some(value) = keys.get(key.setting.name) else {
                if !key.is_required() {
                    continue;
                }
                return Err(ConfigError::Value {
                    key: key.path(),
                    value: "missing".to_owned(),
                    expected: key.expected(),
                    example: key.setting.example(),
                });
            };
            // No two nodes share a name, and no two doors an address.
            let kind = match key.setting.name {
                "name" => "name",
                // Datagrams have ports of their own.
                "syslog_udp" => "address of datagrams",
                _ => "address",
            };
            let unique = names.insert((kind, value.to_string()));
            if !unique {
                let expected = "another value for each node".to_owned();
                return Err(ConfigError::together(&key.path(), value, expected, &key.setting.example()));
            }
        }
    }
    Ok(())
}

/// `shown` is the key's name as the operator wrote it: a path or a variable.
fn check_value(key: &Key, value: &toml::Value, shown: &str) -> Result<(), ConfigError> {
    if key.admits(value) {
        return Ok(());
    }
    Err(ConfigError::Value {
        key: shown.to_owned(),
        value: if matches!(key.setting.name, "secret" | "client_secret") {
            "not usable".to_owned()
        } else {
            value.to_string()
        },
        expected: key.expected(),
        example: key.setting.example(),
    })
}

/// Checks what several values say together.
pub(super) fn check_together(config: &Config) -> Result<(), ConfigError> {
    let (limits, storage, raft) = (&config.limits, &config.storage, &config.raft);
    if config.cluster.profile == Profile::Development {
        check_loopback(config)?;
    }
    check_peers(config)?;
    check_alerting(config)?;
    check_access::check(config)?;
    check_syslog::check(config)?;
    check_http(config)?;
    if limits.record_bytes_max > limits.inflated_bytes_max {
        let expected = format!("at most limits.inflated_bytes_max ({})", limits.inflated_bytes_max);
        return Err(ConfigError::together(
            "limits.record_bytes_max",
            limits.record_bytes_max,
            expected,
            "1048576",
        ));
    }
    // Segments are purged whole: with fewer there is never one to purge.
    if storage.wal_bytes_max < storage.wal_segment_bytes.saturating_mul(4) {
        let expected = format!("at least 4 x storage.wal_segment_bytes ({})", storage.wal_segment_bytes);
        return Err(ConfigError::together(
            "storage.wal_bytes_max",
            storage.wal_bytes_max,
            expected,
            "1073741824",
        ));
    }
    // One late heartbeat must not start an election.
    if raft.lease_ms < raft.heartbeat_ms.saturating_mul(2) {
        let expected = format!("at least 2 x raft.heartbeat_ms ({})", raft.heartbeat_ms);
        return Err(ConfigError::together("raft.lease_ms", raft.lease_ms, expected, "300"));
    }
    Ok(())
}

fn check_loopback(config: &Config) -> Result<(), ConfigError> {
    for node in &config.nodes {
        let addresses = [
            ("node.http", Some(node.http), "\"127.0.0.1:8000\""),
            ("node.otlp", node.otlp, "\"127.0.0.1:4317\""),
        ];
        for (key, address, example) in addresses {
            if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
                let expected =
                    "a loopback address, because the development profile lets anybody in".to_owned();
                return Err(ConfigError::together(key, address, expected, example));
            }
        }
    }
    Ok(())
}

fn check_alerting(config: &Config) -> Result<(), ConfigError> {
    let alerting = &config.alerting;
    if let Some(url) = &alerting.public_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        let expected = "an address that begins with https:// or http://".to_owned();
        return Err(ConfigError::together(
            "alerting.public_url",
            url,
            expected,
            "\"https://logs.example.com\"",
        ));
    }
    if let Some(list) = &alerting.allow_addresses
        && let Err(error) = list.parse::<AllowList>()
    {
        let expected = format!("addresses and networks with commas between them ({error})");
        return Err(ConfigError::together(
            "alerting.allow_addresses",
            list,
            expected,
            "\"10.1.0.0/16, 127.0.0.1\"",
        ));
    }
    Ok(())
}

fn check_http(config: &Config) -> Result<(), ConfigError> {
    let http = &config.http;
    let missing = match (&http.certificate, &http.key) {
        (Some(_), None) => Some(("http.key", "http.certificate", "\"/etc/insighthub/site.key\"")),
        (None, Some(_)) => Some(("http.certificate", "http.key", "\"/etc/insighthub/site.pem\"")),
        _ => None,
    };
    if let Some((key, other, example)) = missing {
        let expected = format!("a PEM file, because {other} is set");
        return Err(ConfigError::together(key, "missing", expected, example));
    }
    if let Some(list) = &http.allowed_origins
        && let Some(origin) = list.split(',').map(str::trim).find(|origin| !is_origin(origin))
    {
        let expected = "origins with commas between them: scheme, host and port without a path".to_owned();
        return Err(ConfigError::together(
            "http.allowed_origins",
            format!("{list:?} with {origin:?} in it"),
            expected,
            "\"https://logs.example.com\"",
        ));
    }
    Ok(())
}

/// As browsers send it in the header `Origin`; `*` and `null` are none.
fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    authority.is_some_and(|authority| {
        !authority.is_empty()
            && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    })
}

/// Nodes that are several must reach each other, and strangers must not.
fn check_peers(config: &Config) -> Result<(), ConfigError> {
    let several = config.nodes.len() > 1;
    for node in &config.nodes {
        for (key, address, example) in [
            ("node.peer", node.peer, "\"127.0.0.1:7000\""),
            ("node.control", node.control, "\"127.0.0.1:7100\""),
        ] {
            let Some(address) = address else {
                if several {
                    let expected = format!("an address for {}, because there are several nodes", node.name);
                    return Err(ConfigError::together(key, "missing", expected, example));
                }
                continue;
            };
            if !address.ip().is_loopback() && config.cluster.secret.is_none() {
                let expected = "the same on every node, because peers listen beyond loopback".to_owned();
                let example = "\"64 random hex digits\"";
                return Err(ConfigError::together("cluster.secret", "missing", expected, example));
            }
        }
    }
    if let Some(secret) = &config.cluster.secret
        && secret.reveal().len() < SECRET_BYTES_MIN
    {
        let found = format!("{} bytes long", secret.reveal().len());
        let expected = format!("at least {SECRET_BYTES_MIN} random bytes");
        return Err(ConfigError::together("cluster.secret", found, expected, "\"64 random hex digits\""));
    }
    let tls = &config.peer_tls;
    let given = [&tls.authority, &tls.certificate, &tls.key].iter().filter(|file| file.is_some()).count();
    if !matches!(given, 0 | 3) {
        let expected = "authority, certificate and key, or none of them".to_owned();
        return Err(ConfigError::together("peer_tls", format!("{given} of 3 files"), expected, "[peer_tls]"));
    }
    Ok(())
}
