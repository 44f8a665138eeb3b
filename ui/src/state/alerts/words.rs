//! Rules, channels and silences in a sentence.

use insighthub_model::Timestamp;

use crate::api::alerts::{
    BreakerState, Condition, Evidence, ListedChannel, ListedRule, Matches, Recurrence, Relation, Rule,
    Severity, Silence, TransitionKind,
};
use crate::state::format;

/// What must be so for the rule to fire.
pub fn condition(rule: &Rule) -> String {
    let window = length(rule.window_secs);
    let what = match &rule.condition {
        Condition::ErrorRate(of) => format!(
            "Errors a minute over {} times the normal, and over {}",
            of.factor, of.errors_per_min_floor
        ),
        Condition::Latency(of) => format!(
            "{} of {} over {}, of {} in {window}",
            of.statistic,
            of.field,
            format::duration_ms(of.threshold_ms),
            at_least(of.records_min)
        ),
        Condition::Anomaly(of) => match of.episodes_max {
            0 => format!("An anomaly that scores {} or more", of.score_min),
            tolerated => {
                format!("More than {tolerated} anomalies at once that score {} or more", of.score_min)
            }
        },
        Condition::Query(of) => {
            format!("{} {} {} in {window}", of.value, relation(of.relation), of.threshold)
        }
        Condition::Ratio(of) => {
            let whole =
                if of.to.trim().is_empty() { "all records".to_owned() } else { format!("“{}”", of.to) };
            format!(
                "Share of “{}” in {whole} {} {}, of {} in {window}",
                of.of,
                relation(of.relation),
                format::percent(of.threshold),
                at_least(of.records_min)
            )
        }
        Condition::NoData(of) => {
            format!("Nothing for {window}, from who wrote in the {} before", length(of.lookback_secs))
        }
        Condition::NewPattern(of) => format!(
            "A kind of message that did not come for {}, {} in {window}",
            length(of.lookback_secs),
            times(of.records_min)
        ),
    };
    let wait = match rule.for_secs {
        0 => String::new(),
        secs => format!(", for {}", length(secs)),
    };
    format!("{what}{wait}")
}

/// Which records, and what is judged apart.
pub fn scope(rule: &Rule) -> String {
    let records =
        if rule.filter.trim().is_empty() { "all records".to_owned() } else { rule.filter.trim().to_owned() };
    match rule.group_by.as_slice() {
        [] => format!("{records}, together"),
        fields => format!("{records}, each {}", fields.join(" and ")),
    }
}

pub fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Above => "over",
        Relation::AtLeast => "at least",
        Relation::Below => "under",
        Relation::AtMost => "at most",
    }
}

fn at_least(records: u64) -> String {
    format!("{} or more", format::plural(records, "record"))
}

fn times(records: u64) -> String {
    if records <= 1 { "once or more".to_owned() } else { format!("{} times or more", format::count(records)) }
}

/// `30 s`, `5 min`, `2 h`, `1 d`.
pub fn length(secs: u32) -> String {
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "min")] {
        if secs >= unit && secs.is_multiple_of(unit) {
            return format!("{} {name}", secs / unit);
        }
    }
    format!("{secs} s")
}

/// How a rule stands: a word, and whether it is good, bad or neither.
pub fn rule_state(rule: &ListedRule) -> (String, &'static str) {
    match (rule.rule.enabled, rule.firing, rule.pending) {
        (false, _, _) => ("Disabled".to_owned(), "off"),
        (true, 0, 0) => ("OK".to_owned(), "good"),
        (true, 0, pending) => (format!("Pending, {pending}"), "pending"),
        (true, firing, _) => (format!("Firing, {firing}"), "bad"),
    }
}

pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

pub fn severity_from(name: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|one| severity(*one) == name)
}

/// Whether messages go through: in words, and good, pending or bad.
pub fn breaker(channel: &ListedChannel) -> (&'static str, &'static str) {
    match (channel.channel.enabled, channel.state) {
        (false, _) => ("Switched off", "off"),
        (true, BreakerState::Closed) if channel.health.breaker.failures > 0 => ("Failing", "pending"),
        (true, BreakerState::Closed) => ("Working", "good"),
        (true, BreakerState::Open) => ("Left alone until", "bad"),
        (true, BreakerState::HalfOpen) => ("Being tried", "pending"),
    }
}

/// What a silence is about.
pub fn matches(matches: &Matches) -> String {
    let mut parts = Vec::new();
    parts.extend(matches.rule.as_ref().map(|rule| format!("rule {rule}")));
    parts.extend(matches.service.as_ref().map(|service| format!("service {service}")));
    parts.extend(matches.severity.map(|highest| match highest {
        Severity::Critical => "every severity".to_owned(),
        highest => format!("severity {} or less", severity(highest)),
    }));
    parts.extend(matches.labels.iter().map(|(name, value)| format!("{name}={value}")));
    if parts.is_empty() { "Everything".to_owned() } else { parts.join(", ") }
}

/// Where a silence stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilenceState {
    Active,
    /// Begins later, or comes again.
    Coming,
    Over,
}

pub fn silence_state(silence: &Silence, now: Timestamp) -> SilenceState {
    if silence.is_active(now) {
        SilenceState::Active
    } else if silence.is_past(now) {
        SilenceState::Over
    } else {
        SilenceState::Coming
    }
}

pub fn recurrence(again: Recurrence) -> &'static str {
    match again {
        Recurrence::Never => "once",
        Recurrence::Daily => "every day",
        Recurrence::Weekly => "every week",
    }
}

pub fn transition(kind: TransitionKind) -> &'static str {
    match kind {
        TransitionKind::Fired => "Fired",
        TransitionKind::Reopened => "Came back",
        TransitionKind::Flapping => "Comes and goes",
        TransitionKind::Announced => "Told after a silence",
        TransitionKind::Repeated => "Told again",
        TransitionKind::Resolved => "Resolved",
        TransitionKind::Test => "Test",
    }
}

/// A figure of evidence, as short as it can be and still tell.
pub fn figure(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        let whole = format::count(number.abs() as u64);
        return if number < 0.0 { format!("-{whole}") } else { whole };
    }
    match number.abs() {
        size if size >= 100.0 => figure(number.round()),
        size if size >= 1.0 => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

/// `Errors/min 80, normal 2, threshold 6`.
pub fn evidence(evidence: &Evidence) -> String {
    let normal = evidence.normal.map(|normal| format!(", normal {}", figure(normal))).unwrap_or_default();
    format!(
        "{} {}{normal}, threshold {}",
        evidence.measure,
        figure(evidence.observed),
        figure(evidence.threshold)
    )
}

/// `service=payment`, or what is said where nothing tells groups apart.
pub fn group(group: &[(String, String)]) -> String {
    match group {
        [] => "all records".to_owned(),
        [(name, value)] if name == "service" => value.clone(),
        several => {
            let parts: Vec<String> = several.iter().map(|(name, value)| format!("{name}={value}")).collect();
            parts.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(condition: &str) -> Rule {
        let text = format!(r#"{{"title":"x","window_secs":300,"condition":{condition}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_condition_is_a_sentence() {
        let expected = [
            (r#"{"error_rate":{}}"#, "Errors a minute over 3 times the normal, and over 5"),
            (
                r#"{"latency":{"statistic":"p95","threshold_ms":1500}}"#,
                "p95 of latency_ms over 1.50 s, of 20 records or more in 5 min",
            ),
            (r#"{"anomaly":{"score_min":2}}"#, "An anomaly that scores 2 or more"),
            (
                r#"{"anomaly":{"score_min":1,"episodes_max":2}}"#,
                "More than 2 anomalies at once that score 1 or more",
            ),
            (
                r#"{"query":{"value":"avg(bytes)","is":"<=","threshold":0.5}}"#,
                "avg(bytes) at most 0.5 in 5 min",
            ),
            (
                r#"{"ratio":{"of":"level:ERROR","is":">","threshold":0.05}}"#,
                "Share of “level:ERROR” in all records over 5.0 %, of 20 records or more in 5 min",
            ),
            (r#"{"no_data":{}}"#, "Nothing for 5 min, from who wrote in the 1 d before"),
            (
                r#"{"new_pattern":{"records_min":3}}"#,
                "A kind of message that did not come for 1 d, 3 times or more in 5 min",
            ),
        ];
        for (text, sentence) in expected {
            assert_eq!(condition(&rule(text)), sentence);
        }
        let waits = Rule { for_secs: 90, ..rule(r#"{"no_data":{}}"#) };
        assert!(condition(&waits).ends_with("before, for 90 s"));
    }

    #[test]
    fn a_silence_is_active_coming_or_over() {
        let silence = |again: &str| -> Silence {
            let text = format!(
                r#"{{"starts_at":"2026-01-01T10:00:00Z","ends_at":"2026-01-01T11:00:00Z","reason":"x","again":"{again}"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let state = |again: &str, text: &str| silence_state(&silence(again), at(text));
        assert_eq!(state("never", "2026-01-01T09:00:00Z"), SilenceState::Coming);
        assert_eq!(state("never", "2026-01-01T10:30:00Z"), SilenceState::Active);
        assert_eq!(state("never", "2026-01-01T12:00:00Z"), SilenceState::Over);
        assert_eq!(state("daily", "2026-01-01T12:00:00Z"), SilenceState::Coming);
        assert_eq!(state("daily", "2026-01-09T10:00:00Z"), SilenceState::Active);
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([80.0, 1_838.26, 2.87, 0.0421, -3.0].map(figure), ["80", "1,838", "2.9", "0.042", "-3"]);
    }
}
