//! The drawing of a chart of lines, without what follows the pointer.

use yew::{Html, Properties, classes, component, html};

use super::axis;
use super::series::{Frame, Lines, Mark, Series, SharedLines, band_path, line_path};
use super::stacked_bars::stacked_bars;

#[derive(PartialEq, Properties)]
pub struct LinePlotProps {
    pub lines: SharedLines,
    pub frame: Frame,
    /// Names of series that are not drawn.
    pub hidden: Vec<String>,
}

#[component]
pub fn LinePlot(props: &LinePlotProps) -> Html {
    let (lines, frame) = (&props.lines, props.frame);
    let top = lines.top(&props.hidden);
    let (across, up) = (frame.across(lines.steps), frame.up(lines.unit.place(top)));
    let placed = |values: &[Option<f64>]| -> Vec<Option<f64>> {
        values.iter().map(|value| value.map(|value| lines.unit.place(value))).collect()
    };
    let line = |series: &Series| {
        let class = classes!(
            "series-line",
            format!("tone-{}", series.tone % super::series::TONES),
            series.is_faint.then_some("faint")
        );
        html! { <path {class} d={line_path(&placed(&series.values), across, up)} fill="none" /> }
    };
    let is_shown = |name: &String| !props.hidden.contains(name);
    let band = lines.band.iter().filter(|band| is_shown(&band.name));
    // What is faint lies below what it is held against.
    let mut series: Vec<&Series> = lines.series.iter().filter(|series| is_shown(&series.name)).collect();
    if !lines.is_stacked {
        series.sort_by_key(|series| !series.is_faint);
    }
    html! {
        <g>
            { for lines.marks.iter().map(|mark| marked(mark, lines, frame)) }
            { axis::values(frame, top, lines.unit) }
            { axis::times(frame, lines.start_ms, lines.end_ms()) }
            { for band.map(|band| html! { <path class="band" d={band_path(&band.values, across, up)} /> }) }
            if lines.is_stacked { { stacked_bars(&series, across, up) } } else { { for series.into_iter().map(line) } }
            { for lines.threshold.iter().map(|threshold| limit(&threshold.name, up.px(lines.unit.place(threshold.value)), frame)) }
        </g>
    }
}

/// A stretch of time that stands out: a tint over the whole height and a bar at its foot.
fn marked(mark: &Mark, lines: &Lines, frame: Frame) -> Html {
    /// What is shorter could not be seen.
    const WIDTH_MIN: f64 = 3.0;
    let time = frame.time(lines.start_ms, lines.end_ms());
    let clamped = |at_ms: i64| time.px(at_ms.clamp(lines.start_ms, lines.end_ms()) as f64);
    let (from, to) = (clamped(mark.from_ms), clamped(mark.to_ms));
    let width = (to - from).max(WIDTH_MIN);
    let class = classes!("time-mark", format!("tone-{}", mark.tone), mark.is_chosen.then_some("chosen"));
    let foot = frame.height - Frame::BOTTOM;
    html! {
        <g {class}>
            <rect class="mark-tint" x={from.to_string()} y={Frame::TOP.to_string()} width={width.to_string()} height={(foot - Frame::TOP).to_string()} />
            <rect class="mark-foot" x={from.to_string()} y={(foot - 4.0).to_string()} width={width.to_string()} height="4" />
        </g>
    }
}

fn limit(name: &str, y: f64, frame: Frame) -> Html {
    let right = frame.width - Frame::RIGHT;
    html! {
        <g class="threshold">
            <line x1={Frame::LEFT.to_string()} x2={right.to_string()} y1={y.to_string()} y2={y.to_string()} />
            <text x={right.to_string()} y={(y - 4.0).to_string()} text-anchor="end">{ name.to_owned() }</text>
        </g>
    }
}
