//! What a range function makes of the samples of a window.

use crate::logql::ast::RangeFunction;

const NANOS_PER_SEC: f64 = 1e9;

/// One number of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) at: i64,
    pub(super) value: f64,
}

/// Of the samples of one window, oldest first; `None` where there are none.
pub(super) fn over(
    function: RangeFunction,
    samples: &[Sample],
    range: i64,
    is_unwrapped: bool,
) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    let count = samples.len() as f64;
    let values = || samples.iter().map(|sample| sample.value);
    let sum = || values().sum::<f64>();
    Some(match function {
        RangeFunction::Count => count,
        RangeFunction::Rate if is_unwrapped => per_sec(sum(), range),
        RangeFunction::Rate => per_sec(count, range),
        RangeFunction::Bytes | RangeFunction::Sum => sum(),
        RangeFunction::BytesRate => per_sec(sum(), range),
        RangeFunction::Absent => return None,
        RangeFunction::Avg => sum() / count,
        RangeFunction::Min => values().fold(f64::INFINITY, f64::min),
        RangeFunction::Max => values().fold(f64::NEG_INFINITY, f64::max),
        RangeFunction::First => first.value,
        RangeFunction::Last => last.value,
        RangeFunction::Stdvar => variance(values(), count),
        RangeFunction::Stddev => variance(values(), count).sqrt(),
        RangeFunction::Quantile(quantile) => {
            let mut sorted: Vec<f64> = values().collect();
            sorted.sort_by(f64::total_cmp);
            quantile_of(&sorted, quantile)
        }
    })
}

pub(super) fn per_sec(amount: f64, range: i64) -> f64 {
    amount * NANOS_PER_SEC / range as f64
}

/// Of a whole population, as Prometheus has it.
pub(super) fn variance(values: impl Iterator<Item = f64> + Clone, count: f64) -> f64 {
    let mean = values.clone().sum::<f64>() / count;
    values.map(|value| (value - mean).powi(2)).sum::<f64>() / count
}

/// Between the two values it falls between, in proportion.
fn quantile_of(sorted: &[f64], quantile: f64) -> f64 {
    let rank = quantile * (sorted.len().saturating_sub(1)) as f64;
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (value(rank.floor()), value(rank.ceil()));
    low + (high - low) * rank.fract()
}
