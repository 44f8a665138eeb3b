//! Two sets of records held against each other: what has become more or less, and what is over-represented. Ordered by
//! surprise, which a large share of few records does not raise, nor a small change of very many.

use std::collections::BTreeSet;

use insighthub_model::api::answer::level_counts;
use insighthub_model::api::different::{Finding, Found, LeftOut, What};
use insighthub_model::api::patterns::{Change, PatternChange};

use super::surprise::{of_rates, of_shares};
use super::{PatternSeen, PatternsSeen, Seen};

/// Fewer records than this are no finding, however odd.
const FINDING_RECORDS_MIN: u64 = 5;
/// Met once in ten thousand by chance: thousands of values are compared.
const FINDING_SURPRISE_MIN: f64 = 15.13;
/// Findings of one field: more would hide what other fields say.
const FINDINGS_PER_FIELD: usize = 5;

/// What two ranges of time differ by: the patterns of both with their counts, most surprising first, and how many
/// patterns there are in all.
pub fn pattern_changes(
    range: (&PatternsSeen, f64),
    against: (&PatternsSeen, f64),
    rows: usize,
) -> (Vec<PatternChange>, u64) {
    let ((now, secs), (before, secs_before)) = (range, against);
    let texts: BTreeSet<&String> = now.patterns.keys().chain(before.patterns.keys()).collect();
    let total = texts.len() as u64;
    let change = |text: &String| {
        let (here, there) = (now.patterns.get(text), before.patterns.get(text));
        let seen = here.or(there)?;
        let (count, other) = (here.map_or(0, PatternSeen::count), there.map_or(0, PatternSeen::count));
        let (rate, other_rate) = (count as f64 / secs, other as f64 / secs_before);
        let change = match (count, other) {
            (_, 0) => Change::New,
            (0, _) => Change::Gone,
            _ if rate > other_rate => Change::Grown,
            _ if rate < other_rate => Change::Shrunk,
            _ => return None,
        };
        Some(PatternChange {
            pattern: text.clone(),
            change,
            count,
            count_against: other,
            rate,
            rate_against: other_rate,
            times: (other > 0).then(|| rate / other_rate),
            surprise: of_rates(count, other, secs, secs_before),
            levels: level_counts(&seen.levels),
            sample_log_id: seen.newest.1,
        })
    };
    let mut changes: Vec<PatternChange> = texts.into_iter().filter_map(change).collect();
    // Stable: those that surprise alike stay in the order of their texts.
    changes.sort_by(|a, b| b.surprise.total_cmp(&a.surprise));
    changes.truncate(rows);
    (changes, total)
}

/// The records of a selection and all others of the same filter and range.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    pub selection: &'a Seen,
    pub rest: &'a Seen,
}

/// What more of the selection's records have than of the others, most surprising first, and the fields that were left
/// out, besides those that are `hidden`: they say what the selection is.
pub fn findings(sides: Sides<'_>, hidden: &BTreeSet<String>, rows: usize) -> (Vec<Finding>, Vec<LeftOut>) {
    let mut left_out = Vec::new();
    let mut found = of_patterns(sides);
    for (name, seen) in &sides.selection.fields.fields {
        if hidden.contains(name) {
            let reason = "the selection is made by it".to_owned();
            left_out.push(LeftOut { field: name.clone(), reason });
            continue;
        }
        let rest = sides.rest.fields.fields.get(name);
        let mut is_whole = seen.values.is_exact();
        let mut of_field = Vec::new();
        for (hash, value, count) in seen.values.iter() {
            let other = rest.map_or(Some(0), |rest| rest.values.count(hash));
            is_whole &= other.is_some();
            let what = || What::Field { field: name.clone(), value: value.to_json() };
            of_field.extend(other.and_then(|other| finding(sides, count, other, what)));
        }
        if !is_whole {
            let reason = "it has too many different values; only some of them were compared".to_owned();
            left_out.push(LeftOut { field: name.clone(), reason });
        }
        most_surprising(&mut of_field, FINDINGS_PER_FIELD);
        found.extend(of_field);
    }
    most_surprising(&mut found, rows);
    (found, left_out)
}

fn of_patterns(sides: Sides<'_>) -> Vec<Finding> {
    let rest = &sides.rest.patterns.patterns;
    let patterns = sides.selection.patterns.patterns.iter();
    let finding = |(pattern, seen): (&String, &PatternSeen)| {
        let other = rest.get(pattern).map_or(0, PatternSeen::count);
        finding(sides, seen.count(), other, || What::Pattern { pattern: pattern.clone() })
    };
    patterns.filter_map(finding).collect()
}

/// Something that so many records of the selection have, and so many of the rest; `None` where that says nothing.
fn finding(sides: Sides<'_>, count: u64, other: u64, what: impl FnOnce() -> What) -> Option<Finding> {
    let (of, other_of) = (sides.selection.records, sides.rest.records);
    if count < FINDING_RECORDS_MIN {
        return None;
    }
    let share = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let selection = Found { records: count, share: share(count, of) };
    let rest = Found { records: other, share: share(other, other_of) };
    let surprise = of_shares(count, of, other, other_of);
    if selection.share <= rest.share || surprise < FINDING_SURPRISE_MIN {
        return None;
    }
    let times = (other > 0).then(|| selection.share / rest.share);
    Some(Finding { what: what(), selection, rest, times, surprise })
}

fn most_surprising(findings: &mut Vec<Finding>, rows: usize) {
    // Stable: those that surprise alike stay in the order they were made in, which is that of names and hashes.
    findings.sort_by(|a, b| b.surprise.total_cmp(&a.surprise));
    findings.truncate(rows);
}
