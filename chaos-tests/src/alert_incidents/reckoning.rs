//! I8: every injected incident is told, once, in time; and nothing is told that was not injected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::told::Told;
use crate::checker::Findings;
use crate::workload::gaps::Quantiles;

/// From the threshold crossed to the notice at the receiver, in a calm.
pub const TOLD_WITHIN_CALM: Duration = Duration::from_secs(5);
/// The same where nodes fail meanwhile.
pub const TOLD_WITHIN_FAILOVER: Duration = Duration::from_secs(10);

/// One incident as it was injected.
#[derive(Debug, Clone)]
pub struct Injected {
    pub title: String,
    pub sent_at: Instant,
    /// The record that crosses the threshold was acknowledged.
    pub acked_at: Instant,
}

/// Times in which nodes were down or coming back.
#[derive(Debug, Clone, Default)]
pub struct Storms(Vec<(Instant, Instant)>);

impl Storms {
    pub fn add(&mut self, from: Instant, to: Instant) {
        self.0.push((from, to));
    }

    fn touch(&self, from: Instant, to: Instant) -> bool {
        self.0.iter().any(|(begun, ended)| from <= *ended && to >= *begun)
    }
}

/// What came of all incidents.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    pub injected: usize,
    pub told: usize,
    pub ended: usize,
    /// Never told, or never told to be over.
    pub missed: usize,
    /// Told again under another key: somebody is called twice.
    pub repeated: usize,
    /// Sent again under the same key, as the sender died before it had written down that the receiver answered.
    pub sent_again: usize,
    /// Told, and never injected.
    pub invented: usize,
    pub calm: Quantiles,
    pub failover: Quantiles,
}

/// `storms` are known when all is over; ends are looked at where they were to be told.
pub fn reckon(
    injected: &[Injected],
    told: &[Told],
    storms: &Storms,
    tells_end: bool,
    findings: &mut Findings,
) -> Tally {
    let mut of: BTreeMap<(&str, &str), BTreeMap<&str, Vec<Instant>>> = BTreeMap::new();
    for told in told {
        let keys = of.entry((told.title.as_str(), told.kind.as_str())).or_default();
        keys.entry(told.key.as_str()).or_default().push(told.at);
    }
    let mut tally = Tally { injected: injected.len(), ..Tally::default() };
    let (mut calm, mut failover) = (Vec::new(), Vec::new());
    for incident in injected {
        let first = |kind: &str| {
            let keys = of.get(&(incident.title.as_str(), kind))?;
            keys.values().flatten().min().copied()
        };
        match first("fired") {
            Some(at) => {
                tally.told += 1;
                let after = at.saturating_duration_since(incident.acked_at);
                let is_stormy = storms.touch(incident.sent_at, at);
                if is_stormy { failover.push(after) } else { calm.push(after) }
            }
            None => findings.add("incidents missed", incident.title.clone()),
        }
        match first("resolved") {
            Some(_) => tally.ended += 1,
            None if tells_end => findings.add("ends of incidents missed", incident.title.clone()),
            None => {}
        }
    }
    tally.missed = tally.injected - tally.told + if tells_end { tally.injected - tally.ended } else { 0 };
    let known: BTreeSet<&str> = injected.iter().map(|incident| incident.title.as_str()).collect();
    for ((title, kind), keys) in &of {
        if !known.contains(title) {
            tally.invented += 1;
            findings.add("alerts without an incident", format!("{title}: {kind}"));
            continue;
        }
        // Whatever is neither the beginning nor the end was not injected.
        let due = usize::from(matches!(*kind, "fired" | "resolved"));
        if keys.len() > due {
            tally.repeated += keys.len() - due;
            findings.add("incidents told again", format!("{title}: {kind} under {keys:?}"));
        }
        for times in keys.values().filter(|times| times.len() > 1) {
            tally.sent_again += times.len() - 1;
            let span = (times.iter().min().copied(), times.iter().max().copied());
            let is_excused = matches!(span, (Some(from), Some(to)) if storms.touch(from, to));
            if times.len() > 2 || !is_excused {
                findings.add("messages sent again without need", format!("{title}: {kind} {}x", times.len()));
            }
        }
    }
    (tally.calm, tally.failover) = (Quantiles::of(calm), Quantiles::of(failover));
    late("in a calm", &tally.calm, TOLD_WITHIN_CALM, findings);
    late("across a fail-over", &tally.failover, TOLD_WITHIN_FAILOVER, findings);
    tally
}

fn late(when: &str, times: &Quantiles, within: Duration, findings: &mut Findings) {
    if u128::from(times.p99_ms) > within.as_millis() {
        findings.add("alerts too late", format!("p99 {when} is {} ms, {within:?} needed", times.p99_ms));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} incidents, {} told, {} told to be over; {} missed, {} repeated, {} sent again under their key, {} \
             invented; told after {} in {} calm, {} in {} across fail-overs",
            self.injected,
            self.told,
            self.ended,
            self.missed,
            self.repeated,
            self.sent_again,
            self.invented,
            self.calm,
            self.calm.count,
            self.failover,
            self.failover.count
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(title: &str, kind: &str, key: &str, at: Instant) -> Told {
        Told { title: title.into(), kind: kind.into(), key: key.into(), at }
    }

    fn tally(told: &[Told], start: Instant, storm: Option<(u64, u64)>) -> (Tally, Vec<String>) {
        let injected = ["a", "b"].map(|title| Injected {
            title: title.into(),
            sent_at: start,
            acked_at: start + Duration::from_secs(1),
        });
        let (mut storms, mut findings) = (Storms::default(), Findings::default());
        if let Some((from, to)) = storm {
            storms.add(start + Duration::from_secs(from), start + Duration::from_secs(to));
        }
        let tally = reckon(&injected, told, &storms, true, &mut findings);
        (tally, findings.lines())
    }

    #[test]
    fn what_is_told_once_and_ends_once_in_time_is_well() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let well = [
            told("a", "fired", "1-1", at(3)),
            told("b", "fired", "2-1", at(9)),
            told("a", "resolved", "1-2", at(20)),
            told("b", "resolved", "2-2", at(20)),
        ];
        let (of, findings) = tally(&well, start, Some((8, 10)));
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!((of.missed, of.repeated, of.calm.max_ms, of.failover.max_ms), (0, 0, 2_000, 8_000));
        let (_, late) = tally(&well[1..], start, None);
        assert!(late.iter().any(|line| line.contains("p99 in a calm is 8000 ms")), "{late:?}");
    }

    #[test]
    fn each_way_to_be_wrong_is_found() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let well = [
            told("a", "fired", "1-1", at(3)),
            told("b", "fired", "2-1", at(4)),
            told("a", "resolved", "1-2", at(20)),
            told("b", "resolved", "2-2", at(20)),
        ];
        let with = |more: Told, storm| tally(&[well.as_slice(), &[more]].concat(), start, storm);
        let (missed, _) = tally(&well[1..], start, None);
        assert_eq!((missed.missed, missed.told), (1, 1));
        assert_eq!(with(told("a", "fired", "9-1", at(5)), None).0.repeated, 1);
        assert_eq!(with(told("a", "flapping", "1-3", at(5)), None).0.repeated, 1);
        assert_eq!(with(told("c", "fired", "3-1", at(5)), None).0.invented, 1);
        let (again, findings) = with(told("a", "fired", "1-1", at(5)), None);
        assert_eq!((again.repeated, again.sent_again, findings.len()), (0, 1, 1));
        let (excused, findings) = with(told("a", "fired", "1-1", at(5)), Some((3, 5)));
        assert_eq!((excused.sent_again, findings.len()), (1, 0));
    }
}
