//! The query text. Typing applies itself after a short rest; Enter applies at once.

use gloo_timers::callback::Timeout;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, NodeRef, Properties, TargetCast, component, html,
    use_effect_with, use_mut_ref, use_state_eq,
};

use crate::browser::dom;

/// Long enough that a word is typed to its end, short enough to feel immediate.
const REST_MS: u32 = 350;

#[derive(PartialEq, Properties)]
pub struct SearchBoxProps {
    /// The text that is in force.
    pub text: String,
    pub on_apply: Callback<String>,
    /// So that the page can give it the keyboard.
    pub node: NodeRef,
}

#[component]
pub fn SearchBox(props: &SearchBoxProps) -> Html {
    let draft = use_state_eq(|| props.text.clone());
    let timer = use_mut_ref(|| None::<Timeout>);
    // The text also changes from outside: the address bar, or a field picked in the details.
    use_effect_with(props.text.clone(), {
        let draft = draft.clone();
        move |text| {
            if draft.trim() != text.trim() {
                draft.set(text.clone());
            }
        }
    });
    let oninput = {
        let (draft, timer, on_apply) = (draft.clone(), timer.clone(), props.on_apply.clone());
        Callback::from(move |event: InputEvent| {
            let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
            draft.set(text.clone());
            let on_apply = on_apply.clone();
            *timer.borrow_mut() = Some(Timeout::new(REST_MS, move || on_apply.emit(text)));
        })
    };
    let onkeydown = {
        let (timer, on_apply) = (timer.clone(), props.on_apply.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Enter" => {
                *timer.borrow_mut() = None;
                on_apply.emit(event.target_unchecked_into::<web_sys::HtmlInputElement>().value());
            }
            "Escape" => {
                event.prevent_default();
                dom::blur();
            }
            _ => {}
        })
    };
    html! {
        <div class="search-box">
            <span class="search-icon" aria-hidden="true"></span>
            <input ref={props.node.clone()} type="search" id="search" value={(*draft).clone()} {oninput} {onkeydown}
                placeholder="Search: timeout \"card declined\" userId:1932" aria-label="Search records"
                autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="16384" />
            <kbd aria-hidden="true">{ "/" }</kbd>
        </div>
    }
}
