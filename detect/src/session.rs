//! How odd a session is, a list of events that belong together (a block, a request, a job), against sessions that were
//! normal: events never seen, steps never or rarely taken (a first-order Markov chain), counts out of range.
//!
//! Learns from normal sessions alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::math::log10;
use crate::tail::Tail;

/// Stands for the start and the end of a session.
const EDGE: u32 = u32::MAX;
/// Different events and steps remembered.
const STEPS_MAX: usize = 16_384;
/// Sessions before the first score.
const WARM_UP_SESSIONS: u64 = 100;
/// Surprise that makes an anomaly: three normal sessions in a thousand.
const THRESHOLD: f64 = 2.5;
const TAIL_WINDOW: u64 = 50_000;

/// The detector; events are template numbers or any other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionDetector {
    sessions: u64,
    /// How many sessions took a step, by the events it is between.
    steps: BTreeMap<(u32, u32), u64>,
    /// How many sessions held an event so many times.
    counts: BTreeMap<(u32, u32), u64>,
    tail: Tail,
}

/// What is said of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SessionScore {
    /// -log10 p.
    pub surprise: f64,
    pub is_anomaly: bool,
    /// The step that is oddest, as the events it is between; `u32::MAX` is the start or the end.
    pub oddest: Option<(u32, u32)>,
}

impl Default for SessionDetector {
    fn default() -> SessionDetector {
        SessionDetector {
            sessions: 0,
            steps: BTreeMap::new(),
            counts: BTreeMap::new(),
            tail: Tail::new(TAIL_WINDOW),
        }
    }
}

impl SessionDetector {
    /// Scores a session against those learned.
    pub fn score(&mut self, events: &[u32]) -> SessionScore {
        if self.sessions < WARM_UP_SESSIONS {
            return SessionScore::default();
        }
        let (evidence, oddest) = self.evidence(events);
        let surprise = self.tail.surprise(evidence);
        SessionScore { surprise, is_anomaly: surprise >= THRESHOLD, oddest }
    }

    /// Learns a normal session.
    pub fn learn(&mut self, events: &[u32]) {
        // Its own evidence comes first, else every session would find itself familiar.
        if self.sessions >= WARM_UP_SESSIONS {
            let (evidence, _) = self.evidence(events);
            self.tail.learn(evidence);
        }
        self.sessions += 1;
        for (known, found) in [(&mut self.steps, steps(events)), (&mut self.counts, counts(events))] {
            for key in found {
                if known.len() < STEPS_MAX || known.contains_key(&key) {
                    *known.entry(key).or_default() += 1;
                }
            }
        }
    }

    /// Rarity of the oddest step and of the oddest count, the second only where it is odder.
    fn evidence(&self, events: &[u32]) -> (f64, Option<(u32, u32)>) {
        let rarity = |known: Option<&u64>| {
            log10((self.sessions + 1) as f64 / (known.copied().unwrap_or(0) as f64 + 0.5))
        };
        let (mut most, mut sum, mut oddest) = (0.0, 0.0, None);
        for step in steps(events) {
            let rarity = rarity(self.steps.get(&step));
            sum += rarity;
            if rarity > most {
                (most, oddest) = (rarity, Some(step));
            }
        }
        let of_counts = counts(events).into_iter().map(|count| rarity(self.counts.get(&count)));
        let most = of_counts.fold(most, f64::max);
        // The sum tells two equally rare steps from one.
        (most + 0.05 * sum, oddest)
    }
}

fn distinct(mut keys: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn steps(events: &[u32]) -> Vec<(u32, u32)> {
    let from = std::iter::once(EDGE).chain(events.iter().copied());
    let to = events.iter().copied().chain(std::iter::once(EDGE));
    distinct(from.zip(to).collect())
}

fn counts(events: &[u32]) -> Vec<(u32, u32)> {
    let count = |event: &u32| (*event, events.iter().filter(|other| *other == event).count() as u32);
    distinct(events.iter().map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_an_anomaly_and_named() {
        let mut detector = SessionDetector::default();
        for session in 0..1_000u32 {
            detector.learn(if session % 3 == 0 { &[1, 2, 3] } else { &[1, 2, 2, 3] });
        }
        assert!(!detector.score(&[1, 2, 3]).is_anomaly);
        let odd = detector.score(&[1, 3, 2, 3]);
        assert!(odd.is_anomaly && odd.oddest == Some((1, 3)), "{odd:?}");
        assert!(detector.score(&[1, 2]).is_anomaly, "a session cut short");
    }
}
