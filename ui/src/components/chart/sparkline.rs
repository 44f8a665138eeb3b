//! A small line without axes: the course of a number beside it.

use yew::{Html, Properties, component, html};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

#[derive(PartialEq, Properties)]
pub struct SparklineProps {
    /// Oldest first; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
    /// What it shows, for who cannot see it.
    pub label: String,
}

#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    html! {
        <svg class="sparkline" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} width={WIDTH.to_string()} height={HEIGHT.to_string()}
            role="img" aria-label={props.label.clone()} preserveAspectRatio="none">
            <path d={path(&props.values)} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
        </svg>
    }
}

/// A line from value to value, broken where one is missing.
fn path(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let (mut text, mut is_down) = (String::new(), false);
    for (position, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let y = HEIGHT - 2.0 - value / most * (HEIGHT - 4.0);
        text.push_str(&format!("{}{:.1} {y:.1}", if is_down { "L" } else { "M" }, position as f64 * step));
        is_down = true;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_gap() {
        assert_eq!(path(&[Some(0.0), Some(2.0), None, Some(1.0)]), "M0.0 22.0L40.0 2.0M120.0 12.0");
        assert_eq!(path(&[]), "");
    }
}
