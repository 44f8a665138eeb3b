//! Operators between series, and between series and numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::Evaluated;
use super::series::{Matrix, Series};
use crate::logql::ast::{Binary, BinaryOp, Many, Matching, MatchingKind, Side};
use crate::logql::labels::Labels;

/// Fails with a sentence where series do not match one to one.
pub(super) fn combine(binary: &Binary, left: Evaluated, right: Evaluated) -> Result<Evaluated, String> {
    let op = binary.op;
    Ok(match (left, right) {
        (Evaluated::Number(left), Evaluated::Number(right)) => {
            Evaluated::Number(apply(op, left, right).unwrap_or(f64::NAN))
        }
        (Evaluated::Series(left), Evaluated::Number(right)) => {
            Evaluated::Series(each(left, |value| apply(op, value, right).map(|found| kept(op, value, found))))
        }
        (Evaluated::Number(left), Evaluated::Series(right)) => {
            Evaluated::Series(each(right, |value| apply(op, left, value).map(|found| kept(op, value, found))))
        }
        (Evaluated::Series(left), Evaluated::Series(right)) if op.is_set() => {
            Evaluated::Series(joined(op, binary.matching.as_ref(), left, right))
        }
        (Evaluated::Series(left), Evaluated::Series(right)) => {
            Evaluated::Series(matched(op, binary.matching.as_ref(), left, right)?)
        }
    })
}

/// A comparison keeps the series' own value.
fn kept(op: BinaryOp, own: f64, found: f64) -> f64 {
    if matches!(op, BinaryOp::Filter(_)) { own } else { found }
}

/// `None` where a comparison is not met.
fn apply(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    Some(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        BinaryOp::Modulo => left % right,
        BinaryOp::Power => left.powf(right),
        BinaryOp::Filter(comparison) => return comparison.holds(left, right).then_some(left),
        BinaryOp::Bool(comparison) => f64::from(u8::from(comparison.holds(left, right))),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => return None,
    })
}

fn each(matrix: Matrix, change: impl Fn(f64) -> Option<f64>) -> Matrix {
    let changed = matrix.into_iter().map(|series| Series {
        points: series.points.into_iter().map(|point| point.and_then(&change)).collect(),
        ..series
    });
    changed.filter(|series| !series.is_empty()).collect()
}

/// What two series must have in common.
fn key(labels: &Labels, matching: Option<&Matching>) -> Labels {
    let Some(matching) = matching else { return labels.clone() };
    let is_on = matching.kind == MatchingKind::On;
    let kept = labels.iter().filter(|(name, _)| matching.labels.contains(name) == is_on);
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn matched(op: BinaryOp, matching: Option<&Matching>, left: Matrix, right: Matrix) -> Result<Matrix, String> {
    if let Some((matching, many)) = matching.and_then(|matching| Some((matching, matching.many.as_ref()?))) {
        return one_to_many(op, matching, many, left, right);
    }
    let right = by_key(right, matching)?;
    let mut found = Vec::new();
    for (labels, series) in by_key(left, matching)? {
        let Some(other) = right.get(&labels) else { continue };
        let pairs = series.points.iter().zip(&other.points);
        let points = pairs.map(|(left, right)| apply(op, (*left)?, (*right)?)).collect();
        found.push(Series { labels, points });
    }
    found.retain(|series| !series.is_empty());
    Ok(found)
}

/// Each series of the many keeps its labels, and takes over some of the one it matches.
fn one_to_many(
    op: BinaryOp,
    matching: &Matching,
    many: &Many,
    left: Matrix,
    right: Matrix,
) -> Result<Matrix, String> {
    let (of_many, of_one) = if many.side == Side::Left { (left, right) } else { (right, left) };
    let of_one = by_key(of_one, Some(matching))?;
    let mut found = BTreeMap::new();
    for Series { mut labels, points } in of_many {
        let Some(one) = of_one.get(&key(&labels, Some(matching))) else { continue };
        for name in &many.taken_over {
            match one.labels.get(name) {
                Some(value) => drop(labels.insert(name.clone(), value.clone())),
                None => drop(labels.remove(name)),
            }
        }
        let pairs = points.into_iter().zip(&one.points);
        let points = pairs.map(|(of_many, of_one)| match many.side {
            Side::Left => apply(op, of_many?, (*of_one)?),
            Side::Right => apply(op, (*of_one)?, of_many?),
        });
        if found.insert(labels.clone(), points.collect()).is_some() {
            return Err(format!(
                "several series come to the same labels {labels:?} by what they take over: expected them to differ; take over \
                 fewer labels"
            ));
        }
    }
    let found = found.into_iter().map(|(labels, points)| Series { labels, points });
    Ok(found.filter(|series| !series.is_empty()).collect())
}

fn by_key(matrix: Matrix, matching: Option<&Matching>) -> Result<BTreeMap<Labels, Series>, String> {
    let mut found = BTreeMap::new();
    for series in matrix {
        let key = key(&series.labels, matching);
        if found.insert(key.clone(), series).is_some() {
            return Err(format!(
                "several series on one side of the operator have the labels {key:?} in common: expected one; aggregate \
                 them first"
            ));
        }
    }
    Ok(found)
}

/// `and`, `or`, `unless`: by whether the other side has something at the moment.
fn joined(op: BinaryOp, matching: Option<&Matching>, left: Matrix, right: Matrix) -> Matrix {
    let present = |matrix: &Matrix| {
        let mut present: BTreeMap<Labels, BTreeSet<usize>> = BTreeMap::new();
        for series in matrix {
            let moments =
                series.points.iter().enumerate().filter(|(_, point)| point.is_some()).map(|(at, _)| at);
            present.entry(key(&series.labels, matching)).or_default().extend(moments);
        }
        present
    };
    let (of_left, of_right) = (present(&left), present(&right));
    let keep = |series: Series, others: &BTreeMap<Labels, BTreeSet<usize>>, wanted: bool| {
        let moments = others.get(&key(&series.labels, matching));
        let is_there = |at: usize| moments.is_some_and(|moments| moments.contains(&at));
        let points = series.points.into_iter().enumerate();
        let points = points.map(|(at, point)| point.filter(|_| is_there(at) == wanted)).collect();
        Series { labels: series.labels, points }
    };
    let mut found: Matrix = match op {
        BinaryOp::And => left.into_iter().map(|series| keep(series, &of_right, true)).collect(),
        BinaryOp::Unless => left.into_iter().map(|series| keep(series, &of_right, false)).collect(),
        _ => together(left, right.into_iter().map(|series| keep(series, &of_left, false))),
    };
    found.retain(|series| !series.is_empty());
    found
}

/// Series of the same labels become one.
fn together(left: Matrix, right: impl Iterator<Item = Series>) -> Matrix {
    let mut found: BTreeMap<Labels, Vec<Option<f64>>> =
        left.into_iter().map(|series| (series.labels, series.points)).collect();
    for series in right {
        match found.get_mut(&series.labels) {
            Some(points) => {
                points.iter_mut().zip(series.points).for_each(|(known, point)| *known = known.or(point))
            }
            None => drop(found.insert(series.labels, series.points)),
        }
    }
    found.into_iter().map(|(labels, points)| Series { labels, points }).collect()
}
