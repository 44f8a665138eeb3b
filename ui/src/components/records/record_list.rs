//! The list of lines. Only the rows near the screen exist; the rest is an empty box of the right height.

use std::rc::Rc;

use yew::{Callback, Event, Html, NodeRef, Properties, component, html, use_node_ref};

use crate::browser::dom;
use crate::components::records::record_row::RecordRow;
use crate::hooks::effect::{use_effect, use_effect_with};
use crate::hooks::state::use_state_eq;
use crate::state::columns::Columns;
use crate::state::lines::Lines;
use crate::state::window::{ROW_PX, Viewport};

#[derive(PartialEq, Properties)]
pub struct RecordListProps {
    pub lines: Lines,
    pub selected: Option<usize>,
    /// `None`: the usual ones.
    #[prop_or_default]
    pub columns: Option<Rc<Columns>>,
    /// A row was clicked.
    pub on_pick: Callback<usize>,
    /// The reader scrolled: whether the newest line is out of sight.
    pub on_scrolled: Callback<bool>,
    /// Few rows are left below the screen.
    pub on_near_end: Callback<()>,
    /// A change asks the list to go back to the top.
    pub to_top: u32,
    /// Drawn below the last row.
    pub end: Html,
}

#[component]
pub fn RecordList(props: &RecordListProps) -> Html {
    let (viewport_node, spacer, rows_node) = (use_node_ref(), use_node_ref(), use_node_ref());
    let viewport = use_state_eq(|| Viewport { top_px: 0.0, height_px: 800.0 });
    let total = props.lines.len();
    let rows = viewport.rows(total);
    use_placed_rows(spacer.clone(), rows_node.clone(), total, rows.start);
    use_scrolling(props, &viewport_node, *viewport);
    use_effect({
        // After every drawing: the height changes with the window and with the details panel.
        let (node, viewport) = (viewport_node.clone(), viewport.clone());
        move || measure(&node, |seen| viewport.set(seen))
    });
    let onscroll = {
        let (node, viewport, on_scrolled) =
            (viewport_node.clone(), viewport.clone(), props.on_scrolled.clone());
        Callback::from(move |_: Event| {
            measure(&node, |seen| {
                viewport.set(seen);
                on_scrolled.emit(seen.is_away_from_top());
            })
        })
    };
    let row = |index: usize| {
        let line = props.lines.get(index)?.clone();
        let is_selected = props.selected == Some(index);
        Some(
            html! { <RecordRow {line} {index} {is_selected} columns={props.columns.clone()} on_pick={props.on_pick.clone()} /> },
        )
    };
    // Only rows may be in a grid: what stands below them is beside it, and without rows there is none.
    let of_grid = |value: &'static str| (total > 0).then_some(value);
    html! {
        <div class="list" ref={viewport_node} {onscroll} tabindex={(total == 0).then_some("0")}>
            <div class="list-spacer" ref={spacer} role={of_grid("grid")} tabindex={of_grid("0")}
                aria-label={of_grid("Records, newest first")} aria-rowcount={(total > 0).then(|| total.to_string())}
                aria-activedescendant={props.selected.map(|row| format!("row-{row}"))}>
                <div class="list-rows" ref={rows_node} role={of_grid("rowgroup")}>{ for rows.filter_map(row) }</div>
            </div>
            { props.end.clone() }
        </div>
    }
}

/// Sizes the box and puts the drawn rows where they belong in it, after the drawing itself.
#[yew::hook]
fn use_placed_rows(spacer: NodeRef, rows: NodeRef, total: usize, start: usize) {
    use_effect_with((total, start), move |&(total, start)| {
        dom::set_style(&spacer, "height", &format!("{}px", total as f64 * ROW_PX));
        dom::set_style(&rows, "transform", &format!("translateY({}px)", start as f64 * ROW_PX));
    });
}

#[yew::hook]
fn use_scrolling(props: &RecordListProps, node: &NodeRef, viewport: Viewport) {
    use_effect_with(props.to_top, {
        let node = node.clone();
        move |_| dom::set_scroll_top(&node, 0.0)
    });
    use_effect_with(props.selected, {
        let node = node.clone();
        move |selected| {
            if let Some(top_px) = selected.and_then(|row| viewport.scroll_to(row)) {
                dom::set_scroll_top(&node, top_px);
            }
        }
    });
    use_effect_with((props.lines.clone(), viewport), {
        let on_near_end = props.on_near_end.clone();
        move |(lines, viewport)| {
            if viewport.is_near_end(lines.len()) {
                on_near_end.emit(());
            }
        }
    });
}

fn measure(node: &NodeRef, take: impl FnOnce(Viewport)) {
    if let Some((top_px, height_px)) = dom::scroll_of(node) {
        take(Viewport { top_px, height_px });
    }
}
