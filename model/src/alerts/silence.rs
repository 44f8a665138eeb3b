//! Silences and maintenance windows: for a time, once or again and again, what matches fires but nobody is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::{Problem, check_line, check_name};
use super::rule::Severity;
use crate::Timestamp;
use crate::limits::{ALERT_LABELS_MAX, ALERT_TEXT_BYTES_MAX};
use crate::timestamp::NANOS_PER_SEC;

const DAY: i64 = 86_400 * NANOS_PER_SEC;
/// A silence that is longer is a rule to be switched off.
const LENGTH_MAX: i64 = 90 * DAY;

/// One silence; its name is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Silence {
    #[serde(default)]
    pub matches: Matches,
    pub starts_at: Timestamp,
    /// Not part of it.
    pub ends_at: Timestamp,
    /// A maintenance window comes again.
    #[serde(default)]
    pub again: Recurrence,
    pub reason: String,
    /// Who made it; set by the node.
    #[serde(default)]
    pub by: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    #[default]
    Never,
    Daily,
    Weekly,
}

/// All that is said must be so; nothing said means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Matches {
    pub rule: Option<String>,
    pub service: Option<String>,
    /// This severity or a lesser one.
    pub severity: Option<Severity>,
    pub labels: BTreeMap<String, String>,
}

/// What a silence is held against.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub rule: &'a str,
    pub service: Option<&'a str>,
    pub severity: Severity,
    pub labels: &'a BTreeMap<String, String>,
}

impl Silence {
    pub fn check(&self) -> Result<(), Problem> {
        let length = self.ends_at.0.saturating_sub(self.starts_at.0);
        if length <= 0 || length > LENGTH_MAX {
            return Err(Problem::new("ends_at", "must lie after starts_at, and at most 90 days"));
        }
        let every = self.again.every();
        if every.is_some_and(|every| length > every) {
            return Err(Problem::new("again", "the window is longer than the time until it comes again"));
        }
        if self.reason.trim().is_empty() {
            return Err(Problem::new("reason", "must say why: it is shown to whoever looks for an alert"));
        }
        check_line("reason", &self.reason, ALERT_TEXT_BYTES_MAX)?;
        check_line("service", self.matches.service.as_deref().unwrap_or(""), ALERT_TEXT_BYTES_MAX)?;
        if let Some(rule) = &self.matches.rule {
            check_name("rule", rule)?;
        }
        if self.matches.labels.len() > ALERT_LABELS_MAX {
            return Err(Problem::new("labels", format!("at most {ALERT_LABELS_MAX} labels")));
        }
        self.matches.labels.iter().try_for_each(|(name, value)| {
            check_name("labels", name)?;
            check_line("labels", value, ALERT_TEXT_BYTES_MAX)
        })
    }

    pub fn is_active(&self, now: Timestamp) -> bool {
        let since = now.0.saturating_sub(self.starts_at.0);
        let since = match self.again.every() {
            Some(every) if since >= 0 => since % every,
            _ => since,
        };
        (0..self.ends_at.0.saturating_sub(self.starts_at.0)).contains(&since)
    }

    /// It is over and will not come again.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.again == Recurrence::Never && self.ends_at <= now
    }

    pub fn covers(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        let Matches { rule, service, severity, labels } = &self.matches;
        self.is_active(now)
            && rule.as_deref().is_none_or(|rule| rule == subject.rule)
            && service.as_deref().is_none_or(|service| Some(service) == subject.service)
            && severity.is_none_or(|severity| subject.severity <= severity)
            && labels.iter().all(|(name, value)| subject.labels.get(name) == Some(value))
    }
}

impl Recurrence {
    fn every(self) -> Option<i64> {
        match self {
            Recurrence::Never => None,
            Recurrence::Daily => Some(DAY),
            Recurrence::Weekly => Some(7 * DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(again: Recurrence) -> Silence {
        Silence {
            matches: Matches { service: Some("payment".into()), ..Matches::default() },
            starts_at: Timestamp(10 * DAY),
            ends_at: Timestamp(10 * DAY + 3_600 * NANOS_PER_SEC),
            again,
            reason: "deploy".into(),
            by: String::new(),
        }
    }

    fn covers(silence: &Silence, service: &str, at: i64) -> bool {
        let labels = BTreeMap::new();
        let subject =
            Subject { rule: "r", service: Some(service), severity: Severity::Critical, labels: &labels };
        silence.covers(&subject, Timestamp(at))
    }

    #[test]
    fn a_silence_has_two_ends_and_a_maintenance_window_comes_again() {
        let once = silence(Recurrence::Never);
        assert!(covers(&once, "payment", 10 * DAY) && !covers(&once, "auth", 10 * DAY));
        assert!(!covers(&once, "payment", 10 * DAY - 1) && !covers(&once, "payment", once.ends_at.0));
        assert!(once.is_past(once.ends_at));
        let weekly = silence(Recurrence::Weekly);
        assert!(covers(&weekly, "payment", 17 * DAY + 1) && !covers(&weekly, "payment", 11 * DAY));
        assert!(
            covers(&silence(Recurrence::Daily), "payment", 11 * DAY) && !weekly.is_past(Timestamp(99 * DAY))
        );
    }

    #[test]
    fn a_silence_that_could_not_end_is_refused() {
        assert_eq!(silence(Recurrence::Daily).check(), Ok(()));
        let field = |silence: Silence| silence.check().err().map(|problem| problem.field);
        let backwards = Silence { ends_at: Timestamp(0), ..silence(Recurrence::Never) };
        assert_eq!(field(backwards).as_deref(), Some("ends_at"));
        let overlong = Silence { ends_at: Timestamp(12 * DAY), ..silence(Recurrence::Daily) };
        assert_eq!(field(overlong).as_deref(), Some("again"));
        assert_eq!(
            field(Silence { reason: " ".into(), ..silence(Recurrence::Never) }).as_deref(),
            Some("reason")
        );
    }
}
