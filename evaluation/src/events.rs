//! Alerts against labelled events: precision, recall, F1, delay, and false alarms per unit of time.
//!
//! An event is found by an alert between its start and its end plus a grace; an alert that finds no event is
//! false. Several alerts for one event are one event found; none of them is false.

/// A labelled stretch, ends included, in whatever unit the alerts use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub start: i64,
    pub end: i64,
}

/// Counts over any number of series or services.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    pub events: usize,
    pub events_found: usize,
    pub alerts: usize,
    pub alerts_false: usize,
    /// From an event's start to its first alert, per event found.
    pub delays: Vec<i64>,
}

impl Tally {
    /// Adds the alerts of one series, ascending, against its events.
    pub fn add(&mut self, events: &[Event], alerts: &[i64], grace: i64) {
        self.events += events.len();
        self.alerts += alerts.len();
        for event in events {
            let first = alerts.iter().find(|alert| event.covers(**alert, grace));
            if let Some(first) = first {
                self.events_found += 1;
                self.delays.push(first - event.start);
            }
        }
        let is_false = |alert: &&i64| !events.iter().any(|event| event.covers(**alert, grace));
        self.alerts_false += alerts.iter().filter(is_false).count();
    }

    /// Share of alerts that are right; 1 without alerts.
    pub fn precision(&self) -> f64 {
        share(self.alerts - self.alerts_false, self.alerts)
    }

    /// Share of events found; 1 without events.
    pub fn recall(&self) -> f64 {
        share(self.events_found, self.events)
    }

    /// Harmonic mean of precision and recall, where a found event counts once however many alerts it has.
    pub fn f1(&self) -> f64 {
        let (found, false_alarms) = (self.events_found as f64, self.alerts_false as f64);
        let missed = (self.events - self.events_found) as f64;
        if found > 0.0 { 2.0 * found / (2.0 * found + false_alarms + missed) } else { 0.0 }
    }

    /// The median delay; `None` where nothing was found.
    pub fn median_delay(&self) -> Option<i64> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len().checked_sub(1)? / 2).copied()
    }
}

impl Event {
    fn covers(self, alert: i64, grace: i64) -> bool {
        (self.start..=self.end + grace).contains(&alert)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The runs of `true` as events of row numbers.
pub fn runs(labels: impl IntoIterator<Item = bool>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (row, is_labelled) in (0..).zip(labels) {
        match events.last_mut() {
            Some(last) if is_labelled && last.end + 1 == row => last.end = row,
            _ if is_labelled => events.push(Event { start: row, end: row }),
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_labels_are_events() {
        let found = runs([true, true, false, true, false]);
        assert_eq!(found, [Event { start: 0, end: 1 }, Event { start: 3, end: 3 }]);
    }

    #[test]
    fn alerts_are_counted_once_per_event_and_false_ones_alone() {
        let mut tally = Tally::default();
        let events = [Event { start: 10, end: 20 }, Event { start: 50, end: 60 }];
        tally.add(&events, &[5, 12, 15, 22, 40], 2);
        assert_eq!((tally.events_found, tally.alerts, tally.alerts_false), (1, 5, 2));
        assert_eq!(tally.median_delay(), Some(2));
        assert!((tally.f1() - 2.0 / 5.0).abs() < 1e-12);
        assert_eq!(tally.recall(), 0.5);
    }
}
