//! The node this page talks to, shared by requests and sockets, and whether it answers.

use std::cell::RefCell;

use yew::Callback;

use crate::api::cluster::Cluster;
use crate::browser::{address, clock};
use crate::state::connection::Health;
use crate::state::peers::Peers;

/// After this long without an answer the screen says that what it shows is old.
const STALE_AFTER_MS: f64 = 7_000.0;

#[derive(Default)]
struct Known {
    peers: Peers,
    /// Since when nobody has answered.
    silent_since_ms: Option<f64>,
    has_answered: bool,
    on_change: Option<Callback<()>>,
}

thread_local! {
    static KNOWN: RefCell<Known> =
        RefCell::new(Known { peers: Peers::alone(&address::location()), ..Known::default() });
}

/// The node that is asked now: its host, and what to put before a path.
pub(super) fn current() -> (String, String) {
    KNOWN.with_borrow(|known| {
        let host = known.peers.current().map(|peer| peer.host.clone()).unwrap_or_default();
        (host, known.peers.origin(&address::location()))
    })
}

pub(super) fn count() -> usize {
    KNOWN.with_borrow(|known| known.peers.count())
}

/// This node answered, whatever it said.
pub(super) fn heard() {
    let was_silent = KNOWN.with_borrow_mut(|known| {
        let was_first = !std::mem::replace(&mut known.has_answered, true);
        known.silent_since_ms.take().is_some() || was_first
    });
    if was_silent {
        tell();
    }
}

/// This node does not answer.
pub(super) fn lost(host: &str) {
    KNOWN.with_borrow_mut(|known| {
        known.peers.failed(host);
        known.silent_since_ms.get_or_insert_with(clock::now_ms);
    });
    tell();
}

/// This node cannot answer as things are; another may.
pub(super) fn pass_over(host: &str) {
    KNOWN.with_borrow_mut(|known| known.peers.failed(host));
    tell();
}

/// Takes the nodes of the cluster.
pub fn learn(cluster: &Cluster) {
    let nodes: Vec<(String, String)> =
        cluster.nodes.iter().map(|node| (node.name.clone(), node.http.clone())).collect();
    KNOWN.with_borrow_mut(|known| known.peers.learn(&address::location(), &cluster.node, &nodes));
    tell();
}

/// Name of the node that is asked, its address where the name is not known yet.
pub fn name() -> String {
    KNOWN.with_borrow(|known| {
        let peer = known.peers.current();
        peer.map(|peer| if peer.name.is_empty() { peer.host.clone() } else { peer.name.clone() })
            .unwrap_or_default()
    })
}

/// Whether the node that served the page is the one that is asked.
pub fn is_at_home() -> bool {
    KNOWN.with_borrow(|known| known.peers.is_at_home())
}

pub fn health() -> Health {
    KNOWN.with_borrow(|known| match known.silent_since_ms {
        None if known.has_answered => Health::Connected,
        None => Health::Connecting,
        Some(since_ms) => {
            let silent_ms = clock::now_ms() - since_ms;
            if silent_ms > STALE_AFTER_MS {
                Health::Stale { for_secs: (silent_ms / 1_000.0) as u32 }
            } else {
                Health::Reconnecting { retry_in_secs: 0 }
            }
        }
    })
}

/// Who is told when any of this changes; one at a time.
pub fn on_change(callback: Option<Callback<()>>) {
    KNOWN.with_borrow_mut(|known| known.on_change = callback);
}

fn tell() {
    let callback = KNOWN.with_borrow(|known| known.on_change.clone());
    if let Some(callback) = callback {
        callback.emit(());
    }
}
