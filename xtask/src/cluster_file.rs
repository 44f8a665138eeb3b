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
}

/// The nodes of cluster.toml, in their order.
pub(crate) fn nodes() -> Result<Vec<NodeEntry>> {
    let path = root().join("cluster.toml");
    let text = fs::read_to_string(&path).context("cannot read cluster.toml")?;
    parse(&text).context("in cluster.toml")
}

fn parse(text: &str) -> Result<Vec<NodeEntry>> {
    let table: toml::Table = text.parse()?;
    let entries = table.get("node").and_then(|node| node.as_array()).context("there is no [[node]]")?;
    let mut nodes = Vec::new();
    for entry in entries {
        let field = |name: &str| {
            let value = entry.get(name).and_then(|value| value.as_str());
            value.with_context(|| format!("a [[node]] has no {name}"))
        };
        let (name, http) = (field("name")?.to_owned(), field("http")?);
        let http =
            http.parse().with_context(|| format!("node.http {http:?} is no address like 127.0.0.1:8000"))?;
        nodes.push(NodeEntry { name, http });
    }
    if nodes.is_empty() {
        bail!("there is no [[node]]");
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_checkout_is_understood() {
        let nodes = nodes().unwrap();
        assert_eq!(nodes.first().unwrap().name, "n1");
    }

    #[test]
    fn a_node_without_an_address_is_named() {
        let error = parse("[[node]]\nname = \"n1\"").unwrap_err();
        assert_eq!(error.to_string(), "a [[node]] has no http");
        let error = parse("[[node]]\nname = \"n1\"\nhttp = \"here\"").unwrap_err();
        assert!(error.to_string().contains("\"here\""));
    }
}
