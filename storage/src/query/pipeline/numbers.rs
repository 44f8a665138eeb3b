//! Sums, extremes and quantiles of numbers, mergeable in any order.

use std::cmp::Ordering;

use insighthub_model::aggregate::{LatencyCollector, LatencySketch};
use insighthub_model::query::Number;
use insighthub_model::table::Value;
use insighthub_model::{Level, Timestamp};
use serde::{Deserialize, Serialize};

use super::cells::Cell;

/// The number a cell stands for: numbers, and text that is one.
pub(super) fn number_of(cell: Cell<'_>) -> Option<Number> {
    match cell {
        Cell::Int(value) => Some(Number::Int(value)),
        Cell::Float(value) => Some(Number::Float(value)),
        Cell::Text(text) => Number::parse(text),
        Cell::Json(text) => Number::parse(text),
        Cell::Bool(_) | Cell::Time(_) | Cell::Level(_) | Cell::Id(_) => None,
    }
}

pub(super) fn as_float(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    }
}

/// Integers are added exactly, beside the floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sum {
    ints: i128,
    floats: f64,
    has_floats: bool,
    pub(super) values: u64,
}

impl Sum {
    pub(super) fn add(&mut self, number: Number) {
        self.values += 1;
        match number {
            Number::Int(value) => self.ints = self.ints.saturating_add(i128::from(value)),
            Number::Float(value) => {
                self.floats += value;
                self.has_floats = true;
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Sum) {
        self.values += other.values;
        self.ints = self.ints.saturating_add(other.ints);
        self.floats += other.floats;
        self.has_floats |= other.has_floats;
    }

    fn total(&self) -> f64 {
        self.ints as f64 + self.floats
    }

    pub(super) fn sum(&self) -> Value {
        match (self.values, i64::try_from(self.ints)) {
            (0, _) => Value::Null,
            (_, Ok(ints)) if !self.has_floats => Value::Int(ints),
            _ => Value::Float(self.total()),
        }
    }

    pub(super) fn mean(&self) -> Value {
        if self.values == 0 { Value::Null } else { Value::Float(self.total() / self.values as f64) }
    }
}

/// The smallest or largest of values of one order: numbers, moments or levels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Extreme {
    Int(i64),
    Float(f64),
    Time(i64),
    Level(Level),
}

impl Extreme {
    pub(super) fn of(cell: Cell<'_>) -> Option<Extreme> {
        match cell {
            Cell::Time(nanos) => Some(Extreme::Time(nanos)),
            Cell::Level(level) => Some(Extreme::Level(level)),
            other => number_of(other).map(|number| match number {
                Number::Int(value) => Extreme::Int(value),
                Number::Float(value) => Extreme::Float(value),
            }),
        }
    }

    fn number(self) -> Option<Number> {
        match self {
            Extreme::Int(value) => Some(Number::Int(value)),
            Extreme::Float(value) => Some(Number::Float(value)),
            Extreme::Time(_) | Extreme::Level(_) => None,
        }
    }

    pub(super) fn order(self, other: Extreme) -> Ordering {
        match (self, other) {
            (Extreme::Time(left), Extreme::Time(right)) => left.cmp(&right),
            (Extreme::Level(left), Extreme::Level(right)) => left.cmp(&right),
            (left, right) => match (left.number(), right.number()) {
                // An integer and a float of the same value: one of them, always the same.
                (Some(a), Some(b)) => {
                    let tie = || matches!(left, Extreme::Float(_)).cmp(&matches!(right, Extreme::Float(_)));
                    a.order(b).unwrap_or(Ordering::Equal).then_with(tie)
                }
                _ => Ordering::Equal,
            },
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Extreme::Int(value) => Value::Int(value),
            Extreme::Float(value) => Value::Float(value),
            Extreme::Time(nanos) => Value::Time(Timestamp(nanos)),
            Extreme::Level(level) => Value::Text(level.to_string()),
        }
    }
}

/// Quantiles of numbers of either sign: a sketch of each side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sketch {
    below_zero: LatencySketch,
    from_zero: LatencySketch,
}

impl Sketch {
    pub(super) fn merge(&mut self, other: &Sketch) {
        self.below_zero.merge(&other.below_zero);
        self.from_zero.merge(&other.from_zero);
    }

    /// The least value that so large a share of the values is at or below (the nearest rank).
    pub(super) fn quantile(&self, fraction: f64) -> Value {
        let (below, count) = (self.below_zero.count(), self.below_zero.count() + self.from_zero.count());
        if count == 0 {
            return Value::Null;
        }
        let rank = ((fraction * count as f64).ceil() as u64).clamp(1, count) - 1;
        let of = |sketch: &LatencySketch, rank: u64| {
            let last = sketch.count().saturating_sub(1);
            let fraction = if last == 0 { 0.0 } else { (rank as f64 + 0.5) / (last as f64 + 0.5) };
            sketch.quantile_ms(fraction)
        };
        let value = match rank.checked_sub(below) {
            Some(rank) => of(&self.from_zero, rank),
            // Counted from the largest: the nearest to zero of those below it.
            None => of(&self.below_zero, below - 1 - rank).map(|value| -value),
        };
        value.map_or(Value::Null, Value::Float)
    }

    /// Of the values that are not below zero.
    pub(super) fn not_negative(&mut self) -> &mut LatencySketch {
        &mut self.from_zero
    }

    pub(super) fn bytes_held(&self) -> usize {
        size_of::<Sketch>() + 10 * (self.below_zero.buckets().count() + self.from_zero.buckets().count())
    }
}

/// Fewer numbers than this are added to a sketch one by one: a table of buckets has to be cleared first.
const COLLECTED_MIN: usize = 256;

/// Adds numbers to the sketches of groups: all of one group at once, for moving on from a sketch costs more than adding
/// a few hundred numbers to it, and rows in memory go from group to group.
#[derive(Debug)]
pub(super) struct SketchWriter<'a> {
    sketches: &'a mut [Sketch],
    numbers: Vec<(u32, f64)>,
}

impl<'a> SketchWriter<'a> {
    pub(super) fn new(sketches: &'a mut [Sketch]) -> SketchWriter<'a> {
        SketchWriter { sketches, numbers: Vec::new() }
    }

    #[inline]
    pub(super) fn add(&mut self, group: usize, value: f64) {
        if value >= 0.0 {
            self.numbers.push((group as u32, value));
        } else if let Some(sketch) = self.sketches.get_mut(group) {
            sketch.below_zero.add(-value);
        }
    }

    /// To be called after the last number.
    pub(super) fn finish(self) {
        // Counted, then put in place: group by group, in one pass each.
        let mut ends = vec![0usize; self.sketches.len() + 1];
        for (group, _) in &self.numbers {
            ends.get_mut(*group as usize + 1).into_iter().for_each(|end| *end += 1);
        }
        ends.iter_mut().fold(0, |before, end| {
            *end += before;
            *end
        });
        let mut next = ends.clone();
        let mut in_order = vec![0.0; self.numbers.len()];
        for (group, value) in self.numbers {
            let Some(next) = next.get_mut(group as usize) else { continue };
            in_order.get_mut(*next).into_iter().for_each(|place| *place = value);
            *next += 1;
        }
        let mut collector = LatencyCollector::default();
        for (sketch, range) in self.sketches.iter_mut().zip(ends.windows(2)) {
            let [start, end] = range else { continue };
            let of_group = in_order.get(*start..*end).unwrap_or(&[]);
            if of_group.len() < COLLECTED_MIN {
                of_group.iter().for_each(|value| sketch.from_zero.add(*value));
            } else {
                of_group.iter().for_each(|value| collector.add(*value));
                collector.move_into(&mut sketch.from_zero);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_of_numbers_of_both_signs_is_within_one_per_cent(
            mut values in proptest::collection::vec(-1e5f64..1e5, 1..300),
            fraction in 0.001f64..0.999,
            cut in 0usize..300,
        ) {
            values.retain(|value| value.abs() > 1e-3);
            prop_assume!(!values.is_empty());
            let (mut sketch, mut other) = ([Sketch::default()], [Sketch::default()]);
            for (at, value) in values.iter().enumerate() {
                let mut writer = SketchWriter::new(if at < cut { &mut sketch } else { &mut other });
                writer.add(0, *value);
                writer.finish();
            }
            let ([mut sketch], [other]) = (sketch, other);
            sketch.merge(&other);
            values.sort_by(f64::total_cmp);
            let exact = values[((fraction * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
            match sketch.quantile(fraction) {
                Value::Float(found) => prop_assert!(
                    (found - exact).abs() <= exact.abs() * 0.0101, "{} is not {}", found, exact
                ),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn sums_of_integers_are_exact_and_of_none_are_null() {
        let mut sum = Sum::default();
        assert_eq!((sum.sum(), sum.mean()), (Value::Null, Value::Null));
        sum.add(Number::Int(i64::MAX));
        sum.add(Number::Int(-1));
        assert_eq!(sum.sum(), Value::Int(i64::MAX - 1));
        sum.add(Number::Float(0.5));
        assert_eq!(sum.sum(), Value::Float((i64::MAX - 1) as f64 + 0.5));
    }
}
