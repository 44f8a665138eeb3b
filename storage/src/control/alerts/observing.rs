//! From what was seen to transitions, incidents and rows of the outbox; the decision itself is
//! `insighthub_model::alerts::next_step`.

use insighthub_model::Timestamp;
use insighthub_model::alerts::{
    Incident, Phase, Rule, Seen, Step, Subject, Tracker, TransitionKind, next_step,
};
use insighthub_model::limits::{ALERT_GROUPS_MAX, ALERT_TRACKERS_MAX};

use super::{Alerts, Observation, timing_of};

impl Alerts {
    /// What one look would lead to. Asked by the evaluator to learn whether there is anything to propose, and by apply to
    /// do it.
    pub fn step_of(&self, rule: &Rule, observation: &Observation, at: Timestamp) -> Step {
        let Observation { rule: rule_name, key, group, breached, .. } = observation;
        let tracker = self.tracker(rule_name, key);
        let incident = match tracker.map(|tracker| &tracker.phase) {
            Some(Phase::Firing { incident, .. }) => self.incidents.get(incident),
            _ => None,
        };
        let service = group.iter().find(|(name, _)| name == "service").map(|(_, value)| value.as_str());
        let subject = Subject { rule: rule_name, service, severity: rule.severity, labels: &rule.labels };
        let seen = Seen {
            at,
            breached: *breached,
            silenced: self.silenced_by(&subject, at).is_some(),
            acknowledged: incident.is_some_and(|incident| incident.acknowledged.is_some()),
        };
        next_step(tracker, &timing_of(rule), &seen)
    }

    pub(super) fn observe(&mut self, observation: Observation, at: Timestamp) {
        let Some(entry) = self.rules.get(&observation.rule) else { return };
        if !entry.rule.enabled {
            return;
        }
        let rule = entry.rule.clone();
        let step = self.step_of(&rule, &observation, at);
        let key = observation.key.clone();
        match step {
            Step::Nothing => {}
            Step::Pend => {
                if self.has_room(&observation.rule) {
                    let tracker = Tracker { phase: Phase::Pending { since: at }, fired: Vec::new() };
                    self.track(&observation.rule, key, tracker);
                }
            }
            Step::Drop | Step::Forget => self.forget(&observation.rule, &key),
            Step::Fire => self.fire(&rule, &key, observation, at),
            Step::Reopen { incident, flaps } => self.reopen(&rule, &key, &observation, (incident, flaps), at),
            Step::Announce => self.tell_again(&rule, &key, &observation, TransitionKind::Announced, at),
            Step::Repeat => self.tell_again(&rule, &key, &observation, TransitionKind::Repeated, at),
            Step::Clear => self.set_clear(&observation.rule, &key, Some(at)),
            Step::Unclear => self.set_clear(&observation.rule, &key, None),
            Step::Resolve => self.resolve(&rule, &observation.rule, &key, at),
        }
    }

    fn has_room(&self, rule: &str) -> bool {
        let all: usize = self.trackers.values().map(|of| of.len()).sum();
        let of_rule = self.trackers.get(rule).map_or(0, |of| of.len());
        all < ALERT_TRACKERS_MAX && of_rule < ALERT_GROUPS_MAX
    }

    fn track(&mut self, rule: &str, key: String, tracker: Tracker) {
        self.trackers.entry(rule.to_owned()).or_default().insert(key, tracker);
    }

    fn tracker_mut(&mut self, rule: &str, key: &str) -> Option<&mut Tracker> {
        self.trackers.get_mut(rule)?.get_mut(key)
    }

    fn forget(&mut self, rule: &str, key: &str) {
        if let Some(of_rule) = self.trackers.get_mut(rule) {
            of_rule.remove(key);
            if of_rule.is_empty() {
                self.trackers.remove(rule);
            }
        }
    }

    fn fire(&mut self, rule: &Rule, key: &str, observation: Observation, at: Timestamp) {
        let Observation { rule: name, group, evidence: Some(evidence), .. } = observation else { return };
        let before = self.tracker(&name, key).cloned();
        if before.is_none() && !self.has_room(&name) {
            return;
        }
        let mut tracker =
            before.unwrap_or_else(|| Tracker { phase: Phase::Pending { since: at }, fired: Vec::new() });
        // It is wrong since it was seen to be, not since it counts.
        let opened_at = match tracker.phase {
            Phase::Pending { since } => since.min(at),
            _ => at,
        };
        let id = self.open_incident(&name, rule, group, *evidence, opened_at);
        tracker.fire(id, at);
        self.track(&name, key.to_owned(), tracker);
        self.tell_firing(rule, &name, key, id, TransitionKind::Fired, at);
    }

    fn reopen(
        &mut self,
        rule: &Rule,
        key: &str,
        observation: &Observation,
        (id, flaps): (u64, bool),
        at: Timestamp,
    ) {
        let (name, Some(evidence)) = (&observation.rule, &observation.evidence) else { return };
        let Some(incident) = self.incidents.get_mut(&id) else {
            // It was pushed out by newer ones: this is a new one.
            self.forget(name, key);
            return self.fire(rule, key, observation.clone(), at);
        };
        let begins_to_flap = flaps && !incident.flapping;
        let was_flapping = incident.flapping;
        incident.go_on(evidence.as_ref().clone(), flaps);
        if let Some(tracker) = self.tracker_mut(name, key) {
            tracker.fire(id, at);
        }
        if was_flapping {
            self.hold_back(id, TransitionKind::Reopened, "flapping", at);
            if let Some(tracker) = self.tracker_mut(name, key) {
                tracker.told(at);
            }
            return;
        }
        let kind = if begins_to_flap { TransitionKind::Flapping } else { TransitionKind::Reopened };
        self.tell_firing(rule, name, key, id, kind, at);
    }

    fn tell_again(
        &mut self,
        rule: &Rule,
        key: &str,
        observation: &Observation,
        kind: TransitionKind,
        at: Timestamp,
    ) {
        let Some(Phase::Firing { incident, .. }) =
            self.tracker(&observation.rule, key).map(|tracker| tracker.phase.clone())
        else {
            return;
        };
        if let (Some(incident), Some(evidence)) = (self.incidents.get_mut(&incident), &observation.evidence) {
            incident.evidence = evidence.as_ref().clone();
        }
        self.tell_firing(rule, &observation.rule, key, incident, kind, at);
    }

    /// Tells the rule's channels, unless a silence covers it; then the tracker remembers that it is to be told later.
    fn tell_firing(
        &mut self,
        rule: &Rule,
        name: &str,
        key: &str,
        id: u64,
        kind: TransitionKind,
        at: Timestamp,
    ) {
        let Some(incident) = self.incidents.get(&id) else { return };
        match self.silenced_by(&incident.subject(), at).map(str::to_owned) {
            Some(silence) => self.hold_back(id, kind, &silence, at),
            None => {
                self.tell(rule, id, kind, at);
                if let Some(tracker) = self.tracker_mut(name, key) {
                    tracker.told(at);
                }
            }
        }
    }

    fn set_clear(&mut self, rule: &str, key: &str, since: Option<Timestamp>) {
        if let Some(Tracker { phase: Phase::Firing { clear_since, .. }, .. }) = self.tracker_mut(rule, key) {
            *clear_since = since;
        }
    }

    fn resolve(&mut self, rule: &Rule, name: &str, key: &str, at: Timestamp) {
        let Some(tracker) = self.tracker_mut(name, key) else { return };
        let Phase::Firing { incident, .. } = tracker.phase else { return };
        tracker.phase = Phase::Resolved { incident, at };
        self.resolve_incident(rule, incident, at);
    }

    /// Ends what a rule has under way, without a word: somebody has changed the rule, and knows.
    pub(super) fn end_all_of(&mut self, rule: &str, at: Timestamp) {
        self.trackers.remove(rule);
        let open: Vec<u64> = self
            .incidents
            .values()
            .filter(|incident: &&Incident| incident.rule == rule && incident.is_firing())
            .map(|incident| incident.id)
            .collect();
        for id in open {
            self.close_incident(id, at);
            self.hold_back(id, TransitionKind::Resolved, "the rule was changed", at);
        }
    }
}
