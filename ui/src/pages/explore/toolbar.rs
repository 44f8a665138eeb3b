//! What stands behind the filter: the time, the period before, asking again.

use yew::{Callback, Html, Properties, classes, component, html};

use super::desk::Desk;
use super::menus::export_menu;
use super::views_menu::ViewsMenu;
use crate::components::time_picker::TimePicker;
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub(super) struct ToolbarProps {
    pub(super) desk: Desk,
    pub(super) on_again: Callback<()>,
}

#[component]
pub(super) fn Toolbar(props: &ToolbarProps) -> Html {
    let desk = &props.desk;
    let on_change = desk.step(|view, range: Range| *view = view.zoomed(range));
    let is_compared = desk.view.is_compared;
    html! {
        <>
            <TimePicker range={desk.view.range} {on_change} />
            <button type="button" class={classes!("chip", is_compared.then_some("on"))} aria-pressed={is_compared.to_string()}
                title="Draws the period before, of the same length" onclick={desk.to(|view, _| view.is_compared = !view.is_compared)}>
                { "Compare with before" }
            </button>
            <button type="button" class="refresh" onclick={props.on_again.reform(|_| ())} title="Asks again">{ "Refresh" }</button>
            <ViewsMenu desk={desk.clone()} />
            { export_menu(desk) }
        </>
    }
}
