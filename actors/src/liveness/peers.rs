//! What is known of the peers: who was heard when, who counts as alive. Knows no sockets and no clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dial::{Dial, GoesFirst};
use super::report::NodeReport;
use super::window::Window;
use super::wire::Mark;

/// Incarnations of a peer that are remembered as gone. A late beat is seconds old; no node restarts so
/// often in that time.
const REPLACED_MAX: usize = 8;

/// What is shown of a peer.
#[derive(Debug, Clone)]
pub struct PeerState {
    pub node_id: u64,
    /// Heard within the deadline, and not leaving.
    pub alive: bool,
    /// The newest report; `None` while the peer was never heard.
    pub report: Option<Arc<NodeReport>>,
    /// When this node last heard it.
    pub last_heard: Option<Instant>,
    /// Sessions with the peer since this node started.
    pub connects: u64,
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) window: Window,
    pub(crate) dial: Dial,
    state: PeerState,
    replaced: VecDeque<u64>,
    /// Its present silence was once put down to this node.
    forgiven: bool,
}

/// All peers of this node.
#[derive(Debug)]
pub(crate) struct Peers {
    own_id: u64,
    dead_after: Duration,
    by_id: BTreeMap<u64, Peer>,
    changed: bool,
}

/// What became of a beat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    Accepted,
    /// Older than what is known.
    Stale,
    /// Of a node that is none of the peers, or that gives itself out for another.
    Unknown,
}

impl Peers {
    /// `seen` is what an earlier incarnation of the actor knew.
    pub(crate) fn new(own_id: u64, dead_after: Duration, seen: &[PeerState], now: Instant) -> Peers {
        let seen = seen.iter().map(|state| {
            let mut peer = Peer::new(own_id, state.node_id, String::new(), now);
            peer.state = state.clone();
            (state.node_id, peer)
        });
        Peers { own_id, dead_after, by_id: seen.collect(), changed: false }
    }

    /// These are the peers from now on; what is known of those that stay is kept.
    pub(crate) fn set(&mut self, addresses: &BTreeMap<u64, String>, now: Instant) {
        let own_id = self.own_id;
        self.by_id.retain(|id, _| addresses.contains_key(id));
        for (id, address) in addresses.iter().filter(|(id, _)| **id != own_id) {
            let peer = self.by_id.entry(*id).or_insert_with(|| Peer::new(own_id, *id, address.clone(), now));
            peer.address.clone_from(address);
        }
    }

    pub(crate) fn hear(&mut self, from: u64, report: NodeReport, now: Instant) -> Hearing {
        let Some(peer) = self.by_id.get_mut(&from).filter(|_| report.node_id == from) else {
            return Hearing::Unknown;
        };
        if peer.is_stale(&report) {
            return Hearing::Stale;
        }
        if let Some(before) = peer.state.report.as_ref().filter(|old| old.incarnation != report.incarnation) {
            peer.replaced.push_back(before.incarnation);
            if peer.replaced.len() > REPLACED_MAX {
                peer.replaced.pop_front();
            }
        }
        peer.dial.succeed();
        peer.forgiven = false;
        peer.state.last_heard = Some(now);
        let alive = !report.stopping;
        peer.state.report = Some(Arc::new(report));
        self.changed |= peer.set_alive(alive);
        Hearing::Accepted
    }

    /// Those who were not heard in time count as dead.
    pub(crate) fn expire(&mut self, now: Instant) {
        for peer in self.by_id.values_mut() {
            let last_heard = peer.state.last_heard;
            let silent = last_heard.is_none_or(|at| now.saturating_duration_since(at) > self.dead_after);
            if silent {
                self.changed |= peer.set_alive(false);
            }
        }
    }

    /// This node itself stood still for `gap` and heard nobody: nobody is to blame for that. Once in a
    /// silence: a node too slow to beat in time must still notice who is dead.
    pub(crate) fn forgive(&mut self, gap: Duration, now: Instant) {
        for peer in self.by_id.values_mut().filter(|peer| peer.state.alive && !peer.forgiven) {
            peer.forgiven = true;
            peer.state.last_heard = peer.state.last_heard.map(|at| (at + gap).min(now));
        }
    }

    pub(crate) fn connected(&mut self, id: u64, now: Instant) {
        if let Some(peer) = self.by_id.get_mut(&id) {
            peer.window = Window::default();
            peer.dial.reset(now);
            peer.state.connects += 1;
        }
    }

    pub(crate) fn get(&mut self, id: u64) -> Option<&mut Peer> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Peer)> {
        self.by_id.iter_mut().map(|(id, peer)| (*id, peer))
    }

    /// The newest beat of each peer: tells it that this one arrived.
    pub(crate) fn heard(&self) -> BTreeMap<u64, Mark> {
        let heard = self.by_id.iter().filter_map(|(id, peer)| {
            let report = peer.state.report.as_ref()?;
            Some((*id, Mark { incarnation: report.incarnation, sequence: report.sequence }))
        });
        heard.collect()
    }

    /// Every peer that is alive has had this beat.
    pub(crate) fn all_have(&self, sequence: u64) -> bool {
        self.by_id.values().filter(|peer| peer.state.alive).all(|peer| peer.window.has_arrived(sequence))
    }

    /// Whether somebody died or came back since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(crate) fn view(&self) -> Vec<PeerState> {
        self.by_id.values().map(|peer| peer.state.clone()).collect()
    }
}

impl Peer {
    fn new(own_id: u64, node_id: u64, address: String, now: Instant) -> Peer {
        let goes_first = if own_id > node_id { GoesFirst::Own } else { GoesFirst::Peer };
        Peer {
            address,
            window: Window::default(),
            dial: Dial::new(goes_first, now),
            state: PeerState { node_id, alive: false, report: None, last_heard: None, connects: 0 },
            replaced: VecDeque::new(),
            forgiven: false,
        }
    }

    pub(crate) fn last_heard(&self) -> Option<Instant> {
        self.state.last_heard
    }

    fn is_stale(&self, report: &NodeReport) -> bool {
        let same = self.state.report.as_ref().filter(|known| known.incarnation == report.incarnation);
        same.is_some_and(|known| report.sequence <= known.sequence)
            || self.replaced.contains(&report.incarnation)
    }

    fn set_alive(&mut self, alive: bool) -> bool {
        if self.state.alive == alive {
            return false;
        }
        self.state.alive = alive;
        let name = self.state.report.as_ref().map_or("", |report| report.name.as_str());
        let stopping = self.state.report.as_ref().is_some_and(|report| report.stopping);
        match (alive, stopping) {
            (true, _) => tracing::info!(node = self.state.node_id, name, "the node is heard"),
            (false, true) => tracing::info!(node = self.state.node_id, name, "the node leaves in order"),
            (false, false) => {
                tracing::warn!(node = self.state.node_id, name, "the node is not heard and counts as dead");
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAD_AFTER: Duration = Duration::from_millis(1_500);

    fn peers(now: Instant) -> Peers {
        let mut peers = Peers::new(1, DEAD_AFTER, &[], now);
        peers.set(&BTreeMap::from([(1, "own".into()), (2, "a".into()), (3, "b".into())]), now);
        peers
    }

    fn report(node_id: u64, incarnation: u64, sequence: u64) -> NodeReport {
        NodeReport { node_id, incarnation, sequence, ..NodeReport::default() }
    }

    fn alive(peers: &Peers) -> Vec<u64> {
        peers.view().iter().filter(|peer| peer.alive).map(|peer| peer.node_id).collect()
    }

    #[test]
    fn a_peer_lives_from_its_first_beat_until_the_deadline_after_its_last() {
        let start = Instant::now();
        let mut peers = peers(start);
        assert_eq!(peers.view().len(), 2, "this node is none of its own peers");
        assert!(alive(&peers).is_empty());
        assert_eq!(peers.hear(2, report(2, 7, 1), start), Hearing::Accepted);
        assert!(peers.take_changed() && !peers.take_changed());
        peers.expire(start + DEAD_AFTER);
        assert_eq!(alive(&peers), [2]);
        peers.expire(start + DEAD_AFTER + Duration::from_millis(1));
        assert!(alive(&peers).is_empty() && peers.take_changed());
    }

    #[test]
    fn an_older_beat_changes_nothing() {
        let now = Instant::now();
        let mut peers = peers(now);
        assert_eq!(peers.hear(2, report(2, 7, 5), now), Hearing::Accepted);
        assert_eq!(peers.hear(2, report(2, 7, 5), now), Hearing::Stale);
        assert_eq!(peers.hear(2, report(2, 7, 4), now), Hearing::Stale);
        // The node restarted, and what it had sent before arrives late.
        assert_eq!(peers.hear(2, report(2, 3, 1), now), Hearing::Accepted);
        assert_eq!(peers.hear(2, report(2, 7, 6), now), Hearing::Stale);
        assert_eq!(peers.hear(2, report(2, 3, 2), now), Hearing::Accepted);
        assert_eq!(peers.heard()[&2], Mark { incarnation: 3, sequence: 2 });
        for incarnation in 100..200 {
            assert_eq!(peers.hear(2, report(2, incarnation, 1), now), Hearing::Accepted);
        }
        assert_eq!(peers.by_id[&2].replaced.len(), REPLACED_MAX);
    }

    #[test]
    fn strangers_and_impostors_are_not_heard() {
        let now = Instant::now();
        let mut peers = peers(now);
        assert_eq!(peers.hear(9, report(9, 1, 1), now), Hearing::Unknown);
        assert_eq!(peers.hear(2, report(3, 1, 1), now), Hearing::Unknown);
        assert_eq!(peers.hear(1, report(1, 1, 1), now), Hearing::Unknown);
        assert!(alive(&peers).is_empty());
    }

    #[test]
    fn a_node_that_leaves_in_order_is_gone_at_once_and_back_with_its_next_start() {
        let now = Instant::now();
        let mut peers = peers(now);
        assert_eq!(peers.hear(2, report(2, 1, 1), now), Hearing::Accepted);
        let leaving = NodeReport { stopping: true, ..report(2, 1, 2) };
        assert_eq!(peers.hear(2, leaving, now), Hearing::Accepted);
        assert!(alive(&peers).is_empty());
        assert_eq!(peers.hear(2, report(2, 2, 1), now), Hearing::Accepted);
        assert_eq!(alive(&peers), [2]);
    }

    #[test]
    fn a_node_that_stood_still_does_not_bury_the_others() {
        let start = Instant::now();
        let mut peers = peers(start);
        assert_eq!(peers.hear(2, report(2, 1, 1), start), Hearing::Accepted);
        let woken = start + Duration::from_secs(60);
        peers.forgive(Duration::from_secs(60), woken);
        peers.expire(woken + DEAD_AFTER);
        assert_eq!(alive(&peers), [2]);
        peers.expire(woken + DEAD_AFTER + Duration::from_millis(1));
        assert!(alive(&peers).is_empty());
    }

    #[test]
    fn a_node_that_is_always_slow_notices_the_dead_all_the_same() {
        let start = Instant::now();
        let mut peers = peers(start);
        assert_eq!(peers.hear(2, report(2, 1, 1), start), Hearing::Accepted);
        for second in 1..=3 {
            let now = start + Duration::from_secs(second);
            peers.forgive(Duration::from_secs(1), now);
            peers.expire(now);
        }
        assert!(alive(&peers).is_empty());
    }

    #[test]
    fn what_is_known_survives_the_actor_but_not_removal() {
        let now = Instant::now();
        let mut before = peers(now);
        assert_eq!(before.hear(2, report(2, 1, 8), now), Hearing::Accepted);
        let mut after = Peers::new(1, DEAD_AFTER, &before.view(), now);
        after.set(&BTreeMap::from([(2, "a".into()), (3, "b".into())]), now);
        assert_eq!(alive(&after), [2]);
        assert_eq!(after.hear(2, report(2, 1, 8), now), Hearing::Stale);
        after.set(&BTreeMap::from([(3, "c".into())]), now);
        assert_eq!(after.view().len(), 1);
        assert_eq!(after.get(3).unwrap().address, "c");
    }
}
