//! Incidents: opened, grouped by cause, told of, resolved.

use std::collections::BTreeSet;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Evidence, Incident, IncidentState, Notice, Rule, Transition, TransitionKind};
use insighthub_model::limits::{ALERT_INCIDENTS_MAX, ALERT_TRANSITIONS_MAX};

use super::Alerts;

impl Alerts {
    pub(super) fn open_incident(
        &mut self,
        rule_name: &str,
        rule: &Rule,
        group: Vec<(String, String)>,
        evidence: Evidence,
        opened_at: Timestamp,
    ) -> u64 {
        self.last_incident += 1;
        let mut incident = Incident {
            id: self.last_incident,
            rule: rule_name.to_owned(),
            title: rule.title.clone(),
            severity: rule.severity,
            labels: rule.labels.clone(),
            owner: rule.owner.clone(),
            group,
            state: IncidentState::Firing,
            opened_at,
            resolved_at: None,
            flapping: false,
            evidence,
            acknowledged: None,
            part_of: None,
            parts: BTreeSet::new(),
            told: BTreeSet::new(),
            transitions: Vec::new(),
            transitions_total: 0,
            deliveries: Vec::new(),
        };
        let root = self
            .firing()
            .find(|other| other.shares_cause(&incident))
            .map(|other| other.part_of.filter(|root| self.incidents.contains_key(root)).unwrap_or(other.id));
        if let Some(root) = root.and_then(|root| self.incidents.get_mut(&root)) {
            root.parts.insert(incident.id);
            incident.part_of = Some(root.id);
        }
        let id = incident.id;
        self.incidents.insert(id, incident);
        self.make_room();
        id
    }

    /// The incident resolved longest ago goes first.
    fn make_room(&mut self) {
        while self.incidents.len() > ALERT_INCIDENTS_MAX {
            let over = self.incidents.values().filter(|incident| !incident.is_firing());
            let oldest = over.min_by_key(|incident| (incident.resolved_at, incident.id)).map(|of| of.id);
            let Some(id) = oldest.or_else(|| self.incidents.keys().next().copied()) else { return };
            self.incidents.remove(&id);
        }
    }

    /// Notes a transition, and writes a row for each channel. Of incidents of one cause, a channel hears once: of the first.
    pub(super) fn tell(&mut self, rule: &Rule, id: u64, kind: TransitionKind, at: Timestamp) {
        let Some(incident) = self.incidents.get(&id) else { return };
        let root = incident.part_of.and_then(|root| self.incidents.get(&root));
        let is_worse = root.is_some_and(|root| incident.severity > root.severity);
        let knows = |channel: &String| root.is_some_and(|root| root.told.contains(channel)) && !is_worse;
        let exists = |channel: &String| self.channels.get(channel).is_some_and(|entry| entry.channel.enabled);
        let channels: Vec<String> =
            rule.channels.iter().filter(|channel| exists(channel) && !knows(channel)).cloned().collect();
        let untold = match (channels.is_empty(), rule.channels.is_empty(), root) {
            (false, ..) => None,
            (true, true, _) => Some("the rule has no channels".to_owned()),
            (true, false, Some(root)) => Some(format!("part of incident {}", root.id)),
            (true, false, None) => Some("its channels are switched off".to_owned()),
        };
        let root_id = root.map(|root| root.id);
        let Some(number) = self.note(id, kind, channels.clone(), untold, at) else { return };
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        incident.told.extend(channels.iter().cloned());
        let notice = Notice::of(incident, rule, number, kind, at);
        if let Some(root) = root_id.and_then(|root| self.incidents.get_mut(&root)) {
            root.told.extend(channels.iter().cloned());
        }
        channels.into_iter().for_each(|channel| self.post(channel, notice.clone(), at));
    }

    /// Notes a transition that nobody is told of.
    pub(super) fn hold_back(&mut self, id: u64, kind: TransitionKind, why: &str, at: Timestamp) {
        self.note(id, kind, Vec::new(), Some(why.to_owned()), at);
    }

    fn note(
        &mut self,
        id: u64,
        kind: TransitionKind,
        told: Vec<String>,
        untold: Option<String>,
        at: Timestamp,
    ) -> Option<u32> {
        let incident = self.incidents.get_mut(&id)?;
        incident.transitions_total += 1;
        let number = incident.transitions_total;
        if incident.transitions.len() >= ALERT_TRANSITIONS_MAX {
            incident.transitions.remove(0);
        }
        incident.transitions.push(Transition { number, kind, at, told, untold });
        Some(number)
    }

    pub(super) fn close_incident(&mut self, id: u64, at: Timestamp) {
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.state = IncidentState::Resolved;
            incident.resolved_at = Some(at);
        }
    }

    /// Of incidents of one cause the end is told once: when the last is over, to all who heard of it.
    pub(super) fn resolve_incident(&mut self, rule: &Rule, id: u64, at: Timestamp) {
        self.close_incident(id, at);
        let Some(incident) = self.incidents.get(&id) else { return };
        let root = incident.part_of.and_then(|root| self.incidents.get(&root)).unwrap_or(incident);
        let (root_id, channels) = (root.id, root.told.clone());
        let open = root
            .parts
            .iter()
            .chain([&root.id])
            .find(|part| self.incidents.get(*part).is_some_and(Incident::is_firing));
        let silence = self.silenced_by(&incident.subject(), at).map(str::to_owned);
        let why = match (open, silence) {
            (Some(open), _) => Some(format!("incident {open} of the same cause is not over")),
            (None, Some(silence)) => Some(silence),
            (None, None) if !rule.notify_resolved => Some("the rule does not say when it is over".to_owned()),
            (None, None) if channels.is_empty() => Some("nobody was told of it".to_owned()),
            (None, None) => None,
        };
        if let Some(why) = why {
            return self.hold_back(id, TransitionKind::Resolved, &why, at);
        }
        let exists = |channel: &String| self.channels.contains_key(channel);
        let channels: Vec<String> = channels.into_iter().filter(exists).collect();
        // Told of the first, by its heading, and noted at it.
        if root_id != id {
            self.hold_back(id, TransitionKind::Resolved, &format!("told with incident {root_id}"), at);
        }
        let Some(number) = self.note(root_id, TransitionKind::Resolved, channels.clone(), None, at) else {
            return;
        };
        let Some(root) = self.incidents.get_mut(&root_id) else { return };
        root.told.clear();
        let of_root = self.rules.get(&root.rule).map_or(rule, |entry| &entry.rule);
        let notice = Notice::of(root, of_root, number, TransitionKind::Resolved, at);
        channels.into_iter().for_each(|channel| self.post(channel, notice.clone(), at));
    }
}
