//! A metric from the series of its range aggregations.

use super::aggregation::aggregate;
use super::binary::combine;
use super::relabel::relabel;
use super::series::{Matrix, Series};
use crate::logql::ast::{MatchOp, Metric, RangeAggregation, RangeFunction};
use crate::logql::labels::Labels;

/// What a metric comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// The same at every moment.
    Number(f64),
    Series(Matrix),
}

/// Works out a metric for so many moments. `ranges` are those of [`super::plan`], in its order. Fails with a sentence.
pub fn evaluate(
    metric: &Metric,
    moments: usize,
    ranges: &mut dyn Iterator<Item = Matrix>,
) -> Result<Evaluated, String> {
    Ok(match metric {
        Metric::Number(number) => Evaluated::Number(*number),
        Metric::Vector(number) => {
            Evaluated::Series(vec![Series { labels: Labels::new(), points: vec![Some(*number); moments] }])
        }
        Metric::Range(range) => {
            let found = ranges.next().unwrap_or_default();
            Evaluated::Series(match range.function {
                RangeFunction::Absent => absent(range, moments, &found),
                _ => found,
            })
        }
        Metric::Aggregation(aggregation) => match evaluate(&aggregation.inner, moments, ranges)? {
            Evaluated::Series(inner) => Evaluated::Series(aggregate(aggregation, inner)),
            Evaluated::Number(_) => {
                return Err(format!("{} is of series, not of a number", aggregation.function.name()));
            }
        },
        Metric::Binary(binary) => {
            let left = evaluate(&binary.left, moments, ranges)?;
            let right = evaluate(&binary.right, moments, ranges)?;
            combine(binary, left, right)?
        }
        Metric::LabelReplace(replace) => match evaluate(&replace.inner, moments, ranges)? {
            Evaluated::Series(inner) => Evaluated::Series(relabel(replace, inner)?),
            Evaluated::Number(_) => return Err("label_replace is of series, not of a number".to_owned()),
        },
    })
}

/// 1 where there is nothing, with the labels that the selector names.
fn absent(range: &RangeAggregation, moments: usize, found: &Matrix) -> Matrix {
    let is_there = |at: usize| found.iter().any(|series| series.points.get(at).is_some_and(Option::is_some));
    let points: Vec<Option<f64>> = (0..moments).map(|at| (!is_there(at)).then_some(1.0)).collect();
    let named = range.query.selector.iter().filter(|matcher| matcher.op == MatchOp::Equal);
    let labels = named.map(|matcher| (matcher.name.clone(), matcher.value.clone())).collect();
    let series = Series { labels, points };
    if series.is_empty() { Vec::new() } else { vec![series] }
}
