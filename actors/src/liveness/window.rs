//! How much may be under way to one peer. ractor_cluster has no back-pressure: it takes whatever it is
//! given and keeps it in memory, so what a lagging peer has not acknowledged is counted here.

use std::collections::VecDeque;

/// Beats that may be under way to a peer. At four beats a second this is a second of lag.
pub(crate) const BEATS_MAX: usize = 4;
/// Events that may follow each other to a peer before it acknowledges a beat.
pub(crate) const EVENTS_MAX: usize = 64;

/// What was sent to a peer over the present connection and is not known to have arrived.
#[derive(Debug, Default)]
pub(crate) struct Window {
    beats: VecDeque<u64>,
    events: usize,
}

impl Window {
    pub(crate) fn takes_beat(&self) -> bool {
        self.beats.len() < BEATS_MAX
    }

    pub(crate) fn sent(&mut self, sequence: u64) {
        self.beats.push_back(sequence);
    }

    /// The peer has had this beat and those before it.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        let before = self.beats.len();
        self.beats.retain(|sent| *sent > sequence);
        if self.beats.len() < before {
            self.events = 0;
        }
    }

    /// Takes the room for an event, if there is any.
    pub(crate) fn take_event(&mut self) -> bool {
        let takes = self.events < EVENTS_MAX;
        self.events += usize::from(takes);
        takes
    }

    /// The peer has had this beat, as far as is known.
    pub(crate) fn has_arrived(&self, sequence: u64) -> bool {
        self.beats.iter().all(|sent| *sent > sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_acknowledges_nothing_is_sent_no_more() {
        let mut window = Window::default();
        for sequence in 1..=BEATS_MAX as u64 {
            assert!(window.takes_beat());
            window.sent(sequence);
        }
        assert!(!window.takes_beat());
        window.acknowledge(0);
        assert!(!window.takes_beat());
        window.acknowledge(1);
        assert!(window.takes_beat() && window.has_arrived(1) && !window.has_arrived(2));
    }

    #[test]
    fn events_wait_for_an_acknowledged_beat() {
        let mut window = Window::default();
        window.sent(1);
        assert_eq!((0..1_000).filter(|_| window.take_event()).count(), EVENTS_MAX);
        window.acknowledge(0);
        assert!(!window.take_event());
        window.acknowledge(1);
        assert!(window.take_event());
    }
}
