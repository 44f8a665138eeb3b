//! Metrics worked out of series whose figures are small enough to be worked out by hand.

use super::*;
use crate::logql::ast::{Expr, Metric};
use crate::logql::labels::Labels;
use crate::logql::parse;

/// Labels as `a=1 b=2`, and a number for each moment; `None` where there is nothing.
type Shown = (&'static str, Vec<Option<f64>>);

/// The same of what was worked out.
type Found = Vec<(String, Vec<Option<f64>>)>;

fn matrix(series: &[Shown]) -> Matrix {
    let labels = |text: &str| -> Labels {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    series.iter().map(|(text, points)| Series { labels: labels(text), points: points.clone() }).collect()
}

fn metric(text: &str) -> Metric {
    match parse(text) {
        Ok(Expr::Metric(metric)) => metric,
        other => panic!("{text}: {other:?}"),
    }
}

/// Works a metric out; each range in it takes the next of these.
fn worked_out(text: &str, ranges: &[&[Shown]]) -> Result<Found, String> {
    let moments = ranges.iter().flat_map(|range| range.iter()).map(|(_, points)| points.len()).max();
    let mut ranges = ranges.iter().map(|range| matrix(range));
    match evaluate(&metric(text), moments.unwrap_or(1), &mut ranges)? {
        Evaluated::Series(series) => Ok(series.into_iter().map(shown).collect()),
        Evaluated::Number(number) => panic!("{text} is the number {number}"),
    }
}

fn shown(series: Series) -> (String, Vec<Option<f64>>) {
    let pairs: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (pairs.join(" "), series.points)
}

fn one(series: Shown) -> (String, Vec<Option<f64>>) {
    (series.0.to_owned(), series.1)
}

fn names(found: &[(String, Vec<Option<f64>>)]) -> Vec<&str> {
    found.iter().map(|(labels, _)| labels.as_str()).collect()
}

#[test]
fn series_of_one_moment_are_put_in_order() {
    let three: &[Shown] = &[("a=1", vec![Some(5.0)]), ("a=2", vec![Some(-1.0)]), ("a=3", vec![Some(2.5)])];
    let order = |text: &str| worked_out(text, &[three]).unwrap();
    assert_eq!(names(&order("sort(rate({}[1m]))")), ["a=2", "a=3", "a=1"]);
    assert_eq!(names(&order("sort_desc(rate({}[1m]))")), ["a=1", "a=3", "a=2"]);
    assert_eq!(names(&order("sort_desc(rate({}[1m]) * -1)")), ["a=2", "a=3", "a=1"]);
    let two: &[Shown] = &[("a=1", vec![Some(5.0), Some(1.0)]), ("a=2", vec![Some(2.0), Some(7.0)])];
    let found = worked_out("sort(rate({}[1m]))", &[two]).unwrap();
    assert_eq!(names(&found), ["a=1", "a=2"], "two moments have no one order");
}

#[test]
fn the_approximate_ranking_is_exact() {
    let three: &[Shown] = &[
        ("a=1", vec![Some(5.0), Some(1.0)]),
        ("a=2", vec![Some(4.0), Some(3.0)]),
        ("a=3", vec![Some(1.0), Some(2.0)]),
    ];
    let found = worked_out("approx_topk(2, rate({}[1m]))", &[three]).unwrap();
    let expected =
        [("a=1", vec![Some(5.0), None]), ("a=2", vec![Some(4.0), Some(3.0)]), ("a=3", vec![None, Some(2.0)])];
    assert_eq!(found, expected.map(one));
}

/// Errors by host and code; all requests and the owner by host.
const ERRORS: &str = "rate({a=`b`}[1m])";
const ALL: &str = "rate({}[1m])";

fn errors_and_all() -> [Vec<Shown>; 2] {
    [
        vec![
            ("code=500 host=a", vec![Some(2.0), Some(6.0)]),
            ("code=503 host=a", vec![Some(1.0), None]),
            ("code=500 host=b owner=x", vec![Some(3.0), Some(3.0)]),
            ("code=500 host=c", vec![Some(9.0), Some(9.0)]),
        ],
        vec![("host=a owner=ann", vec![Some(4.0), Some(8.0)]), ("host=b", vec![Some(6.0), None])],
    ]
}

fn joined(text: &str, ranges: &[Vec<Shown>; 2]) -> Result<Found, String> {
    worked_out(text, &[&ranges[0], &ranges[1]])
}

#[test]
fn many_series_match_one() {
    let [errors, all] = errors_and_all();
    let text = format!("{ERRORS} / on (host) group_left {ALL}");
    let expected = [
        ("code=500 host=a", vec![Some(0.5), Some(0.75)]),
        ("code=500 host=b owner=x", vec![Some(0.5), None]),
        ("code=503 host=a", vec![Some(0.25), None]),
    ];
    let found = joined(&text, &[errors.clone(), all.clone()]).unwrap();
    assert_eq!(found, expected.clone().map(one));
    // The same from the other side: one of them over each of the many.
    let text = format!("{ALL} / ignoring (code, owner) group_right {ERRORS}");
    let inverse = |(labels, points): Shown| -> Shown {
        (labels, points.into_iter().map(|point| point.map(|point: f64| 1.0 / point)).collect())
    };
    assert_eq!(joined(&text, &[all, errors]).unwrap(), expected.map(inverse).map(one));
}

#[test]
fn labels_are_taken_over_from_the_one() {
    let ranges = errors_and_all();
    let text = format!("{ERRORS} * on (host) group_left (owner) {ALL}");
    let expected = [
        // The one of host b has no owner: neither has what is made of it.
        ("code=500 host=a owner=ann", vec![Some(8.0), Some(48.0)]),
        ("code=500 host=b", vec![Some(18.0), None]),
        ("code=503 host=a owner=ann", vec![Some(4.0), None]),
    ];
    assert_eq!(joined(&text, &ranges).unwrap(), expected.map(one));
}

#[test]
fn comparisons_keep_the_left_value_whichever_side_is_many() {
    let [errors, all] = errors_and_all();
    let found = joined(&format!("{ERRORS} > on (host) group_left {ALL}"), &[errors.clone(), all.clone()]);
    assert!(found.unwrap().is_empty());
    let found = joined(&format!("{ALL} > on (host) group_right {ERRORS}"), &[all, errors]).unwrap();
    let expected = [
        ("code=500 host=a", vec![Some(4.0), Some(8.0)]),
        ("code=500 host=b owner=x", vec![Some(6.0), None]),
        ("code=503 host=a", vec![Some(4.0), None]),
    ];
    assert_eq!(found, expected.map(one));
}

#[test]
fn series_that_would_be_the_same_are_refused() {
    let ranges = errors_and_all();
    let refused = |text: String, ranges: &[Vec<Shown>; 2]| joined(&text, ranges).unwrap_err();
    // Of host a there are two codes: they are no one.
    let reason = refused(format!("{ERRORS} / on (host) {ALL}"), &ranges);
    assert!(reason.contains("aggregate them first"), "{reason}");
    let reason = refused(format!("{ERRORS} / on (host) group_right {ALL}"), &ranges);
    assert!(reason.contains("aggregate them first"), "{reason}");
    let code = vec![("code=1 host=a", vec![Some(4.0)])];
    let reason = refused(format!("{ERRORS} / on (host) group_left (code) {ALL}"), &[ranges[0].clone(), code]);
    assert!(reason.contains("take over fewer labels"), "{reason}");
}

#[test]
fn the_side_of_the_one_is_asked_for_the_labels_that_are_taken_over() {
    let plans = plan(
        &metric("rate({a=`b`}[1m]) / on (host) group_left (owner) rate({}[1m])"),
        Steps::at(0),
        &|label| vec![label.to_owned()],
    )
    .unwrap();
    let asks_owner: Vec<bool> = plans
        .iter()
        .map(|plan| match &plan.way {
            Way::Groups(range) => format!("{:?}", range.grouping.keys).contains("owner"),
            Way::Lines(_) => panic!("these are counted where they are"),
        })
        .collect();
    assert_eq!(asks_owner, [false, true]);
}
