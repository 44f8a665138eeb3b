//! How much of what was stored waits in the memory of this node, all its partitions together.
//!
//! A partition seals by its own size; many partitions that are nearly there would together take many times that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use insighthub_storage::partition::HeadSize;
use parking_lot::Mutex;

/// Heads together above so many times the limit of one: the largest is sealed before it is full.
const HEADS_FULL_MAX: usize = 4;
/// With those on their way to disk above so many: nothing is taken in until one is there.
const HEADS_WAITING_MAX: usize = 6;

/// A look is good for this long: every partition asks at its own tick, and one look at all of them serves all.
const LOOK_LASTS: Duration = Duration::from_millis(90);

/// The last look, shared by the partitions of a node.
#[derive(Debug, Default, Clone)]
pub(crate) struct NodePressure(Arc<Mutex<Option<(Instant, Pressure)>>>);

impl NodePressure {
    /// The last look, or a new one where that is too old.
    pub(super) fn get(&self, now: Instant, look: impl FnOnce() -> Pressure) -> Pressure {
        let mut last = self.0.lock();
        match *last {
            Some((at, pressure)) if now.duration_since(at) < LOOK_LASTS => pressure,
            _ => {
                let pressure = look();
                *last = Some((now, pressure));
                pressure
            }
        }
    }
}

/// What waits in the partitions of this node.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pressure {
    replicas: usize,
    /// Replicas whose leader this node is: the others are sealed when their leaders say so.
    led: usize,
    /// Bytes of the heads it leads.
    led_bytes: usize,
    /// Heads that are being written, of all replicas.
    frozen_heads: usize,
    /// The largest head that this node may have sealed.
    largest_led: usize,
}

impl Pressure {
    /// Looks at the replicas of this node: their sizes, and whether this node leads them.
    pub(super) fn of(replicas: impl Iterator<Item = (HeadSize, bool)>) -> Pressure {
        let mut pressure = Pressure::default();
        for (size, leads) in replicas {
            pressure.replicas += 1;
            pressure.frozen_heads += size.frozen_heads;
            if !leads {
                continue;
            }
            pressure.led += 1;
            pressure.led_bytes += size.bytes;
            // The next to be sealed is one whose last head is on disk.
            if size.frozen_heads == 0 {
                pressure.largest_led = pressure.largest_led.max(size.bytes);
            }
        }
        pressure
    }

    /// This head should be sealed to make room for all.
    pub(super) fn wants_sealed(&self, head_bytes: usize, head_bytes_max: usize) -> bool {
        self.heads() > HEADS_FULL_MAX.saturating_mul(head_bytes_max)
            && head_bytes > 0
            && head_bytes >= self.largest_led
    }

    /// The sealer does not keep up.
    pub(super) fn is_too_high(&self, head_bytes_max: usize) -> bool {
        // A frozen head counts as a full one.
        let waiting = self.heads().saturating_add(self.frozen_heads.saturating_mul(head_bytes_max));
        self.frozen_heads > 0 && waiting > HEADS_WAITING_MAX.saturating_mul(head_bytes_max)
    }

    /// Bytes of all heads, if the other leaders seal as this one does: what they will do is not to be known here.
    fn heads(&self) -> usize {
        self.led_bytes.saturating_mul(self.replicas) / self.led.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = 100;

    fn size(bytes: usize, frozen_heads: usize) -> HeadSize {
        HeadSize { records: 1, bytes, frozen_heads }
    }

    fn of(replicas: &[(usize, usize, bool)]) -> Pressure {
        Pressure::of(replicas.iter().map(|(bytes, frozen, leads)| (size(*bytes, *frozen), *leads)))
    }

    #[test]
    fn the_largest_head_is_sealed_before_it_is_full_when_all_grow() {
        assert!(
            !of(&[(80, 0, true); 5]).wants_sealed(80, FULL),
            "together they are {HEADS_FULL_MAX} full heads"
        );
        let high = of(&[(70, 0, true), (80, 0, true), (99, 1, true), (70, 0, true), (90, 0, true)]);
        assert!(high.wants_sealed(90, FULL), "the one of 99 has a head on its way to disk");
        assert!(!high.wants_sealed(80, FULL) && !high.wants_sealed(0, FULL));
    }

    #[test]
    fn heads_led_elsewhere_leave_less_room_for_those_led_here() {
        let others = [(5, 0, false); 3];
        let beside = |first| of(&[&[(first, 0, true), (80, 0, true)], &others[..]].concat());
        assert!(!beside(80).wants_sealed(80, FULL));
        assert!(beside(90).wants_sealed(90, FULL));
        assert!(!of(&[(900, 0, false)]).wants_sealed(900, FULL), "its leader decides");
    }

    #[test]
    fn one_look_serves_all_partitions_until_it_is_old() {
        let (node, start) = (NodePressure::default(), Instant::now());
        let bytes = |after, bytes| node.get(start + after, || of(&[(bytes, 0, true)])).led_bytes;
        assert_eq!(bytes(Duration::ZERO, 1), 1);
        assert_eq!(bytes(LOOK_LASTS / 2, 2), 1);
        assert_eq!(bytes(LOOK_LASTS, 3), 3);
    }

    #[test]
    fn what_is_being_written_counts_as_full_heads() {
        let frozen = HEADS_WAITING_MAX - 1;
        assert!(!of(&[(FULL, frozen, true)]).is_too_high(FULL));
        assert!(of(&[(FULL + 1, frozen, true)]).is_too_high(FULL));
        assert!(
            !of(&[(FULL * 9, 0, true)]).is_too_high(FULL),
            "nothing is being written that could be waited for"
        );
    }
}
