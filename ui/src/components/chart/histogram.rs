//! Records over time as bars, stacked by level. A drag, or Shift and an arrow, marks a stretch; what becomes of it is chosen from
//! a small menu.

use std::rc::Rc;

use insighthub_model::Level;
use yew::{
    Callback, Html, KeyboardEvent, MouseEvent, NodeRef, PointerEvent, Properties, UseReducerHandle,
    component, hook, html, use_node_ref, use_reducer_eq,
};

use super::histogram_drawing::{HEIGHT, LEFT, Plot};
use super::histogram_table::histogram_table;
use crate::browser::{clock, dom};
use crate::components::moment::moment;
use crate::hooks::effect::{use_effect, use_effect_with};
use crate::hooks::width::use_width;
use crate::state::explore::bars::Bars;
use crate::state::explore::brush::{Brush, BrushAction};
use crate::state::format::{self, Precision};
use crate::state::range::Span;

/// Until it is known, pixels.
const WIDTH_AT_FIRST: f64 = 800.0;

#[derive(PartialEq, Properties)]
pub struct HistogramProps {
    pub bars: Rc<Bars>,
    /// What was asked for; the first and the last bar may reach beyond.
    pub span: Span,
    /// Marked for good, milliseconds since 1970.
    #[prop_or_default]
    pub marked_ms: Option<(i64, i64)>,
    pub on_zoom: Callback<Span>,
    pub on_zoom_out: Callback<()>,
    /// What is different in this stretch?
    pub on_different: Callback<Span>,
}

#[component]
pub fn Histogram(props: &HistogramProps) -> Html {
    let frame = use_node_ref();
    let width = use_width(&frame, WIDTH_AT_FIRST);
    let brush = use_reducer_eq(Brush::default);
    // Other bars: what was marked is somewhere else.
    use_effect_with(props.bars.clone(), {
        let brush = brush.dispatcher();
        move |_| brush.dispatch(BrushAction::Drop)
    });
    let plot = Plot::new(&props.bars, width);
    let zoom = marked(props, &brush, &props.on_zoom);
    let different = marked(props, &brush, &props.on_different);
    let onkeydown = keys(&brush, props.bars.bars.len(), zoom.clone(), different.clone());
    let at = {
        let (frame, plot) = (frame.clone(), plot.clone());
        move |event: &PointerEvent| {
            dom::place_in(&frame, event.client_x().into(), 0.0).and_then(|(x, _)| plot.bar_at(x))
        }
    };
    let onpointermove = {
        let (brush, at) = (brush.dispatcher(), at.clone());
        move |event: PointerEvent| brush.dispatch(at(&event).map_or(BrushAction::Out, BrushAction::Over))
    };
    let onpointerdown = {
        let (brush, frame) = (brush.dispatcher(), frame.clone());
        move |event: PointerEvent| {
            if let Some(bar) = at(&event).filter(|_| event.button() == 0) {
                dom::capture_pointer(&frame, event.pointer_id());
                brush.dispatch(BrushAction::Down(bar));
            }
        }
    };
    let act = |action: BrushAction| {
        let brush = brush.dispatcher();
        move |_: PointerEvent| brush.dispatch(action)
    };
    let zoom_out = props.on_zoom_out.clone();
    html! {
        <div class="chart histogram">
            <div class="histogram-frame" ref={frame} {onpointerdown} {onpointermove} onpointerup={act(BrushAction::Up)}
                onpointerleave={act(BrushAction::Out)} ondblclick={move |_: MouseEvent| zoom_out.emit(())}>
                <svg width={width.to_string()} height={HEIGHT.to_string()} role="img" aria-label={summary(props)} tabindex="0" {onkeydown}>
                    { plot.axes(props.span) }
                    { plot.marks(&brush, props.marked_ms) }
                    { plot.bars(&props.bars) }
                    { plot.before(&props.bars) }
                </svg>
            </div>
            if brush.is_done() {
                <Beside x={plot.middle(&brush)} width={width}>{ menu(&zoom, &different, &brush) }</Beside>
            } else if let Some(bar) = brush.cursor {
                <Beside x={plot.middle(&brush)} width={width}>{ readout(props, &brush, bar) }</Beside>
            }
            { histogram_table(&props.bars) }
        </div>
    }
}

/// Reports what is marked, and marks it no more.
fn marked(props: &HistogramProps, brush: &UseReducerHandle<Brush>, report: &Callback<Span>) -> Callback<()> {
    let (brush, bars, span, report) = (brush.clone(), Rc::clone(&props.bars), props.span, report.clone());
    Callback::from(move |()| {
        let range = brush.marked().or(brush.cursor.map(|bar| (bar, bar)));
        if let Some(range) = range.and_then(|(from, to)| bars.range(from, to, span)) {
            report.emit(range);
        }
        brush.dispatch(BrushAction::Drop);
    })
}

fn keys(
    brush: &UseReducerHandle<Brush>,
    count: usize,
    zoom: Callback<()>,
    different: Callback<()>,
) -> Callback<KeyboardEvent> {
    let brush = brush.clone();
    Callback::from(move |event: KeyboardEvent| {
        let step = |forward| BrushAction::Step { forward, marks: event.shift_key(), count };
        match event.key().as_str() {
            "ArrowRight" => brush.dispatch(step(true)),
            "ArrowLeft" => brush.dispatch(step(false)),
            "Enter" => zoom.emit(()),
            "d" => different.emit(()),
            "Escape" if brush.cursor.is_some() => brush.dispatch(BrushAction::Drop),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    })
}

fn menu(zoom: &Callback<()>, different: &Callback<()>, brush: &UseReducerHandle<Brush>) -> Html {
    let brush = brush.dispatcher();
    html! {
        <div class="chart-menu" role="group" aria-label="What is marked">
            <button type="button" onclick={zoom.reform(|_| ())} title="Enter">{ "Zoom here" }</button>
            <button type="button" onclick={different.reform(|_| ())} title="d">{ "What is different here" }</button>
            <button type="button" class="quiet" aria-label="Drop (Esc)" title="Drop (Esc)"
                onclick={move |_| brush.dispatch(BrushAction::Drop)}>{ "✕" }</button>
        </div>
    }
}

fn readout(props: &HistogramProps, brush: &Brush, bar: usize) -> Html {
    let (from, to) = brush.marked().unwrap_or((bar, bar));
    let Some(range) = props.bars.range(from, to, props.span) else { return Html::default() };
    let chosen = props.bars.bars.iter().skip(from).take(to - from + 1);
    let mut levels = [0_u64; Level::ALL.len()];
    for bar in chosen {
        levels.iter_mut().zip(bar.levels).for_each(|(total, count)| *total += count);
    }
    let before = (from == to)
        .then(|| props.bars.bars.get(bar).and_then(|bar| props.bars.before_at(bar.start_ms)))
        .flatten();
    let line = |(level, count): (&Level, &u64)| {
        html! { <div><dt>{ level.name() }</dt><dd>{ format::count(*count) }</dd></div> }
    };
    html! {
        <div class="chart-tip" role="status">
            <p>{ moment(range.from_ms, Precision::Second) }{ " to " }{ moment(range.to_ms, Precision::Second) }</p>
            <dl>
                <div><dt>{ "Records" }</dt><dd><b>{ format::count(levels.iter().sum()) }</b></dd></div>
                { for Level::ALL.iter().zip(&levels).rev().filter(|(_, count)| **count > 0).map(line) }
                if let Some(before) = before { <div><dt>{ "Period before" }</dt><dd>{ format::count(before) }</dd></div> }
            </dl>
        </div>
    }
}

fn summary(props: &HistogramProps) -> String {
    let (from, to) = (props.span.from_ms, props.span.to_ms);
    let local = |at_ms| format::moment(at_ms, clock::offset_ms(at_ms));
    format!(
        "{} over time, {} to {}. Arrows move, Shift and arrows mark, Enter zooms, d asks what is different.",
        format::plural(props.bars.total(), "record"),
        local(from),
        local(to)
    )
}

#[derive(PartialEq, Properties)]
struct BesideProps {
    /// Of what it belongs to, pixels from the left.
    x: f64,
    width: f64,
    children: Html,
}

/// Stands at a place of the chart, and within its ends.
#[component]
fn Beside(props: &BesideProps) -> Html {
    let node = use_node_ref();
    use_beside(&node, props.x, props.width);
    html! { <div class="chart-beside" ref={node}>{ props.children.clone() }</div> }
}

#[hook]
fn use_beside(node: &NodeRef, x: f64, width: f64) {
    let node = node.clone();
    use_effect(move || {
        let own = dom::width(&node).unwrap_or(0.0);
        // Beside a single bar, not over it.
        let right = x + LEFT / 2.0;
        let left = if right + own > width { (x - own - LEFT / 2.0).max(0.0) } else { right };
        dom::set_style(&node, "left", &format!("{left}px"));
    });
}
