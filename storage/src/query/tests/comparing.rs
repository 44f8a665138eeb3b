//! Two sets of records held against each other, against counts that are compared one by one.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::api::different::{Finding, What};
use insighthub_model::api::patterns::Change;
use proptest::prelude::*;

use super::dynamic;
use super::source::{RecordsOfSource, TestSource, Value};
use crate::query::exploring::{Seen, Sides, Wanted, WantedFields, explore, findings, pattern_changes};
use crate::query::{Budget, Conditions, Filter};

const MESSAGES: [&str; 3] = ["order 1 paid", "user 7 signed in", "read timeout"];
const PATTERNS: [&str; 3] = ["order <*> paid", "user <*> signed in", "read timeout"];

fn seen(sources: &[TestSource]) -> Seen {
    let fields = Some(WantedFields { names: Vec::new(), values_max: 100 });
    let wanted = Wanted { fields, patterns: true, ..Wanted::default() };
    let filter = Filter::new(&Conditions::default()).unwrap();
    explore(&dynamic(sources), &filter, &wanted, &Budget::UNBOUNDED).unwrap().0
}

/// So many records of each message.
fn of_messages(counts: &[u64; 3]) -> Seen {
    let all = MESSAGES
        .iter()
        .zip(counts)
        .flat_map(|(message, count)| std::iter::repeat_n(message, *count as usize));
    let sources =
        all.enumerate().map(|(at, message)| RecordsOfSource::of_message(0, message).source(0, at as u64));
    seen(&sources.collect::<Vec<_>>())
}

/// So many records of each value of the field `n`.
fn of_values(counts: &[(&'static str, u64)]) -> Seen {
    let all = counts.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize));
    let record = |(at, value)| RecordsOfSource::of_value(Value::Text(value)).source(0, at as u64);
    seen(&all.enumerate().map(record).collect::<Vec<_>>())
}

/// G of a table of two rows and two columns, from its definition.
fn g_of_table(table: [[f64; 2]; 2]) -> f64 {
    let all: f64 = table.iter().flatten().sum();
    let column = |at: usize| table[0][at] + table[1][at];
    let term = |row: &[f64; 2], at: usize| match row[at] {
        0.0 => 0.0,
        observed => observed * (observed * all / ((row[0] + row[1]) * column(at))).ln(),
    };
    2.0 * table.iter().map(|row| term(row, 0) + term(row, 1)).sum::<f64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn changes_are_those_of_the_rates(
        now in prop::array::uniform3(0u64..40), before in prop::array::uniform3(0u64..40), secs in 1u32..100, secs_before in 1u32..100,
    ) {
        let (here, there) = (of_messages(&now), of_messages(&before));
        let (secs, secs_before) = (f64::from(secs), f64::from(secs_before));
        let (changes, total) = pattern_changes((&here.patterns, secs), (&there.patterns, secs_before), 10);
        let occurs = |at: usize| now[at] + before[at] > 0;
        prop_assert_eq!(total, (0..3).filter(|at| occurs(*at)).count() as u64);
        prop_assert!(changes.is_sorted_by(|a, b| a.surprise >= b.surprise));
        let found: BTreeMap<&str, _> = changes.iter().map(|change| (change.pattern.as_str(), change)).collect();
        for at in (0..3).filter(|at| occurs(*at)) {
            let (rate, rate_before) = (now[at] as f64 / secs, before[at] as f64 / secs_before);
            let Some(change) = found.get(PATTERNS[at]) else {
                prop_assert_eq!(rate, rate_before, "{} is missing", PATTERNS[at]);
                continue;
            };
            prop_assert_eq!((change.count, change.count_against), (now[at], before[at]));
            prop_assert_eq!((change.rate, change.rate_against), (rate, rate_before));
            let expected = match (now[at], before[at]) {
                (_, 0) => Change::New,
                (0, _) => Change::Gone,
                _ if rate > rate_before => Change::Grown,
                _ => Change::Shrunk,
            };
            prop_assert_eq!(change.change, expected);
        }
    }

    #[test]
    fn a_finding_is_a_larger_share_that_is_no_chance(odd in 0u64..60, of in 0u64..60, other in 0u64..60, other_of in 1u64..200) {
        let (selection, rest) = (of_values(&[("odd", odd), ("usual", of)]), of_values(&[("odd", other), ("usual", other_of)]));
        let sides = Sides { selection: &selection, rest: &rest };
        let (found, left_out) = findings(sides, &BTreeSet::new(), 10);
        prop_assert!(left_out.is_empty());
        let is_odd = |finding: &&Finding| matches!(&finding.what, What::Field { value, .. } if value == "odd");
        let surprise = g_of_table([[odd as f64, of as f64], [other as f64, other_of as f64]]);
        let is_larger = odd * (other + other_of) > other * (odd + of);
        match found.iter().find(is_odd) {
            Some(finding) => {
                prop_assert!(odd >= 5 && is_larger);
                prop_assert!((finding.surprise - surprise).abs() < 1e-6, "{} is not {surprise}", finding.surprise);
                prop_assert_eq!((finding.selection.records, finding.rest.records), (odd, other));
            }
            None => prop_assert!(odd < 5 || !is_larger || surprise < 15.2, "{surprise}"),
        }
    }
}

#[test]
fn what_makes_the_selection_and_what_is_cut_is_left_out_and_said() {
    let (selection, rest) = (of_values(&[("odd", 50)]), of_values(&[("usual", 50)]));
    let sides = Sides { selection: &selection, rest: &rest };
    assert_eq!(findings(sides, &BTreeSet::new(), 10).0.len(), 1);
    let (found, left_out) = findings(sides, &BTreeSet::from(["n".to_owned()]), 10);
    assert_eq!(found, []);
    assert_eq!(
        left_out.first().map(|left| (left.field.as_str(), left.reason.contains("selection"))),
        Some(("n", true))
    );
    let mut few = Seen::default();
    let fields = Some(WantedFields { names: Vec::new(), values_max: 1 });
    let wanted = Wanted { fields, ..Wanted::default() };
    few.merge(of_values(&[("a", 9), ("b", 9), ("c", 9)]), &wanted).unwrap();
    let (_, left_out) = findings(Sides { selection: &few, rest: &rest }, &BTreeSet::new(), 10);
    assert!(
        left_out.iter().any(|left| left.field == "n" && left.reason.contains("too many")),
        "{left_out:?}"
    );
}
