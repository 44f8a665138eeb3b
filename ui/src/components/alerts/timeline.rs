//! Bars over time, a line for each kind of thing.

use yew::{Callback, Html, MouseEvent, Properties, classes, component, html};

use crate::browser::clock;
use crate::components::chart::scale::{time_label, time_marks};
use crate::components::moment::moment;
use crate::state::alerts::timeline::{Bar, Lane, Timeline};
use crate::state::alerts::words;
use crate::state::format::{self, Precision};
use crate::state::range::Span;

const ROW_PX: usize = 14;
const BAR_PX: usize = 10;
const MARKS: usize = 6;

#[derive(PartialEq, Properties)]
pub struct TimelineChartProps {
    pub timeline: Timeline,
    pub span: Span,
    /// What it shows, for who cannot see it.
    pub label: String,
    /// The incident of the bar that was pressed.
    #[prop_or_default]
    pub on_open: Option<Callback<u64>>,
}

#[component]
pub fn TimelineChart(props: &TimelineChartProps) -> Html {
    let span = props.span;
    let offset_ms = clock::offset_ms(span.to_ms);
    let share = |at_ms: i64| (at_ms - span.from_ms) as f64 / span.length_ms().max(1) as f64 * 100.0;
    let marks = time_marks(span.from_ms, span.to_ms, offset_ms, MARKS);
    html! {
        <figure class="timeline">
            <div role="img" aria-label={props.label.clone()}>
                { for props.timeline.lanes.iter().map(|lane| draw_lane(props, lane, &marks, &share)) }
                <div class="lane axis" aria-hidden="true">
                    <span class="lane-name"></span>
                    <svg width="100%" height="18" class="chart">
                        { for marks.iter().map(|mark| html! {
                            <text x={format!("{:.2}%", share(*mark))} y="13" text-anchor={anchor(share(*mark))}>{ time_label(*mark, offset_ms, span.length_ms()) }</text>
                        }) }
                    </svg>
                </div>
            </div>
            if props.timeline.more > 0 {
                <p class="hint">{ format!("{} more with less time in them", format::plural(props.timeline.more as u64, "line")) }</p>
            }
            { as_list(&props.timeline) }
        </figure>
    }
}

/// Labels at the ends stay inside.
fn anchor(percent: f64) -> &'static str {
    match percent {
        percent if percent < 4.0 => "start",
        percent if percent > 96.0 => "end",
        _ => "middle",
    }
}

fn draw_lane(props: &TimelineChartProps, lane: &Lane, marks: &[i64], share: &impl Fn(i64) -> f64) -> Html {
    let height = lane.rows * ROW_PX + 8;
    html! {
        <div class="lane" key={lane.name.clone()}>
            <span class="lane-name" title={lane.name.clone()}>{ &lane.name }</span>
            <svg width="100%" height={height.to_string()} class="chart">
                { for marks.iter().map(|mark| {
                    let x = format!("{:.2}%", share(*mark));
                    html! { <line class="grid" x1={x.clone()} x2={x} y1="0" y2={height.to_string()} /> }
                }) }
                { for lane.bars.iter().map(|bar| draw_bar(props, bar)) }
            </svg>
        </div>
    }
}

fn draw_bar(props: &TimelineChartProps, bar: &Bar) -> Html {
    let open = props.on_open.clone().zip(bar.stretch.incident);
    let is_link = open.is_some();
    let onclick = Callback::from(move |_: MouseEvent| {
        if let Some((open, incident)) = &open {
            open.emit(*incident);
        }
    });
    let class = classes!(
        "bar",
        words::severity(bar.stretch.severity),
        bar.is_open.then_some("open"),
        is_link.then_some("link")
    );
    // A stroke of the bar's own colour keeps it visible where it would be less than a pixel wide.
    html! {
        <rect {class} x={format!("{:.3}%", bar.from * 100.0)} width={format!("{:.3}%", (bar.to - bar.from) * 100.0)}
            y={(4 + bar.row * ROW_PX + 2).to_string()} height={BAR_PX.to_string()} rx="2" {onclick}>
            <title>{ &bar.stretch.title }</title>
        </rect>
    }
}

/// The same in words.
fn as_list(timeline: &Timeline) -> Html {
    let line = |(lane, bar): (&Lane, &Bar)| {
        html! {
            <li>{ moment(bar.stretch.from_ms, Precision::Minute) }{ " to " }
                { match bar.stretch.to_ms {
                    Some(to_ms) => moment(to_ms, Precision::Minute),
                    None => html! { "now" },
                } }
                { format!(": {}, {}. {}", lane.name, words::severity(bar.stretch.severity), bar.stretch.title) }</li>
        }
    };
    let bars = timeline.lanes.iter().flat_map(|lane| lane.bars.iter().map(move |bar| (lane, bar)));
    html! { <details class="as-list"><summary>{ "As a list" }</summary><ul>{ for bars.map(line) }</ul></details> }
}
