//! The query text. Typing applies itself after a short rest; Enter applies at once.

use gloo_timers::callback::Timeout;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, NodeRef, Properties, TargetCast, component, html,
    use_effect_with, use_mut_ref, use_state_eq,
};

use crate::browser::dom;
use crate::state::query_check;

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
    let problem = use_state_eq(|| None::<String>);
    let apply = {
        let (problem, on_apply) = (problem.clone(), props.on_apply.clone());
        Callback::from(move |text: String| {
            let found = query_check::problem(&text);
            if found.is_none() {
                on_apply.emit(text);
            }
            problem.set(found);
        })
    };
    let oninput = {
        let (draft, timer, apply, problem) = (draft.clone(), timer.clone(), apply.clone(), problem.clone());
        Callback::from(move |event: InputEvent| {
            let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
            draft.set(text.clone());
            if query_check::problem(&text).is_none() {
                problem.set(None);
            }
            let apply = apply.clone();
            *timer.borrow_mut() = Some(Timeout::new(REST_MS, move || apply.emit(text)));
        })
    };
    let onkeydown = Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            *timer.borrow_mut() = None;
            apply.emit(event.target_unchecked_into::<web_sys::HtmlInputElement>().value());
        }
        "Escape" => {
            event.prevent_default();
            dom::blur();
        }
        _ => {}
    });
    html! {
        <div class="search-box">
            <span class="search-icon" aria-hidden="true"></span>
            <input ref={props.node.clone()} type="search" id="search" value={(*draft).clone()} {oninput} {onkeydown}
                placeholder="Search: timeout \"card declined\" userId:1932" aria-label="Search records"
                aria-invalid={problem.is_some().to_string()} aria-describedby="query-problem"
                autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="16384" />
            <kbd aria-hidden="true">{ "/" }</kbd>
            if let Some(problem) = &*problem {
                <pre id="query-problem" class="query-problem" role="status">{ problem }</pre>
            }
        </div>
    }
}
