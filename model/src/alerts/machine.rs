//! The states of a rule for one group, and the one function that decides about the next: pending, firing, resolved.
//!
//! Knows no clock: what was seen carries its time. Seeing the same again says nothing that a look a moment later would not
//! say, so that a command that was proposed twice does no harm.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::timestamp::NANOS_PER_SEC;

/// A rule that fires again within this time reopens its incident.
const FLAP_WINDOW_SECS: i64 = 3_600;
/// Fired so often within that time, it flaps.
const FLAPS: usize = 3;
/// What flaps must be well for so many times as long, and at least so long, before it counts as over.
const FLAP_HOLD: i64 = 5;
const FLAP_HOLD_SECS_MIN: i64 = 300;
/// Firings that are remembered.
const FIRED_MAX: usize = 8;

/// What is remembered of a rule and a group. None is: all is well, and was for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracker {
    pub phase: Phase,
    /// When it fired, oldest first; of the last hour.
    pub fired: Vec<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Wrong, but not for long enough.
    Pending {
        since: Timestamp,
    },
    Firing {
        incident: u64,
        /// Well again since then, but not for long enough.
        clear_since: Option<Timestamp>,
        told_at: Option<Timestamp>,
    },
    Resolved {
        incident: u64,
        at: Timestamp,
    },
}

/// What of a rule the machine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    pub for_secs: u32,
    pub resolve_after_secs: u32,
    /// 0: never.
    pub repeat_secs: u32,
}

/// One look at a rule and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub at: Timestamp,
    pub breached: bool,
    pub silenced: bool,
    pub acknowledged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// Begins to wait.
    Pend,
    /// Was not wrong for long enough.
    Drop,
    Fire,
    /// The incident that was over goes on; `flaps`: it does so too often.
    Reopen {
        incident: u64,
        flaps: bool,
    },
    Clear,
    Unclear,
    /// Fires, and nobody has been told because of a silence that is over.
    Announce,
    Repeat,
    Resolve,
    /// Well for so long that nothing need be remembered.
    Forget,
}

/// Decides what follows from one look.
pub fn next_step(tracker: Option<&Tracker>, timing: &Timing, seen: &Seen) -> Step {
    let fires_at_once = timing.for_secs == 0;
    let Some(tracker) = tracker else {
        return match (seen.breached, fires_at_once) {
            (false, _) => Step::Nothing,
            (true, true) => Step::Fire,
            (true, false) => Step::Pend,
        };
    };
    match &tracker.phase {
        Phase::Pending { .. } if !seen.breached => Step::Drop,
        Phase::Pending { since } if has_passed(*since, timing.for_secs.into(), seen.at) => Step::Fire,
        Phase::Pending { .. } => Step::Nothing,
        Phase::Firing { clear_since, told_at, .. } => {
            while_firing(tracker, *clear_since, *told_at, timing, seen)
        }
        Phase::Resolved { incident, at } => {
            let is_recent = !has_passed(*at, FLAP_WINDOW_SECS, seen.at);
            match (seen.breached, is_recent) {
                (false, true) => Step::Nothing,
                (false, false) => Step::Forget,
                // It has been wrong long enough once.
                (true, true) => {
                    Step::Reopen { incident: *incident, flaps: tracker.fired_lately(seen.at) + 1 >= FLAPS }
                }
                (true, false) if fires_at_once => Step::Fire,
                (true, false) => Step::Pend,
            }
        }
    }
}

fn while_firing(
    tracker: &Tracker,
    clear_since: Option<Timestamp>,
    told_at: Option<Timestamp>,
    timing: &Timing,
    seen: &Seen,
) -> Step {
    let repeat_is_due =
        |told: Timestamp| timing.repeat_secs > 0 && has_passed(told, timing.repeat_secs.into(), seen.at);
    match (seen.breached, clear_since) {
        (false, None) => Step::Clear,
        (false, Some(since)) if has_passed(since, tracker.hold_secs(timing, seen.at), seen.at) => {
            Step::Resolve
        }
        (false, Some(_)) => Step::Nothing,
        (true, Some(_)) => Step::Unclear,
        (true, None) if seen.silenced || seen.acknowledged => Step::Nothing,
        (true, None) => match told_at {
            None => Step::Announce,
            Some(told) if repeat_is_due(told) => Step::Repeat,
            Some(_) => Step::Nothing,
        },
    }
}

fn has_passed(since: Timestamp, secs: i64, now: Timestamp) -> bool {
    now.0.saturating_sub(since.0) >= secs.saturating_mul(NANOS_PER_SEC)
}

impl Tracker {
    /// Fires from here on.
    pub fn fire(&mut self, incident: u64, at: Timestamp) {
        self.fired.retain(|fired| !has_passed(*fired, FLAP_WINDOW_SECS, at));
        if self.fired.len() >= FIRED_MAX {
            self.fired.remove(0);
        }
        self.fired.push(at);
        self.phase = Phase::Firing { incident, clear_since: None, told_at: None };
    }

    /// Somebody was told, or it was decided that nobody need be.
    pub fn told(&mut self, at: Timestamp) {
        if let Phase::Firing { told_at, .. } = &mut self.phase {
            *told_at = Some(at);
        }
    }

    pub fn fired_lately(&self, now: Timestamp) -> usize {
        self.fired.iter().filter(|fired| !has_passed(**fired, FLAP_WINDOW_SECS, now)).count()
    }

    fn hold_secs(&self, timing: &Timing, now: Timestamp) -> i64 {
        let plain = i64::from(timing.resolve_after_secs);
        match self.fired_lately(now) >= FLAPS {
            true => (plain * FLAP_HOLD).max(FLAP_HOLD_SECS_MIN),
            false => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { for_secs: 60, resolve_after_secs: 60, repeat_secs: 600 };

    fn at(secs: i64) -> Timestamp {
        Timestamp(secs * NANOS_PER_SEC)
    }

    fn seen(secs: i64, breached: bool) -> Seen {
        Seen { at: at(secs), breached, silenced: false, acknowledged: false }
    }

    /// Plays looks through the machine as the control state does, and says what followed.
    fn play(timing: Timing, looks: impl IntoIterator<Item = Seen>) -> Vec<(i64, Step)> {
        let mut tracker: Option<Tracker> = None;
        let mut steps = Vec::new();
        for seen in looks {
            let step = next_step(tracker.as_ref(), &timing, &seen);
            assert_eq!(next_step(tracker.as_ref(), &timing, &seen), step, "the same look says the same");
            if step != Step::Nothing {
                steps.push((seen.at.0 / NANOS_PER_SEC, step));
            }
            let before = tracker
                .clone()
                .unwrap_or(Tracker { phase: Phase::Pending { since: seen.at }, fired: vec![] });
            tracker = after(before, step, &seen).or(tracker.filter(|_| step == Step::Nothing));
            let again = next_step(tracker.as_ref(), &timing, &seen);
            assert!(matches!(again, Step::Nothing), "seen twice: {step:?} and then {again:?}");
        }
        steps
    }

    fn after(mut tracker: Tracker, step: Step, seen: &Seen) -> Option<Tracker> {
        match step {
            Step::Nothing | Step::Drop | Step::Forget => return None,
            Step::Pend => tracker.phase = Phase::Pending { since: seen.at },
            Step::Fire | Step::Reopen { .. } => {
                tracker.fire(1, seen.at);
                if !seen.silenced {
                    tracker.told(seen.at);
                }
            }
            Step::Announce | Step::Repeat => tracker.told(seen.at),
            Step::Clear | Step::Unclear => {
                if let Phase::Firing { clear_since, .. } = &mut tracker.phase {
                    *clear_since = (step == Step::Clear).then_some(seen.at);
                }
            }
            Step::Resolve => tracker.phase = Phase::Resolved { incident: 1, at: seen.at },
        }
        Some(tracker)
    }

    #[test]
    fn a_rule_waits_fires_repeats_and_ends() {
        let looks = (0..200).map(|look| seen(look * 10, look < 90));
        let expected = [
            (0, Step::Pend),
            (60, Step::Fire),
            (660, Step::Repeat),
            (900, Step::Clear),
            (960, Step::Resolve),
        ];
        assert_eq!(play(TIMING, looks), expected);
    }

    #[test]
    fn what_is_short_never_fires_and_without_a_wait_it_fires_at_once() {
        let looks = [seen(0, true), seen(50, true), seen(55, false), seen(56, true), seen(115, true)];
        assert_eq!(play(TIMING, looks), [(0, Step::Pend), (55, Step::Drop), (56, Step::Pend)]);
        let at_once = Timing { for_secs: 0, ..TIMING };
        assert_eq!(play(at_once, [seen(3, true), seen(5, true)]), [(3, Step::Fire)]);
    }

    #[test]
    fn a_dip_does_not_end_an_incident() {
        let at_once = Timing { for_secs: 0, ..TIMING };
        let looks = [seen(0, true), seen(10, false), seen(50, true), seen(60, false), seen(119, false)];
        let steps = play(at_once, looks);
        assert_eq!(steps, [(0, Step::Fire), (10, Step::Clear), (50, Step::Unclear), (60, Step::Clear)]);
    }

    #[test]
    fn what_comes_and_goes_reopens_and_is_held_longer() {
        let at_once = Timing { for_secs: 0, repeat_secs: 0, ..TIMING };
        // Two minutes wrong, two minutes well, again and again.
        let looks = (0..240).map(|look| seen(look * 10, (look / 12) % 2 == 0));
        let steps = play(at_once, looks);
        let count = |wanted: fn(&Step) -> bool| steps.iter().filter(|(_, step)| wanted(step)).count();
        assert_eq!(count(|step| *step == Step::Fire), 1);
        assert_eq!(count(|step| matches!(step, Step::Reopen { flaps: false, .. })), 1);
        assert_eq!(count(|step| matches!(step, Step::Reopen { flaps: true, .. })), 1);
        assert_eq!(count(|step| *step == Step::Resolve), 2, "flapping, it stays open: {steps:?}");
    }

    #[test]
    fn after_an_hour_it_is_another_incident() {
        let at_once = Timing { for_secs: 0, repeat_secs: 0, ..TIMING };
        let looks = [seen(0, true), seen(10, false), seen(70, false), seen(3_671, false), seen(3_680, true)];
        let expected = [
            (0, Step::Fire),
            (10, Step::Clear),
            (70, Step::Resolve),
            (3_671, Step::Forget),
            (3_680, Step::Fire),
        ];
        assert_eq!(play(at_once, looks), expected);
    }

    #[test]
    fn a_silence_holds_back_and_its_end_is_told() {
        let at_once = Timing { for_secs: 0, ..TIMING };
        let quiet = |secs| Seen { silenced: true, ..seen(secs, true) };
        assert_eq!(
            play(at_once, [quiet(0), quiet(900), seen(910, true)]),
            [(0, Step::Fire), (910, Step::Announce)]
        );
        let known = |secs| Seen { acknowledged: true, ..seen(secs, true) };
        assert_eq!(play(at_once, [seen(0, true), known(900), known(9_000)]), [(0, Step::Fire)]);
    }
}
