//! All links between the nodes of a cluster: one relay per ordered pair and plane.
//!
//! Knows pairs of nodes and bytes between them; which pair is cut when is the nemesis' business.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};

use super::link::{Direction, Link, Weather};

/// What travels between nodes, each on addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plane {
    /// Raft, and requests between nodes.
    Peer,
    /// Liveness.
    Control,
}

pub const PLANES: [Plane; 2] = [Plane::Peer, Plane::Control];

/// Who dials: a node, or whoever learnt the address from the cluster (a node that joined later).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialer {
    Node(usize),
    Anyone,
}

/// Where a node listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    pub peer: SocketAddr,
    pub control: SocketAddr,
}

/// The links by dialing node, dialed node and plane.
#[derive(Debug, Default)]
pub struct Links {
    links: BTreeMap<(Dialer, usize, Plane), Link>,
}

impl Links {
    /// A link for each of `dialers` to each other node.
    pub async fn open(nodes: &[Listening], pairs: &[(Dialer, usize)]) -> Result<Links> {
        let mut links = BTreeMap::new();
        for (dialer, dialed) in pairs {
            let target = nodes.get(*dialed).context("a link to a node that is not there")?;
            for (plane, address) in [(Plane::Peer, target.peer), (Plane::Control, target.control)] {
                links.insert((*dialer, *dialed, plane), Link::open(address).await?);
            }
        }
        Ok(Links { links })
    }

    /// What `dialer` has to dial to reach `dialed`.
    pub fn address(&self, dialer: Dialer, dialed: usize, plane: Plane) -> Option<SocketAddr> {
        self.links.get(&(dialer, dialed, plane)).map(Link::address)
    }

    /// Weather for everything that travels from one node to another, whoever dialed.
    pub fn set(&self, from: usize, to: usize, weather: Weather) {
        for (link, direction) in self.carrying(from, to) {
            link.set(direction, weather);
        }
    }

    /// Ends the connections between two nodes with a RST; new ones come through.
    pub fn reset(&self, from: usize, to: usize) {
        for (link, _) in self.carrying(from, to) {
            link.reset();
        }
    }

    pub fn heal(&self) {
        for link in self.links.values() {
            link.set(Direction::There, Weather::default());
            link.set(Direction::Back, Weather::default());
        }
    }

    /// Bytes that went from one node to the other.
    pub fn passed_bytes(&self, from: usize, to: usize) -> u64 {
        self.carrying(from, to).map(|(link, direction)| link.passed_bytes(direction)).sum()
    }

    /// What one node tried to send to the other and could not.
    pub fn held(&self, from: usize, to: usize) -> u64 {
        self.carrying(from, to).map(|(link, direction)| link.held(direction)).sum()
    }

    pub fn resets(&self, from: usize, to: usize) -> u64 {
        self.carrying(from, to).map(|(link, _)| link.resets()).sum()
    }

    fn carrying(&self, from: usize, to: usize) -> impl Iterator<Item = (&Link, Direction)> {
        self.links.iter().filter_map(move |((dialer, dialed, _), link)| match (*dialer, *dialed) {
            (Dialer::Node(dialer), dialed) if (dialer, dialed) == (from, to) => {
                Some((link, Direction::There))
            }
            (Dialer::Node(dialer), dialed) if (dialer, dialed) == (to, from) => Some((link, Direction::Back)),
            (Dialer::Anyone, dialed) if dialed == to => Some((link, Direction::There)),
            (Dialer::Anyone, dialed) if dialed == from => Some((link, Direction::Back)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_cut_from_one_node_to_another_stops_that_way_on_connections_of_both() {
        let listener = || async { TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap() };
        let (first, second) = (listener().await, listener().await);
        let at = |listener: &TcpListener| {
            let address = listener.local_addr().unwrap();
            Listening { peer: address, control: address }
        };
        let pairs = [(Dialer::Node(0), 1), (Dialer::Node(1), 0)];
        let links = Links::open(&[at(&first), at(&second)], &pairs).await.unwrap();
        let dial = |dialer, dialed| {
            let address = links.address(Dialer::Node(dialer), dialed, Plane::Peer).unwrap();
            async move { TcpStream::connect(address).await.unwrap() }
        };
        let (mut first_dials, mut second_dials) = (dial(0, 1).await, dial(1, 0).await);
        let (mut second_end, mut first_end) =
            (second.accept().await.unwrap().0, first.accept().await.unwrap().0);
        links.set(0, 1, Weather::CUT);
        for socket in [&mut first_dials, &mut second_dials, &mut first_end, &mut second_end] {
            socket.write_all(b"x").await.unwrap();
        }
        let mut byte = [0];
        // From node 1 to node 0 everything comes through, on both connections.
        first_dials.read_exact(&mut byte).await.unwrap();
        first_end.read_exact(&mut byte).await.unwrap();
        for socket in [&mut second_end, &mut second_dials] {
            let heard = tokio::time::timeout(Duration::from_millis(100), socket.read_exact(&mut byte)).await;
            assert!(heard.is_err(), "node 1 heard node 0 through the cut");
        }
        assert_eq!((links.passed_bytes(0, 1), links.passed_bytes(1, 0)), (0, 2));
        assert_eq!(links.held(0, 1), 2);
        links.heal();
        second_end.read_exact(&mut byte).await.unwrap();
        second_dials.read_exact(&mut byte).await.unwrap();
    }
}
