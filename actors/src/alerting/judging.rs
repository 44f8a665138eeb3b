//! From rows to verdicts: what a rule says of each group, with the evidence. Pure.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Condition, ErrorRate, Evidence, Rule, normal_of, shown_number};
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::questions::{Row, records_of};

/// Groups of a rule, as `group_by` names and fills them.
pub(super) type GroupValues = Vec<(String, String)>;

/// What a rule says of a group at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judgement {
    pub(super) group: GroupValues,
    pub(super) breached: bool,
    pub(super) evidence: Evidence,
}

/// The window that was looked at; `to` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Window {
    fn minutes(self) -> f64 {
        (self.to.0.saturating_sub(self.from.0)).max(1) as f64 / (60 * NANOS_PER_SEC) as f64
    }
}

/// Errors of each minute before a window, by group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// Errors by minute since 1970; minutes without records are left out.
    groups: BTreeMap<GroupValues, BTreeMap<i64, f64>>,
}

impl History {
    /// Of rows by minute, whose last figure is that of errors.
    pub(super) fn of(rows: Vec<Row>) -> History {
        let mut groups: BTreeMap<GroupValues, BTreeMap<i64, f64>> = BTreeMap::new();
        for row in rows {
            let (Some(begins), Some(errors)) = (row.begins, row.values.last()) else { continue };
            groups.entry(row.group).or_default().insert(begins.minute(), *errors);
        }
        History { groups }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &GroupValues> {
        self.groups.keys()
    }

    /// Errors of the minutes before `end`, quiet ones included, from the first in which the group was there.
    pub(super) fn minutes_before(&self, group: &GroupValues, end: i64, count: u32) -> Vec<f64> {
        let Some(minutes) = self.groups.get(group) else { return Vec::new() };
        let Some((first, _)) = minutes.range(end - i64::from(count)..end).next() else { return Vec::new() };
        (*first..end).map(|minute| minutes.get(&minute).copied().unwrap_or(0.0)).collect()
    }

    /// Errors from one minute up to another, which is not part of it.
    pub(super) fn errors(&self, group: &GroupValues, from: i64, to: i64) -> f64 {
        self.groups.get(group).map_or(0.0, |minutes| minutes.range(from..to).map(|(_, errors)| errors).sum())
    }
}

/// Judges the rows of a window by a rule that looks at figures.
pub(super) fn judge(rule: &Rule, window: Window, rows: Vec<Row>, history: &History) -> Vec<Judgement> {
    rows.into_iter().filter_map(|row| judge_row(rule, window, row, history)).collect()
}

fn judge_row(rule: &Rule, window: Window, row: Row, history: &History) -> Option<Judgement> {
    let value = row.values.first().copied().unwrap_or(f64::NAN);
    let second = row.values.get(1).copied().unwrap_or(f64::NAN);
    let (breached, figures) = match &rule.condition {
        Condition::ErrorRate(of) => {
            let minutes = history.minutes_before(&row.group, window.from.minute(), of.history_mins);
            spike(of, (second / window.minutes(), window.minutes()), &minutes)
        }
        Condition::Latency(of) => {
            let is_enough = second >= of.records_min as f64;
            let measure = format!("{} {}", of.statistic, of.field);
            let because = format!("above {} over {second} records", shown_number(of.threshold_ms));
            (is_enough && value > of.threshold_ms, Figures::plain(measure, value, of.threshold_ms, because))
        }
        Condition::Query(of) => {
            let because = format!("{} {}", of.relation.sign(), shown_number(of.threshold));
            let figures = Figures::plain(of.value.clone(), value, of.threshold, because);
            (of.relation.holds(value, of.threshold), figures)
        }
        Condition::Ratio(of) => {
            let ratio = value / second;
            let is_enough = second >= (of.records_min.max(1)) as f64;
            let because =
                format!("{value} of {second} records, {} {}", of.relation.sign(), shown_number(of.threshold));
            let figures = Figures::plain("Ratio".into(), ratio, of.threshold, because);
            (is_enough && of.relation.holds(ratio, of.threshold), figures)
        }
        Condition::NoData(_) | Condition::Anomaly(_) | Condition::NewPattern(_) => return None,
    };
    Some(Judgement { breached, evidence: evidence(rule, &row.group, window, figures), group: row.group })
}

/// What evidence is made of, beside the records.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) measure: String,
    pub(super) observed: f64,
    pub(super) normal: Option<f64>,
    pub(super) threshold: f64,
    pub(super) because: String,
}

impl Figures {
    pub(super) fn plain(measure: String, observed: f64, threshold: f64, because: String) -> Figures {
        Figures { measure, observed, normal: None, threshold, because }
    }
}

pub(super) fn evidence(
    rule: &Rule,
    group: &[(String, String)],
    window: Window,
    figures: Figures,
) -> Evidence {
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    Evidence {
        measure: figures.measure,
        observed: finite(figures.observed),
        normal: figures.normal.map(finite),
        threshold: finite(figures.threshold),
        from: window.from,
        to: window.to,
        query: records_of(rule, group).to_string(),
        cause: None,
        because: figures.because,
    }
}

/// Errors a minute over so many minutes, against the group's own minutes before.
pub(super) fn spike(of: &ErrorRate, (observed, window_mins): (f64, f64), minutes: &[f64]) -> (bool, Figures) {
    let measure = "Errors/min".to_owned();
    let normal = normal_of(minutes).filter(|normal| normal.minutes >= of.history_mins_min as usize);
    let Some(normal) = normal else {
        let because = format!("not judged: {} of {} minutes are known", minutes.len(), of.history_mins_min);
        return (false, Figures::plain(measure, observed, of.errors_per_min_floor, because));
    };
    let threshold = normal.threshold(of.factor, of.errors_per_min_floor, window_mins);
    let because = format!(
        "normal is {} +- {} (median and median absolute deviation of {} minutes); the threshold is the largest of {} \
         times that, what minutes vary by, what chance brings, and {}",
        shown_number(normal.median),
        shown_number(normal.mad),
        normal.minutes,
        shown_number(of.factor),
        shown_number(of.errors_per_min_floor)
    );
    let figures = Figures { measure, observed, normal: Some(normal.median), threshold, because };
    (observed > threshold, figures)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::alerts::{Latency, QueryValue, Ratio, Relation, first_rules};

    const WINDOW: Window = Window { from: Timestamp(6_000_000_000_000), to: Timestamp(6_060_000_000_000) };

    fn group(service: &str) -> GroupValues {
        vec![("service".to_owned(), service.to_owned())]
    }

    fn row(service: &str, minute: Option<i64>, values: &[f64]) -> Row {
        Row { group: group(service), begins: minute.map(Timestamp::from_minute), values: values.to_vec() }
    }

    fn rule(condition: Condition) -> Rule {
        Rule { condition, ..first_rules().remove(0).1 }
    }

    #[test]
    fn a_spike_is_told_from_what_is_normal_for_the_service() {
        let (_, rule) = first_rules().remove(0);
        let minutes = (60..100).flat_map(|minute| {
            [row("payment", Some(minute), &[100.0, 2.0]), row("noisy", Some(minute), &[100.0, 60.0])]
        });
        let history = History::of(minutes.chain([row("new", Some(98), &[9.0, 0.0])]).collect());
        let now =
            ["payment", "noisy", "new", "calm"].map(|service| row(service, None, &[200.0, 80.0])).to_vec();
        let judged = judge(&rule, WINDOW, now, &history);
        let breached: Vec<bool> = judged.iter().map(|of| of.breached).collect();
        assert_eq!(breached, [true, false, false, false], "{judged:?}");
        let evidence = &judged[0].evidence;
        assert_eq!((evidence.observed, evidence.normal), (80.0, Some(2.0)));
        assert!((evidence.threshold - 13.07).abs() < 0.01, "{evidence:?}");
        assert!(evidence.query.contains("service:payment"), "{}", evidence.query);
        assert!(judged[2].evidence.because.contains("2 of 10 minutes"), "{}", judged[2].evidence.because);
    }

    #[test]
    fn quiet_minutes_count_as_such() {
        let history = History::of(vec![row("a", Some(10), &[1.0, 4.0]), row("a", Some(13), &[1.0, 8.0])]);
        assert_eq!(history.minutes_before(&group("a"), 15, 180), [4.0, 0.0, 0.0, 8.0, 0.0]);
        assert_eq!(history.minutes_before(&group("a"), 15, 2), [8.0, 0.0]);
        assert_eq!(history.errors(&group("a"), 10, 13), 4.0);
    }

    #[test]
    fn few_records_and_missing_figures_say_nothing() {
        let latency = Latency {
            statistic: "p95".into(),
            field: "latency_ms".into(),
            threshold_ms: 500.0,
            records_min: 20,
        };
        let slow = rule(Condition::Latency(latency));
        let breached = |rule: &Rule, values: &[f64]| {
            judge(rule, WINDOW, vec![row("a", None, values)], &History::default())[0].breached
        };
        assert!(breached(&slow, &[501.0, 20.0]));
        assert!(!breached(&slow, &[501.0, 19.0]) && !breached(&slow, &[f64::NAN, 99.0]));
        let ratio = Ratio {
            of: "level:error".into(),
            to: String::new(),
            relation: Relation::AtLeast,
            threshold: 0.1,
            records_min: 0,
        };
        let ratio = rule(Condition::Ratio(ratio));
        assert!(
            breached(&ratio, &[1.0, 10.0])
                && !breached(&ratio, &[1.0, 11.0])
                && !breached(&ratio, &[0.0, 0.0])
        );
        let few = QueryValue { value: "count()".into(), relation: Relation::Below, threshold: 5.0 };
        let few = rule(Condition::Query(few));
        assert!(breached(&few, &[4.0]) && !breached(&few, &[5.0]));
    }
}
