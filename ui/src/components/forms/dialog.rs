//! Something above the page that has to be ended before the page goes on.

use yew::{Callback, Children, Html, Properties, classes, component, html, use_node_ref};

use crate::browser::dom;
use crate::hooks::effect::use_effect_with;

#[derive(PartialEq, Properties)]
pub struct ModalProps {
    pub title: String,
    /// Esc, or the cross.
    pub on_close: Callback<()>,
    #[prop_or_default]
    pub is_wide: bool,
    pub children: Children,
}

/// The browser keeps the keyboard inside; where it was before it returns to.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let node = use_node_ref();
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            let before = dom::focused();
            dom::show_modal(&node);
            dom::focus_first_field(&node);
            move || dom::return_focus(before)
        }
    });
    let close = props.on_close.reform(|_| ());
    html! {
        <dialog ref={node} class={classes!("dialog", "modal", props.is_wide.then_some("wide"))} aria-labelledby="modal-title"
            onclose={props.on_close.reform(|_| ())}>
            <header class="modal-head">
                <h2 id="modal-title">{ &props.title }</h2>
                <button type="button" class="quiet" onclick={close} aria-label="Close">{ "×" }</button>
            </header>
            { for props.children.iter() }
        </dialog>
    }
}
