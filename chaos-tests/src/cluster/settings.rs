//! The configuration files of a cluster under test: one per node, naming the others by their links.

use std::net::SocketAddr;

/// What the nodes of a test agree on.
#[derive(Debug, Clone)]
pub struct Settings {
    pub partitions: u16,
    pub replicas: usize,
    pub secret: String,
}

/// One `[[node]]` as one node's file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub http: SocketAddr,
    /// Peer and control; a cluster of one needs neither.
    pub between: Option<(SocketAddr, SocketAddr)>,
    /// Further doors for clients, by the key that opens them.
    pub doors: Vec<(&'static str, SocketAddr)>,
}

impl Settings {
    /// The file of one node.
    pub fn file(&self, entries: &[Entry]) -> String {
        let mut text = format!(
            "[cluster]\nname = \"chaos\"\npartitions = {}\nprofile = \"development\"\n",
            self.partitions
        );
        let is_several = entries.iter().any(|entry| entry.between.is_some());
        if is_several {
            text.push_str(&format!("replicas = {}\nsecret = \"{}\"\n", self.replicas, self.secret));
        }
        for entry in entries {
            text.push_str(&format!("\n[[node]]\nname = \"{}\"\nhttp = \"{}\"\n", entry.name, entry.http));
            if let Some((peer, control)) = entry.between {
                text.push_str(&format!("peer = \"{peer}\"\ncontrol = \"{control}\"\n"));
            }
            for (key, address) in &entry.doors {
                text.push_str(&format!("{key} = \"{address}\"\n"));
            }
        }
        text
    }
}

/// The smallest heads and logs a node allows, so that blocks, snapshots and purges happen all the time,
/// and Raft times that a debug build on a small machine keeps while it is under load.
pub fn small_and_patient() -> Vec<(String, String)> {
    let pairs = [
        ("INSIGHTHUB_STORAGE__HEAD_RECORDS_MAX", "1000"),
        ("INSIGHTHUB_STORAGE__HEAD_BYTES_MAX", "1048576"),
        ("INSIGHTHUB_STORAGE__WAL_SEGMENT_BYTES", "1048576"),
        ("INSIGHTHUB_STORAGE__WAL_BYTES_MAX", "4194304"),
        ("INSIGHTHUB_RAFT__HEARTBEAT_MS", "200"),
        ("INSIGHTHUB_RAFT__LEASE_MS", "800"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_every_node_with_what_this_one_dials() {
        let settings = Settings { partitions: 4, replicas: 3, secret: "s".to_owned() };
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let entry = |name: &str, port| Entry {
            name: name.to_owned(),
            http: address(port),
            between: Some((address(port + 1), address(port + 2))),
            doors: vec![("otlp", address(port + 3))],
        };
        let text = settings.file(&[entry("n1", 10), entry("n2", 20)]);
        assert!(text.contains("replicas = 3"), "{text}");
        assert!(text.contains("name = \"n2\"\nhttp = \"127.0.0.1:20\"\npeer = \"127.0.0.1:21\""), "{text}");
        assert!(text.contains("control = \"127.0.0.1:22\"\notlp = \"127.0.0.1:23\""), "{text}");
        let alone = Entry { between: None, ..entry("n1", 10) };
        assert!(!settings.file(&[alone]).contains("secret"), "a cluster of one has no peers to prove it to");
    }
}
