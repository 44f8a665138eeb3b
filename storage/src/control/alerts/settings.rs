//! Rules, channels and silences as people set them.

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Channel, ChannelHealth, Rule, Silence};
use insighthub_model::limits::{ALERT_CHANNELS_MAX, ALERT_RULES_MAX, ALERT_SILENCES_MAX};

use super::{Alerts, ChannelEntry, ControlReply, RuleEntry};

/// Who made the first rules.
const FOUNDER: &str = "insighthub";

impl Alerts {
    pub(super) fn install(&mut self, rules: Vec<(String, Rule)>, at: Timestamp) -> ControlReply {
        if !self.is_installed {
            self.is_installed = true;
            for (name, rule) in rules {
                let entry = RuleEntry { rule, changed_by: FOUNDER.to_owned(), changed_at: at };
                self.rules.entry(name).or_insert(entry);
            }
        }
        ControlReply::Done
    }

    pub(super) fn set_rule(&mut self, name: String, rule: Rule, by: String, at: Timestamp) -> ControlReply {
        if self.rules.len() >= ALERT_RULES_MAX && !self.rules.contains_key(&name) {
            return ControlReply::LimitReached;
        }
        if rule.channels.iter().any(|channel| !self.channels.contains_key(channel)) {
            return ControlReply::NotFound;
        }
        let regroups = self.rules.get(&name).is_some_and(|before| before.rule.group_by != rule.group_by);
        if !rule.enabled || regroups {
            self.end_all_of(&name, at);
        }
        self.rules.insert(name, RuleEntry { rule, changed_by: by, changed_at: at });
        ControlReply::Done
    }

    pub(super) fn remove_rule(&mut self, name: &str, at: Timestamp) -> ControlReply {
        if self.rules.remove(name).is_none() {
            return ControlReply::NotFound;
        }
        self.end_all_of(name, at);
        ControlReply::Done
    }

    /// What waits for the channel is due at once: its form may have been the reason.
    pub(super) fn set_channel(&mut self, name: String, channel: Channel, at: Timestamp) -> ControlReply {
        if self.channels.len() >= ALERT_CHANNELS_MAX && !self.channels.contains_key(&name) {
            return ControlReply::LimitReached;
        }
        for row in self.outbox.values_mut().filter(|row| row.channel == name) {
            row.next_at = at;
        }
        let before = self.channels.remove(&name).map(|entry| entry.health).unwrap_or_default();
        let health = ChannelHealth { breaker: Default::default(), last_error: None, ..before };
        self.channels.insert(name, ChannelEntry { channel, health });
        ControlReply::Done
    }

    pub(super) fn remove_channel(&mut self, name: &str) -> ControlReply {
        if self.rules.values().any(|entry| entry.rule.channels.iter().any(|channel| channel == name)) {
            return ControlReply::Conflict;
        }
        if self.channels.remove(name).is_none() {
            return ControlReply::NotFound;
        }
        for (number, row) in self.outbox.extract_if(.., |_, row| row.channel == name).collect::<Vec<_>>() {
            self.settle(number, &row, None, Some("the channel was removed"));
        }
        ControlReply::Done
    }

    pub(super) fn set_silence(&mut self, name: String, silence: Silence, at: Timestamp) -> ControlReply {
        // What is past does not count, and goes when room is needed.
        if self.silences.len() >= ALERT_SILENCES_MAX && !self.silences.contains_key(&name) {
            self.silences.retain(|_, silence| !silence.is_past(at));
            if self.silences.len() >= ALERT_SILENCES_MAX {
                return ControlReply::LimitReached;
            }
        }
        self.silences.insert(name, silence);
        ControlReply::Done
    }
}
