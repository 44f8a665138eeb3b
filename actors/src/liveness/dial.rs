//! When to connect to a peer. ractor_cluster connects when it is told to and never again by itself.

use std::time::{Duration, Instant};

/// The pause after the first failed attempt.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// A peer that comes back must be heard within three seconds, so that the pause does not grow far. One
/// attempt in half a second costs nothing.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// How long one attempt to connect may take; a packet that was lost is not sent again for a second.
pub(crate) const CONNECT_MAX: Duration = Duration::from_millis(750);
/// Of two nodes that connect to each other at once ractor_cluster keeps one connection, that of the
/// node whose name sorts last. The other node waits this long before it tries too.
const DEFERENCE: Duration = Duration::from_millis(300);

/// The attempts to reach one peer.
#[derive(Debug)]
pub(crate) struct Dial {
    stage: Stage,
    pause: Duration,
    deference: Duration,
}

#[derive(Debug)]
enum Stage {
    Waiting {
        until: Instant,
    },
    Connecting,
    /// Connected to this address; the nodes have not agreed on a session yet.
    Handshake {
        address: String,
        until: Instant,
    },
}

impl Dial {
    /// `goes_first`: this node's connection wins over the peer's own.
    pub(crate) fn new(goes_first: GoesFirst, now: Instant) -> Dial {
        let deference = if goes_first == GoesFirst::Own { Duration::ZERO } else { DEFERENCE };
        Dial { stage: Stage::Waiting { until: now + deference }, pause: PAUSE_FIRST, deference }
    }

    /// Whether to connect now; asked only while there is no session with the peer.
    pub(crate) fn start_if_due(&mut self, now: Instant) -> bool {
        match self.stage {
            Stage::Handshake { until, .. } if until <= now => {
                self.fail(now);
                false
            }
            Stage::Waiting { until } if until <= now => {
                self.stage = Stage::Connecting;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn connected(&mut self, address: String, handshake_max: Duration, now: Instant) {
        self.stage = Stage::Handshake { address, until: now + handshake_max };
    }

    pub(crate) fn fail(&mut self, now: Instant) {
        self.stage = Stage::Waiting { until: now + self.pause };
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    /// A connection to `address` ended before it was a session.
    pub(crate) fn ended(&mut self, address: &str, now: Instant) {
        if matches!(&self.stage, Stage::Handshake { address: own, .. } if own == address) {
            self.fail(now);
        }
    }

    /// A session was agreed on, or one that was has ended.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.stage = Stage::Waiting { until: now + self.pause.max(self.deference) };
    }

    /// The peer was heard: the next attempt comes without a long pause.
    pub(crate) fn succeed(&mut self) {
        self.pause = PAUSE_FIRST;
    }
}

/// Whose connection is kept when both nodes connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoesFirst {
    Own,
    Peer,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDSHAKE: Duration = Duration::from_millis(1_500);

    #[test]
    fn attempts_to_a_dead_peer_come_twice_a_second_and_no_faster() {
        let start = Instant::now();
        let mut dial = Dial::new(GoesFirst::Own, start);
        let mut attempts = 0;
        for millis in 0..10_000 {
            let now = start + Duration::from_millis(millis);
            if dial.start_if_due(now) {
                attempts += 1;
                dial.fail(now);
            }
        }
        assert!((20..=25).contains(&attempts), "{attempts}");
    }

    #[test]
    fn there_is_one_attempt_at_a_time_and_a_silent_handshake_ends() {
        let now = Instant::now();
        let mut dial = Dial::new(GoesFirst::Own, now);
        assert!(dial.start_if_due(now));
        assert!(!dial.start_if_due(now + HANDSHAKE), "the attempt is still under way");
        dial.connected("a".into(), HANDSHAKE, now);
        dial.ended("b", now);
        assert!(!dial.start_if_due(now + HANDSHAKE - Duration::from_millis(1)));
        assert!(!dial.start_if_due(now + HANDSHAKE), "it ends, and a pause begins");
        assert!(dial.start_if_due(now + HANDSHAKE + PAUSE_FIRST));
    }

    #[test]
    fn a_refused_handshake_is_tried_again_after_a_pause() {
        let now = Instant::now();
        let mut dial = Dial::new(GoesFirst::Own, now);
        assert!(dial.start_if_due(now));
        dial.connected("a".into(), HANDSHAKE, now);
        dial.ended("a", now);
        assert!(!dial.start_if_due(now));
        assert!(dial.start_if_due(now + PAUSE_FIRST));
    }

    #[test]
    fn the_node_whose_connection_would_lose_waits_first() {
        let now = Instant::now();
        let mut dial = Dial::new(GoesFirst::Peer, now);
        assert!(!dial.start_if_due(now));
        assert!(dial.start_if_due(now + DEFERENCE));
    }
}
