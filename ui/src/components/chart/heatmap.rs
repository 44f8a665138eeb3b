//! Latencies over time as cells, the darker the more records. A click or a drag chooses cells.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent, NodeRef, PointerEvent, Properties, component, html, use_node_ref};

use super::axis;
use super::series::Frame;
use crate::browser::{clock, dom};
use crate::components::moment::moment;
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::{State, use_state_eq};
use crate::hooks::width::use_width;
use crate::state::analytics::heat::{Cells, Heat, HeatCursor, SHADES, latency_words};
use crate::state::format::{self, Precision};

const ROW_PX: f64 = 18.0;
const HEIGHT_MIN: f64 = 130.0;

/// What is to be done with chosen cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// What a cell leads to as it is.
    First,
    /// The other thing: with Shift held, or the key `d`.
    Second,
}

#[derive(PartialEq, Properties)]
pub struct HeatmapChartProps {
    pub heat: Rc<Heat>,
    pub on_choose: Callback<(Cells, Choice)>,
}

#[component]
pub fn HeatmapChart(props: &HeatmapChartProps) -> Html {
    let (node, tip) = (use_node_ref(), use_node_ref());
    let heat = &props.heat;
    let height = (heat.rows() as f64 * ROW_PX + Frame::TOP + Frame::BOTTOM).max(HEIGHT_MIN);
    let frame = Frame { width: use_width(&node, 640.0), height };
    let cursor = use_state_eq(HeatCursor::default);
    let cells = cursor.cells().filter(|cells| cells.columns.1 < heat.columns() && cells.rows.1 < heat.rows());
    use_effect_with((cells, frame.width as i64), {
        let (tip, heat) = (tip.clone(), heat.clone());
        move |(cells, _)| {
            if let Some(cells) = cells {
                place_tip(&tip, &heat, frame, *cells);
            }
        }
    });
    let pointing = Pointing {
        node: node.clone(),
        heat: heat.clone(),
        frame,
        cursor: cursor.clone(),
        on_choose: props.on_choose.clone(),
    };
    let leave = pointing.left();
    html! {
        <figure class="chart heatmap">
            <div ref={node} class="plot" tabindex="0" role="application" aria-roledescription="heatmap"
                aria-label={format!("Latencies over time. {}", cells.map_or("Arrow keys move the cursor, Enter opens the records of a cell.".to_owned(), |cells| spoken(heat, cells)))}
                onpointermove={pointing.moved()} onpointerdown={pointing.pressed()} onpointerup={pointing.let_go()}
                onpointerleave={leave.reform(|_: PointerEvent| ())} onpointercancel={leave.reform(|_: PointerEvent| ())}
                onblur={leave.reform(|_: yew::FocusEvent| ())} onkeydown={pointing.key()}>
                <svg width={frame.width.to_string()} height={frame.height.to_string()} role="img" aria-label="Latencies over time">
                    <HeatPlot heat={heat.clone()} {frame} />
                    { cells.map(|cells| outline(heat, frame, cells)) }
                </svg>
                { cells.map(|cells| reading(heat, cells, tip)) }
                <p class="visually-hidden" aria-live="polite">{ cells.map(|cells| spoken(heat, cells)) }</p>
            </div>
            { legend(heat) }
        </figure>
    }
}

#[derive(PartialEq, Properties)]
struct HeatPlotProps {
    heat: Rc<Heat>,
    frame: Frame,
}

/// All that does not follow the pointer.
#[component]
fn HeatPlot(props: &HeatPlotProps) -> Html {
    let (heat, frame) = (&props.heat, props.frame);
    let up = heat.up(frame);
    // Powers of two: every second is named, for the room.
    let edge = |(row, edge): (usize, &f64)| {
        let y = up.px(row as f64);
        html! { <text x={(Frame::LEFT - 8.0).to_string()} y={(y + 4.0).to_string()} text-anchor="end">{ format::duration_ms(*edge) }</text> }
    };
    let cells =
        |shade: usize| html! { <path class={format!("heat heat-{shade}")} d={heat.path(frame, shade)} /> };
    html! {
        <g>
            <g class="axis">{ for heat.edges_ms.iter().enumerate().step_by(2).map(edge) }</g>
            { axis::times(frame, heat.start_ms, heat.end_ms()) }
            { for (1..=SHADES).map(cells) }
        </g>
    }
}

fn outline(heat: &Heat, frame: Frame, cells: Cells) -> Html {
    let (across, up) = (frame.across(heat.columns()), heat.up(frame));
    let (left, right) = (across.px(cells.columns.0 as f64), across.px(cells.columns.1 as f64 + 1.0));
    let (top, foot) = (up.px(cells.rows.1 as f64 + 1.0), up.px(cells.rows.0 as f64));
    html! {
        <rect class="heat-cursor" x={left.to_string()} y={top.to_string()} width={(right - left).to_string()} height={(foot - top).to_string()} />
    }
}

/// Right of the cells or left of them, where there is room.
fn place_tip(tip: &NodeRef, heat: &Heat, frame: Frame, cells: Cells) {
    const GAP_PX: f64 = 10.0;
    let across = frame.across(heat.columns());
    let (left, right) = (across.px(cells.columns.0 as f64), across.px(cells.columns.1 as f64 + 1.0));
    let (left, right) = if left > frame.width / 2.0 {
        ("auto".to_owned(), format!("{:.0}px", frame.width - left + GAP_PX))
    } else {
        (format!("{:.0}px", right + GAP_PX), "auto".to_owned())
    };
    dom::set_style(tip, "left", &left);
    dom::set_style(tip, "right", &right);
}

fn reading(heat: &Heat, cells: Cells, node: NodeRef) -> Html {
    let (from_ms, to_ms) = heat.stretch(cells.columns);
    html! {
        <div class="tip" ref={node} aria-hidden="true">
            <p>{ moment(from_ms, Precision::Minute) }{ " to " }{ moment(to_ms, Precision::Minute) }</p>
            <b>{ latency_words(heat.latencies(cells.rows)) }</b>
            <p>{ format::plural(heat.records(cells), "record") }</p>
        </div>
    }
}

fn spoken(heat: &Heat, cells: Cells) -> String {
    let (from_ms, _) = heat.stretch(cells.columns);
    let (_, time) = format::day_and_time(from_ms, clock::offset_ms(from_ms), Precision::Minute);
    let latencies = latency_words(heat.latencies(cells.rows));
    format!("{time}, {latencies}: {}", format::plural(heat.records(cells), "record"))
}

fn legend(heat: &Heat) -> Html {
    let entry = |(shade, count): (usize, u64)| {
        html! {
            <li><svg width="14" height="12" aria-hidden="true"><rect class={format!("heat heat-{shade}")} width="14" height="12" rx="2" /></svg>
                { format::short_count(count as f64) }</li>
        }
    };
    html! {
        <ul class="legend heat-legend" aria-label="Records in a cell, from">
            <li>{ "Records from" }</li>{ for heat.shade_counts().into_iter().map(entry) }
        </ul>
    }
}

/// What the pointer and the keyboard do to the cursor.
struct Pointing {
    node: NodeRef,
    heat: Rc<Heat>,
    frame: Frame,
    cursor: State<HeatCursor>,
    on_choose: Callback<(Cells, Choice)>,
}

impl Pointing {
    fn cell_of(&self) -> impl Fn(&PointerEvent) -> Option<(usize, usize)> + 'static {
        let (node, heat, frame) = (self.node.clone(), self.heat.clone(), self.frame);
        move |event| {
            let (x, y) = dom::place_in(&node, f64::from(event.client_x()), f64::from(event.client_y()))?;
            heat.cell_at(frame, x, y)
        }
    }

    fn moved(&self) -> Callback<PointerEvent> {
        let (cell_of, cursor) = (self.cell_of(), self.cursor.clone());
        Callback::from(move |event: PointerEvent| cursor.set(cursor.pointed(cell_of(&event))))
    }

    fn pressed(&self) -> Callback<PointerEvent> {
        let (cell_of, cursor, node) = (self.cell_of(), self.cursor.clone(), self.node.clone());
        Callback::from(move |event: PointerEvent| {
            if event.button() == 0 {
                dom::capture_pointer(&node, event.pointer_id());
                cursor.set(HeatCursor::begun(cell_of(&event)));
            }
        })
    }

    fn let_go(&self) -> Callback<PointerEvent> {
        let (cursor, on_choose) = (self.cursor.clone(), self.on_choose.clone());
        Callback::from(move |event: PointerEvent| {
            // Only what was begun here.
            if let (Some(_), Some(cells)) = (cursor.column.anchor, cursor.cells()) {
                on_choose.emit((cells, if event.shift_key() { Choice::Second } else { Choice::First }));
            }
            cursor.set(HeatCursor::default().pointed(cursor.at()));
        })
    }

    fn left(&self) -> Callback<()> {
        let cursor = self.cursor.clone();
        Callback::from(move |()| cursor.set(HeatCursor::default()))
    }

    fn key(&self) -> Callback<KeyboardEvent> {
        let (cursor, heat, on_choose) = (self.cursor.clone(), self.heat.clone(), self.on_choose.clone());
        Callback::from(move |event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowLeft" => (-1, 0),
                "ArrowRight" => (1, 0),
                "ArrowUp" => (0, 1),
                "ArrowDown" => (0, -1),
                key @ ("Enter" | "d") => {
                    if let Some(cells) = cursor.cells() {
                        event.stop_propagation();
                        on_choose.emit((cells, if key == "d" { Choice::Second } else { Choice::First }));
                    }
                    return;
                }
                "Escape" if cursor.at().is_some() => {
                    event.stop_propagation();
                    cursor.set(HeatCursor::default());
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            cursor.set(cursor.stepped(by, &heat, event.shift_key()));
        })
    }
}
