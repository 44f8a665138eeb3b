//! What a message says, before a channel gives it its form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::condition::Condition;
use super::evidence::Evidence;
use super::incident::{Incident, TransitionKind};
use super::rule::{Rule, Severity};
use crate::Timestamp;

/// Everything a message may say; fixed when the transition is committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub incident: u64,
    /// Number of the incident's transition; with its id the idempotency key.
    pub transition: u32,
    pub kind: TransitionKind,
    pub at: Timestamp,
    pub rule: String,
    /// `Payment Service ERROR SPIKE`.
    pub heading: String,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    pub owner: Option<String>,
    pub group: Vec<(String, String)>,
    pub opened_at: Timestamp,
    pub evidence: Evidence,
    pub template: Option<String>,
}

impl Notice {
    /// The same for every attempt, and never the same for another message.
    pub fn idempotency_key(&self, channel: &str) -> String {
        format!("insighthub-{}-{}-{channel}", self.incident, self.transition)
    }

    pub fn of(
        incident: &Incident,
        rule: &Rule,
        transition: u32,
        kind: TransitionKind,
        at: Timestamp,
    ) -> Notice {
        Notice {
            incident: incident.id,
            transition,
            kind,
            at,
            rule: incident.rule.clone(),
            heading: heading_of(rule, &incident.group),
            severity: incident.severity,
            labels: incident.labels.clone(),
            owner: incident.owner.clone(),
            group: incident.group.clone(),
            opened_at: incident.opened_at,
            evidence: incident.evidence.clone(),
            template: rule.template.clone(),
        }
    }

    /// What a test of a channel sends.
    pub fn test(channel: &str, at: Timestamp) -> Notice {
        Notice {
            incident: 0,
            transition: u32::try_from((at.millis() / 1_000) & 0x7fff_ffff).unwrap_or_default(),
            kind: TransitionKind::Test,
            at,
            rule: "test".into(),
            heading: format!("Test of channel {channel}"),
            severity: Severity::Info,
            labels: BTreeMap::new(),
            owner: None,
            group: Vec::new(),
            opened_at: at,
            evidence: Evidence {
                measure: "Errors/min".into(),
                observed: 80.0,
                normal: Some(2.0),
                threshold: 6.0,
                from: at,
                to: at,
                query: String::new(),
                cause: Some("none: somebody tries this channel".into()),
                because: "an example".into(),
            },
            template: None,
        }
    }
}

/// `Payment Service ERROR SPIKE`: who, and what, at a glance.
pub fn heading_of(rule: &Rule, group: &[(String, String)]) -> String {
    let what = match rule.condition {
        Condition::ErrorRate(_) => "ERROR SPIKE".to_owned(),
        Condition::Latency(_) => "HIGH LATENCY".to_owned(),
        Condition::Anomaly(_) => "ANOMALY".to_owned(),
        Condition::NoData(_) => "NO DATA".to_owned(),
        Condition::NewPattern(_) => "NEW PATTERN".to_owned(),
        Condition::Query(_) | Condition::Ratio(_) => rule.title.to_uppercase(),
    };
    let who: Vec<String> = group
        .iter()
        .filter(|(name, _)| name != "pattern")
        .map(|(name, value)| if name == "service" { service_title(value) } else { value.clone() })
        .collect();
    match who.is_empty() {
        true => what,
        false => format!("{} {what}", who.join(" ")),
    }
}

/// `payment-api` is the `Payment Api Service`.
fn service_title(service: &str) -> String {
    let words = service.split(['-', '_', '.', ' ']).filter(|word| !word.is_empty());
    let mut title: Vec<String> = words
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
        })
        .collect();
    if title.last().is_none_or(|last| !last.eq_ignore_ascii_case("service")) {
        title.push("Service".to_owned());
    }
    title.join(" ")
}

/// `10:32 AM UTC`, with the day where it is another one than that of `now`.
pub fn minutes_and_hour(moment: Timestamp, now: Timestamp) -> String {
    let of = |moment: Timestamp| OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0));
    let Ok(at) = of(moment) else { return moment.to_string() };
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    let hour = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let clock = format!("{hour}:{:02} {half} UTC", at.minute());
    match of(now).is_ok_and(|now| now.date() == at.date()) {
        true => clock,
        false => format!("{clock}, {}", at.date()),
    }
}

/// A figure for people: whole where it is, else with the digits that matter.
pub fn shown_number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use crate::alerts::first_rules;

    #[test]
    fn a_heading_says_who_and_what() {
        let (_, rule) = first_rules().remove(0);
        let heading = |service: &str| heading_of(&rule, &[("service".into(), service.into())]);
        assert_eq!(heading("payment"), "Payment Service ERROR SPIKE");
        assert_eq!(heading("payment-service"), "Payment Service ERROR SPIKE");
        assert_eq!(heading("check_out.v2"), "Check Out V2 Service ERROR SPIKE");
        assert_eq!(heading_of(&rule, &[]), "ERROR SPIKE");
    }

    #[test]
    fn times_and_figures_read_well() {
        let at = |text| Timestamp::parse(text).unwrap();
        let morning = at("2025-12-02T10:32:20Z");
        assert_eq!(minutes_and_hour(morning, at("2025-12-02T23:00:00Z")), "10:32 AM UTC");
        assert_eq!(minutes_and_hour(morning, at("2025-12-03T00:00:00Z")), "10:32 AM UTC, 2025-12-02");
        assert_eq!(minutes_and_hour(at("2025-12-02T00:05:00Z"), morning), "12:05 AM UTC");
        assert_eq!(minutes_and_hour(at("2025-12-02T12:05:00Z"), morning), "12:05 PM UTC");
        let shown = [80.0, 2.5, 0.333_333, 1234.567, 1e9].map(shown_number);
        assert_eq!(shown, ["80", "2.5", "0.33", "1235", "1000000000"]);
    }
}
