//! A chart of lines over time: what is usual as a band, limits, incidents; a cursor that names all values. A click or a drag
//! chooses a range of time.

use yew::{Callback, Html, KeyboardEvent, NodeRef, PointerEvent, Properties, component, html, use_node_ref};

use super::line_plot::LinePlot;
use super::line_words::{Legend, reading, spoken, table};
use super::series::{Cursor, Frame, SharedLines};
use crate::browser::dom;
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::use_callback;
use crate::hooks::state::{State, use_state_eq};
use crate::hooks::width::use_width;

#[derive(PartialEq, Properties)]
pub struct LineChartProps {
    pub lines: SharedLines,
    /// What it shows, in a few words.
    pub label: String,
    #[prop_or(190.0)]
    pub height: f64,
    /// First and last moment of what was clicked or dragged over, milliseconds since 1970.
    pub on_range: Callback<(i64, i64)>,
}

#[component]
pub fn LineChart(props: &LineChartProps) -> Html {
    let (node, tip) = (use_node_ref(), use_node_ref());
    let frame = Frame { width: use_width(&node, 640.0), height: props.height };
    let cursor = use_state_eq(Cursor::default);
    let hidden = use_state_eq(Vec::<String>::new);
    let lines = &props.lines;
    let at = cursor.at.filter(|at| *at < lines.steps);
    use_effect_with((at, frame.width as i64), {
        let tip = tip.clone();
        let x = at.map(|at| frame.across(lines.steps).px(at as f64 + 0.5));
        move |_| place_tip(&tip, x, frame.width)
    });
    let on_toggle = use_callback(hidden.clone(), |name: String, hidden| {
        let mut next = (**hidden).clone();
        if next.contains(&name) {
            next.retain(|known| *known != name);
        } else {
            next.push(name);
        }
        hidden.set(next);
    });
    let pointing = Pointing {
        node: node.clone(),
        lines: lines.clone(),
        frame,
        cursor: cursor.clone(),
        on_range: props.on_range.clone(),
    };
    html! {
        <figure class="chart lines">
            <div ref={node} class="plot" tabindex="0" role="slider" aria-label={format!("{}. Arrow keys move the cursor, Enter looks closer.", props.label)}
                aria-valuemin="0" aria-valuemax={lines.steps.saturating_sub(1).to_string()}
                aria-valuenow={at.unwrap_or(lines.steps.saturating_sub(1)).to_string()}
                aria-valuetext={spoken(lines, &hidden, at.unwrap_or(lines.steps.saturating_sub(1)))}
                onpointermove={pointing.moved()} onpointerdown={pointing.pressed()} onpointerup={pointing.let_go()}
                onpointerleave={pointing.left().reform(|_: PointerEvent| ())} onpointercancel={pointing.left().reform(|_: PointerEvent| ())} onkeydown={pointing.key()}
                onblur={pointing.left().reform(|_: yew::FocusEvent| ())}>
                <svg width={frame.width.to_string()} height={frame.height.to_string()} role="img" aria-label={props.label.clone()}>
                    <LinePlot lines={lines.clone()} {frame} hidden={(*hidden).clone()} />
                    { cursor.chosen().filter(|_| at.is_some()).map(|chosen| cursor_shape(chosen, frame, lines.steps)) }
                </svg>
                { at.and_then(|_| cursor.chosen()).map(|chosen| reading(lines, &hidden, chosen, tip)) }
            </div>
            if lines.series.len() > 1 || lines.band.is_some() {
                <Legend lines={lines.clone()} hidden={(*hidden).clone()} {on_toggle} />
            }
            { table(lines, &props.label) }
        </figure>
    }
}

/// Beside the cursor, on the side where there is room.
fn place_tip(tip: &NodeRef, x: Option<f64>, width: f64) {
    const GAP_PX: f64 = 12.0;
    let Some(x) = x else { return };
    if x > width / 2.0 {
        dom::set_style(tip, "left", "auto");
        dom::set_style(tip, "right", &format!("{:.0}px", width - x + GAP_PX));
    } else {
        dom::set_style(tip, "right", "auto");
        dom::set_style(tip, "left", &format!("{:.0}px", x + GAP_PX));
    }
}

fn cursor_shape((from, to): (usize, usize), frame: Frame, steps: usize) -> Html {
    let across = frame.across(steps);
    let (top, height) = (Frame::TOP, frame.height - Frame::TOP - Frame::BOTTOM);
    if from == to {
        let x = across.px(from as f64 + 0.5).to_string();
        return html! { <line class="cursor" x1={x.clone()} x2={x} y1={top.to_string()} y2={(top + height).to_string()} /> };
    }
    let (left, right) = (across.px(from as f64), across.px(to as f64 + 1.0));
    html! {
        <rect class="chosen-range" x={left.to_string()} y={top.to_string()} width={(right - left).to_string()} height={height.to_string()} />
    }
}

/// What the pointer and the keyboard do to the cursor.
struct Pointing {
    node: NodeRef,
    lines: SharedLines,
    frame: Frame,
    cursor: State<Cursor>,
    on_range: Callback<(i64, i64)>,
}

impl Pointing {
    fn step_of(&self) -> impl Fn(&PointerEvent) -> Option<usize> + 'static {
        let (node, lines, frame) = (self.node.clone(), self.lines.clone(), self.frame);
        move |event| {
            let (x, _) = dom::place_in(&node, f64::from(event.client_x()), f64::from(event.client_y()))?;
            lines.step_at(frame, x)
        }
    }

    fn moved(&self) -> Callback<PointerEvent> {
        let (step_of, cursor) = (self.step_of(), self.cursor.clone());
        Callback::from(move |event: PointerEvent| cursor.set(Cursor { at: step_of(&event), ..*cursor }))
    }

    fn pressed(&self) -> Callback<PointerEvent> {
        let (step_of, cursor, node) = (self.step_of(), self.cursor.clone(), self.node.clone());
        Callback::from(move |event: PointerEvent| {
            if event.button() == 0 {
                dom::capture_pointer(&node, event.pointer_id());
                let at = step_of(&event);
                cursor.set(Cursor { at, anchor: at });
            }
        })
    }

    fn let_go(&self) -> Callback<PointerEvent> {
        let (cursor, lines, on_range) = (self.cursor.clone(), self.lines.clone(), self.on_range.clone());
        Callback::from(move |_: PointerEvent| {
            // Only what was begun here.
            if let (Some(_), Some((from, to))) = (cursor.anchor, cursor.chosen()) {
                on_range.emit(lines.stretch(from, to));
            }
            cursor.set(Cursor { anchor: None, ..*cursor });
        })
    }

    fn left(&self) -> Callback<()> {
        let cursor = self.cursor.clone();
        Callback::from(move |()| cursor.set(Cursor::default()))
    }

    fn key(&self) -> Callback<KeyboardEvent> {
        let (cursor, lines, on_range) = (self.cursor.clone(), self.lines.clone(), self.on_range.clone());
        Callback::from(move |event: KeyboardEvent| {
            let steps = lines.steps;
            let by = match event.key().as_str() {
                "ArrowLeft" => -1,
                "ArrowRight" => 1,
                "PageUp" => -10,
                "PageDown" => 10,
                "Home" => -(steps as isize),
                "End" => steps as isize,
                "Enter" => {
                    if let Some((from, to)) = cursor.chosen() {
                        on_range.emit(lines.stretch(from, to));
                    }
                    return;
                }
                "Escape" if cursor.at.is_some() => {
                    event.stop_propagation();
                    cursor.set(Cursor::default());
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            cursor.set(cursor.stepped(by, steps, event.shift_key()));
        })
    }
}
