//! A button with a list below it, which goes with Esc or when the keyboard goes elsewhere.

use yew::{Callback, Children, FocusEvent, Html, KeyboardEvent, Properties, component, html, use_node_ref};

use crate::browser::dom;
use crate::hooks::state::use_state_eq;

#[derive(PartialEq, Properties)]
pub struct MenuProps {
    pub title: String,
    pub children: Children,
}

#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let is_open = use_state_eq(|| false);
    let (frame, button) = (use_node_ref(), use_node_ref());
    let onfocusout = {
        let (frame, is_open) = (frame.clone(), is_open.clone());
        Callback::from(move |event: FocusEvent| {
            if !dom::holds(&frame, event.related_target()) {
                is_open.set(false);
            }
        })
    };
    let onkeydown = {
        let (button, is_open) = (button.clone(), is_open.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && *is_open {
                event.stop_propagation();
                dom::focus(&button);
                is_open.set(false);
            }
        })
    };
    let onclick = {
        let is_open = is_open.clone();
        move |_| is_open.set(!*is_open)
    };
    html! {
        <div class="menu" ref={frame} {onfocusout} {onkeydown}>
            <button type="button" ref={button} {onclick} aria-expanded={is_open.to_string()}>{ &props.title }</button>
            // A click on its ground must not count as gone elsewhere.
            if *is_open { <div class="menu-list" tabindex="-1">{ for props.children.iter() }</div> }
        </div>
    }
}
