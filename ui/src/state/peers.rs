//! Which node the page asks: the one it came from, and when that is gone another, without a reload.

/// Where pages are served, as the browser names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// `http:` or `https:`.
    pub protocol: String,
    /// Name without port.
    pub hostname: String,
    /// Name and port.
    pub host: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Name in the cluster; empty until it is known.
    pub name: String,
    /// Name and port, as this browser reaches it.
    pub host: String,
}

/// Nodes that may be asked, the page's own first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    list: Vec<Peer>,
    current: usize,
    /// What the cluster calls the machine of the node that served the page.
    home_machine: Option<String>,
}

impl Peers {
    pub fn alone(location: &Location) -> Peers {
        Peers { list: vec![Peer { name: String::new(), host: location.host.clone() }], ..Peers::default() }
    }

    /// The node that is asked now.
    pub fn current(&self) -> Option<&Peer> {
        self.list.get(self.current)
    }

    /// Whether it is the one that served the page.
    pub fn is_at_home(&self) -> bool {
        self.current == 0
    }

    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether the page came from this host.
    pub fn is_home(&self, host: &str) -> bool {
        self.list.first().is_some_and(|home| home.host == host)
    }

    /// Takes the nodes of the cluster, `(name, address)`, as the node `answering` tells them. Nodes on the same machine as it are
    /// reached under the name by which the browser reaches the machine: `localhost` is not `127.0.0.1` to a cookie.
    pub fn learn(&mut self, location: &Location, answering: &str, nodes: &[(String, String)]) {
        if self.is_at_home() {
            let home = nodes.iter().find(|(name, _)| name == answering);
            self.home_machine = home.map(|(_, address)| host_of(address).to_owned());
        }
        let mut list: Vec<Peer> = Vec::new();
        for (name, address) in nodes.iter().filter(|(_, address)| !address.is_empty()) {
            let host = if self.home_machine.as_deref() == Some(host_of(address)) {
                format!("{}{}", location.hostname, port_of(address))
            } else {
                address.clone()
            };
            if !list.iter().any(|known| known.host == host) {
                list.push(Peer { name: name.clone(), host });
            }
        }
        let asked = self.current().map(|peer| peer.host.clone());
        let home = list.iter().position(|peer| peer.host == location.host);
        let home = home.map(|position| list.remove(position));
        // Behind a proxy the page's own host is none of the nodes', and other nodes cannot be reached past it.
        let Some(home) = home else { return };
        list.insert(0, home);
        self.current = asked.and_then(|asked| list.iter().position(|peer| peer.host == asked)).unwrap_or(0);
        self.list = list;
    }

    /// This one does not answer: the next is asked from now on. Says whether there is another.
    pub fn failed(&mut self, host: &str) -> bool {
        let is_current = self.current().is_some_and(|peer| peer.host == host);
        if is_current && self.list.len() > 1 {
            self.current = (self.current + 1) % self.list.len();
        }
        self.list.len() > 1
    }

    /// What to put before a path: nothing at home, else the origin.
    pub fn origin(&self, location: &Location) -> String {
        match self.current() {
            Some(peer) if !self.is_at_home() => format!("{}//{}", location.protocol, peer.host),
            _ => String::new(),
        }
    }
}

fn host_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

fn port_of(address: &str) -> &str {
    address.rfind(':').and_then(|at| address.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(host: &str) -> Location {
        let hostname = host_of(host).to_owned();
        Location { protocol: "http:".to_owned(), hostname, host: host.to_owned() }
    }

    fn nodes(addresses: [&str; 3]) -> Vec<(String, String)> {
        addresses
            .iter()
            .zip(["n1", "n2", "n3"])
            .map(|(address, name)| (name.to_owned(), (*address).to_owned()))
            .collect()
    }

    #[test]
    fn nodes_of_this_machine_are_called_as_the_browser_calls_it() {
        let at = location("localhost:8001");
        let mut peers = Peers::alone(&at);
        peers.learn(&at, "n2", &nodes(["127.0.0.1:8000", "127.0.0.1:8001", "127.0.0.1:8002"]));
        assert_eq!(peers.current().map(|peer| peer.name.as_str()), Some("n2"));
        assert_eq!(peers.origin(&at), "");
        assert!(peers.failed("localhost:8001"));
        assert_eq!(peers.origin(&at), "http://localhost:8000");
        // A late failure of the first is no failure of the second.
        peers.failed("localhost:8001");
        assert_eq!(peers.origin(&at), "http://localhost:8000");
        peers.failed("localhost:8000");
        peers.failed("localhost:8002");
        assert!(peers.is_at_home());
    }

    #[test]
    fn the_node_that_is_asked_stays_when_the_list_is_learned_again() {
        let at = location("a.example:8000");
        let mut peers = Peers::alone(&at);
        let list = nodes(["a.example:8000", "b.example:8000", "c.example:8000"]);
        peers.learn(&at, "n1", &list);
        peers.failed("a.example:8000");
        peers.learn(&at, "n2", &list);
        assert_eq!(peers.origin(&at), "http://b.example:8000");
    }

    #[test]
    fn behind_a_proxy_there_is_one_way() {
        let at = location("logs.example");
        let mut peers = Peers::alone(&at);
        peers.learn(&at, "n1", &nodes(["10.0.0.1:8000", "10.0.0.2:8000", "10.0.0.3:8000"]));
        assert_eq!(peers.count(), 1);
        assert!(!peers.failed("logs.example"));
    }
}
