//! Heads of the columns: taken elsewhere by dragging or with Shift and an arrow, made wider at their edge, taken out with Delete.

use std::rc::Rc;

use yew::{
    Callback, Html, KeyboardEvent, MouseEvent, NodeRef, PointerEvent, Properties, component, html,
    use_mut_ref, use_node_ref,
};

use crate::browser::dom;
use crate::state::columns::{Column, Columns, WIDTH_PX_MAX, WIDTH_PX_MIN};

/// One press of an arrow at an edge.
const STEP_PX: i32 = 16;

#[derive(PartialEq, Properties)]
pub struct ColumnHeadsProps {
    pub columns: Rc<Columns>,
    pub on_change: Callback<Columns>,
    /// While an edge is dragged: to be drawn, and not yet kept.
    pub on_preview: Callback<Columns>,
}

#[component]
pub fn ColumnHeads(props: &ColumnHeadsProps) -> Html {
    let dragged = use_mut_ref(|| None::<usize>);
    let head = |(place, column): (usize, &Column)| {
        let from = Rc::clone(&dragged);
        let ondragstart = move |_| {
            from.replace(Some(place));
        };
        let ondrop = {
            let (from, columns, on_change) =
                (Rc::clone(&dragged), Rc::clone(&props.columns), props.on_change.clone());
            move |event: yew::DragEvent| {
                event.prevent_default();
                if let Some(from) = from.take() {
                    on_change.emit(changed(&columns, |columns| columns.shift(from, place)));
                }
            }
        };
        let onkeydown = head_keys(props, place, &column.name);
        html! {
            <div class="column-head" key={column.name.clone()} {ondrop} ondragover={|event: yew::DragEvent| event.prevent_default()}>
                <span class="column-name" role="button" draggable="true" tabindex="0" {ondragstart} {onkeydown}
                    title={format!("{}: drag, or Shift and an arrow, to move; Delete to take out", column.name)}>{ column.title() }</span>
                <ColumnEdge columns={Rc::clone(&props.columns)} {place} on_change={props.on_change.clone()} on_preview={props.on_preview.clone()} />
            </div>
        }
    };
    html! { <div class="list-head movable" role="group" aria-label="Columns">{ for props.columns.iter().enumerate().map(head) }</div> }
}

fn changed(columns: &Columns, change: impl FnOnce(&mut Columns)) -> Columns {
    let mut next = columns.clone();
    change(&mut next);
    next
}

fn head_keys(props: &ColumnHeadsProps, place: usize, name: &str) -> Callback<KeyboardEvent> {
    let (columns, on_change, name) = (Rc::clone(&props.columns), props.on_change.clone(), name.to_owned());
    Callback::from(move |event: KeyboardEvent| {
        let next = match event.key().as_str() {
            "ArrowLeft" if event.shift_key() => {
                changed(&columns, |columns| columns.shift(place, place.saturating_sub(1)))
            }
            "ArrowRight" if event.shift_key() => changed(&columns, |columns| columns.shift(place, place + 1)),
            "Delete" | "Backspace" => changed(&columns, |columns| columns.remove(&name)),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        on_change.emit(next);
    })
}

#[derive(PartialEq, Properties)]
struct ColumnEdgeProps {
    columns: Rc<Columns>,
    place: usize,
    on_change: Callback<Columns>,
    on_preview: Callback<Columns>,
}

#[component]
fn ColumnEdge(props: &ColumnEdgeProps) -> Html {
    let node = use_node_ref();
    // Where the drag began, and how wide the column was then.
    let start = use_mut_ref(|| None::<(i32, f64)>);
    let place = props.place;
    let resized = {
        let columns = Rc::clone(&props.columns);
        move |width: f64| changed(&columns, |columns| columns.resize(place, width.max(0.0) as u32))
    };
    let onpointerdown = {
        let (node, start) = (node.clone(), Rc::clone(&start));
        move |event: PointerEvent| {
            event.prevent_default();
            dom::capture_pointer(&node, event.pointer_id());
            start.replace(parent_width(&node).map(|width| (event.client_x(), width)));
        }
    };
    let onpointermove = {
        let (start, on_preview, resized) = (Rc::clone(&start), props.on_preview.clone(), resized.clone());
        move |event: PointerEvent| {
            if let Some((x, width)) = *start.borrow() {
                on_preview.emit(resized(width + f64::from(event.client_x() - x)));
            }
        }
    };
    let onpointerup = {
        let (on_change, resized) = (props.on_change.clone(), resized.clone());
        move |event: PointerEvent| {
            if let Some((x, width)) = start.take() {
                on_change.emit(resized(width + f64::from(event.client_x() - x)));
            }
        }
    };
    let onkeydown = {
        let (node, on_change) = (node.clone(), props.on_change.clone());
        move |event: KeyboardEvent| {
            let step = match event.key().as_str() {
                "ArrowLeft" => -STEP_PX,
                "ArrowRight" => STEP_PX,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            if let Some(width) = parent_width(&node) {
                on_change.emit(resized(width + f64::from(step)));
            }
        }
    };
    let width_px = props.columns.iter().nth(place).map_or(0, Column::least_px);
    html! {
        <span ref={node} class="column-edge" role="separator" aria-valuenow={width_px.to_string()}
            aria-valuemin={WIDTH_PX_MIN.to_string()} aria-valuemax={WIDTH_PX_MAX.to_string()} aria-valuetext={format!("{width_px} pixels")} aria-orientation="vertical" tabindex="0" {onpointerdown} {onpointermove}
            {onpointerup} {onkeydown} onclick={|event: MouseEvent| event.stop_propagation()}
            aria-label="Width of the column: drag, or arrows" title="Width: drag, or arrows"></span>
    }
}

fn parent_width(node: &NodeRef) -> Option<f64> {
    let parent = node.cast::<web_sys::Element>()?.parent_element()?;
    Some(parent.get_bounding_client_rect().width())
}
