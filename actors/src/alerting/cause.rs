//! What may be behind it: the kind of message that has grown most among the records in question.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::query::{Expression, Query, Stage};
use insighthub_model::table::Value;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::query::Conditions;
use insighthub_storage::query::pipeline::Rows;
use tokio::time::Instant;

use super::judging::Window;

/// Kinds of messages that are compared.
const PATTERNS: u32 = 200;
/// What came before is looked at for so long.
const BEFORE_SECS: i64 = 3_600;
/// Of a cause; a message is one glance.
const CHARACTERS_MAX: usize = 160;

/// `None` where there are no records, or they cannot be asked in time: a message does not wait for its cause.
pub(super) async fn cause_of(
    cluster: &Cluster,
    records: &Expression,
    window: Window,
    deadline: Instant,
) -> Option<String> {
    let before = Window {
        from: Timestamp(window.from.0.saturating_sub(BEFORE_SECS * NANOS_PER_SEC)),
        to: window.from,
    };
    let (now, before) = tokio::join!(
        patterns(cluster, records, window, PATTERNS, deadline),
        patterns(cluster, records, before, PATTERNS, deadline)
    );
    let share = (window.to.0 - window.from.0) as f64 / (BEFORE_SECS * NANOS_PER_SEC) as f64;
    grown_most(&now?, &before.unwrap_or_default(), share).map(|text| shown(&text))
}

/// Kinds of messages with their counts; most frequent ones only.
pub(super) async fn patterns(
    cluster: &Cluster,
    records: &Expression,
    window: Window,
    count: u32,
    deadline: Instant,
) -> Option<BTreeMap<String, u64>> {
    let query =
        Query { filter: records.clone().resolved_at(window.to), stages: vec![Stage::Patterns(count)] };
    let conditions =
        Conditions { query, from: Some(window.from), to: Some(window.to), ..Conditions::default() };
    let answer = cluster.query(&conditions, 1, deadline).await;
    let answer =
        answer.inspect_err(|error| tracing::debug!(%error, "kinds of messages cannot be had")).ok()?;
    let Rows::Table(table) = answer.rows else { return None };
    let counted = table.rows.into_iter().filter_map(|row| match row.as_slice() {
        [Value::Text(text), Value::Int(count), ..] => Some((text.clone(), u64::try_from(*count).ok()?)),
        _ => None,
    });
    Some(counted.collect())
}

/// The kind that came most often beyond what was to be expected; `share` of the time before is as long as now.
fn grown_most(now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>, share: f64) -> Option<String> {
    let growth = |(text, count): (&String, &u64)| {
        let expected = before.get(text).copied().unwrap_or(0) as f64 * share;
        (*count as f64 - expected, text.clone())
    };
    let grown = now.iter().map(growth).filter(|(growth, _)| *growth > 0.0);
    grown.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1))).map(|(_, text)| text)
}

/// A kind of message on one line, for a person.
pub(super) fn shown(pattern: &str) -> String {
    let plain = pattern.replace("<*>", "\u{2026}");
    let line: String = plain.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect()
    }

    #[test]
    fn what_always_comes_is_no_cause() {
        let (now, before) = (counts(&[("noise", 90), ("stripe timeout", 40)]), counts(&[("noise", 5_400)]));
        assert_eq!(grown_most(&now, &before, 1.0 / 60.0).as_deref(), Some("stripe timeout"));
        assert_eq!(grown_most(&counts(&[("noise", 90)]), &before, 1.0 / 60.0), None);
        assert_eq!(grown_most(&BTreeMap::new(), &before, 1.0), None);
    }

    #[test]
    fn a_cause_is_one_line() {
        assert_eq!(shown("charge <*> failed\n\tat x"), "charge \u{2026} failed  at x");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), CHARACTERS_MAX + 1);
    }
}
