//! Series on top of each other, step by step, instead of lines.

use yew::{Html, classes, html};

use super::scale::Scale;
use super::series::{Series, TONES};

/// The highest of all stacks.
pub fn highest<'a>(series: impl Iterator<Item = &'a Series>) -> f64 {
    let mut sums: Vec<f64> = Vec::new();
    for series in series {
        add(&mut sums, &series.values);
    }
    sums.into_iter().fold(0.0, f64::max)
}

/// The first series stands at the bottom.
pub fn stacked_bars(series: &[&Series], across: Scale, up: Scale) -> Html {
    let mut below: Vec<f64> = Vec::new();
    let bars = series.iter().map(|series| {
        let path = path(&series.values, &below, across, up);
        add(&mut below, &series.values);
        let class = classes!(
            "bar-series",
            format!("tone-{}", series.tone % TONES),
            series.is_faint.then_some("faint")
        );
        html! { <path {class} d={path} /> }
    });
    bars.collect()
}

/// One box for each value, upon what is below it.
fn path(values: &[Option<f64>], below: &[f64], across: Scale, up: Scale) -> String {
    /// Between bars, where they are wide enough to spare it.
    const GAP_PX: f64 = 1.0;
    let mut text = String::new();
    for (step, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| *value > 0.0 && value.is_finite()) else { continue };
        let from = below.get(step).copied().unwrap_or_default();
        let (left, right) = (across.px(step as f64), across.px(step as f64 + 1.0));
        let gap = if right - left > 4.0 * GAP_PX { GAP_PX } else { 0.0 };
        let (bottom, top) = (up.px(from), up.px(from + value));
        text.push_str(&format!("M{left:.1} {bottom:.1}V{top:.1}H{:.1}V{bottom:.1}Z", right - gap));
    }
    text
}

fn add(sums: &mut Vec<f64>, values: &[Option<f64>]) {
    sums.resize(sums.len().max(values.len()), 0.0);
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value.filter(|value| *value > 0.0 && value.is_finite()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[Option<f64>]) -> Series {
        Series { values: values.to_vec(), ..Series::default() }
    }

    #[test]
    fn a_stack_is_as_high_as_all_its_parts() {
        let all = [series(&[Some(1.0), Some(5.0)]), series(&[Some(3.0), None, Some(2.0)])];
        assert_eq!(highest(all.iter()), 5.0);
        assert_eq!(highest(all.iter().take(0)), 0.0);
    }

    #[test]
    fn each_part_stands_upon_those_below() {
        let across = Scale { from: 0.0, to: 2.0, px_from: 0.0, px_to: 20.0 };
        let up = Scale { from: 0.0, to: 10.0, px_from: 100.0, px_to: 0.0 };
        let (lower, upper) = ([Some(4.0), None], [Some(2.0), Some(5.0)]);
        let mut below = Vec::new();
        assert_eq!(path(&lower, &below, across, up), "M0.0 100.0V60.0H9.0V100.0Z");
        add(&mut below, &lower);
        assert_eq!(path(&upper, &below, across, up), "M0.0 60.0V40.0H9.0V60.0ZM10.0 100.0V50.0H19.0V100.0Z");
    }
}
