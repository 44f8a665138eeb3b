//! What `cargo xtask up` needs from cluster.toml: the nodes and their addresses. The node itself checks
//! the rest.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};

use crate::step::root;

/// A node to start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NodeEntry {
    pub(crate) name: String,
    pub(crate) http: SocketAddr,
    /// Its addresses for other nodes; a node alone may have none.
    pub(crate) between: Vec<SocketAddr>,
}

impl NodeEntry {
    /// Everything it listens on.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.http].into_iter().chain(self.between.iter().copied())
    }
}

/// The nodes of cluster.toml, in their order.
pub(crate) fn nodes() -> Result<Vec<NodeEntry>> {
    parse(&read()?).context("in cluster.toml")
}

/// The text of cluster.toml with its first `count` nodes only.
pub(crate) fn with_first_nodes(count: usize) -> Result<String> {
    let mut table: toml::Table = read()?.parse().context("in cluster.toml")?;
    if let Some(nodes) = table.get_mut("node").and_then(|nodes| nodes.as_array_mut()) {
        nodes.truncate(count);
    }
    Ok(toml::to_string(&table)?)
}

fn read() -> Result<String> {
    fs::read_to_string(root().join("cluster.toml")).context("cannot read cluster.toml")
}

fn parse(text: &str) -> Result<Vec<NodeEntry>> {
    let table: toml::Table = text.parse()?;
    let entries = table.get("node").and_then(|node| node.as_array()).context("there is no [[node]]")?;
    let mut nodes = Vec::new();
    for entry in entries {
        let name = entry.get("name").and_then(|name| name.as_str()).context("a [[node]] has no name")?;
        let mut between = Vec::new();
        for key in ["peer", "control"] {
            between.extend(address(entry, key)?);
        }
        let http = address(entry, "http")?.with_context(|| format!("node {name} has no http"))?;
        nodes.push(NodeEntry { name: name.to_owned(), http, between });
    }
    if nodes.is_empty() {
        bail!("there is no [[node]]");
    }
    Ok(nodes)
}

fn address(entry: &toml::Value, key: &str) -> Result<Option<SocketAddr>> {
    let Some(text) = entry.get(key).and_then(|text| text.as_str()) else { return Ok(None) };
    let parsed = text.parse();
    parsed.map(Some).with_context(|| format!("node.{key} {text:?} is no address like 127.0.0.1:8000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_checkout_is_understood() {
        let nodes = nodes().unwrap();
        assert_eq!(nodes.first().unwrap().name, "n1");
        assert_eq!(nodes.len(), 3, "one node more than may fail, and one");
        assert!(nodes.iter().all(|node| node.addresses().count() == 3));
    }

    #[test]
    fn the_first_node_alone_keeps_every_other_setting() {
        let text = with_first_nodes(1).unwrap();
        assert_eq!(parse(&text).unwrap().len(), 1);
        let (all, one): (toml::Table, toml::Table) =
            (read().unwrap().parse().unwrap(), text.parse().unwrap());
        assert!(
            all.iter().filter(|(name, _)| *name != "node").all(|(name, value)| one.get(name) == Some(value))
        );
    }

    #[test]
    fn a_node_without_an_address_is_named() {
        let error = parse("[[node]]\nname = \"n1\"").unwrap_err();
        assert_eq!(error.to_string(), "node n1 has no http");
        let error = parse("[[node]]\nname = \"n1\"\nhttp = \"here\"").unwrap_err();
        assert!(error.to_string().contains("\"here\""));
    }
}
