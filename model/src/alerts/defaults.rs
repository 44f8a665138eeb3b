//! The rules a new cluster begins with: useful without a setting, quiet on a healthy system.

use std::collections::BTreeMap;

use super::condition::{AnomalyCount, Condition, ErrorRate, Latency};
use super::rule::{Rule, Severity};

/// Names and rules. They tell nobody until channels are added.
pub fn first_rules() -> Vec<(String, Rule)> {
    let rule = |title: &str, severity, for_secs, window_secs, condition| Rule {
        title: title.to_owned(),
        enabled: true,
        filter: String::new(),
        condition,
        group_by: vec!["service".to_owned()],
        window_secs,
        for_secs,
        resolve_after_secs: 120,
        repeat_secs: 4 * 3_600,
        severity,
        labels: BTreeMap::new(),
        owner: None,
        channels: Vec::new(),
        template: None,
        notify_resolved: true,
    };
    let latency = Latency {
        statistic: "p95".into(),
        field: "latency_ms".into(),
        threshold_ms: 1_000.0,
        // Five are beyond the 95th of a hundred. Of thirty it would be one or two, and these are slow on any day.
        records_min: 100,
    };
    let spike = Condition::ErrorRate(ErrorRate::default());
    // Twice the detectors' threshold: what a deploy says for the first time reaches 1.8 now and then, and what wakes people 2.4
    // and more.
    let anomaly = Condition::Anomaly(AnomalyCount { score_min: 2.0, episodes_max: 0 });
    vec![
        ("error-spike".into(), rule("Error spike", Severity::Critical, 0, 60, spike)),
        ("slow".into(), rule("High latency", Severity::Warning, 120, 300, Condition::Latency(latency))),
        ("anomaly".into(), rule("Anomaly", Severity::Warning, 0, 60, anomaly)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rules_are_valid() {
        let rules = first_rules();
        assert_eq!(rules.len(), 3);
        for (name, rule) in rules {
            assert_eq!(rule.check(), Ok(()), "{name}");
        }
    }
}
