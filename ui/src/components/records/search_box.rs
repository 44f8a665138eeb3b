//! The query text. Typing applies itself after a short rest; Enter applies at once. Below it, what may be put in: fields and
//! values as one types, or earlier queries.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, NodeRef, Properties, TargetCast, component, hook, html,
    use_mut_ref,
};

use crate::browser::{dom, preferences};
use crate::components::records::suggestion_list::SuggestionList;
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::{State, use_state_eq};
use crate::state::explore::history;
use crate::state::explore::known::{self, Known};
use crate::state::offers::{Offer, Offers};
use crate::state::query_check;

/// Long enough that a word is typed to its end, short enough to feel immediate.
const REST_MS: u32 = 350;
const HISTORY_KEY: &str = "insighthub.queries";

#[derive(PartialEq, Properties)]
pub struct SearchBoxProps {
    /// The text that is in force.
    pub text: String,
    pub on_apply: Callback<String>,
    /// So that the page can give it the keyboard.
    pub node: NodeRef,
    /// Fields and values to choose from.
    #[prop_or_default]
    pub known: Rc<Known>,
}

#[component]
pub fn SearchBox(props: &SearchBoxProps) -> Html {
    let draft = use_draft(&props.text);
    let offers = use_state_eq(Offers::default);
    let (problem, apply) = use_apply(&props.on_apply);
    let timer = use_mut_ref(|| None::<Timeout>);
    let type_in = {
        let (draft, offers, known) = (draft.clone(), offers.clone(), Rc::clone(&props.known));
        let (timer, apply, problem, node) =
            (timer.clone(), apply.clone(), problem.clone(), props.node.clone());
        Callback::from(move |(text, cursor): (String, usize)| {
            if dom::value(&node) != text {
                dom::set_value(&node, &text, cursor);
            }
            draft.set(text.clone());
            offers.set(Offers::suggested(known::suggestions(&text, cursor, &known)));
            if query_check::problem(&text).is_none() {
                problem.set(None);
            }
            let apply = apply.clone();
            *timer.borrow_mut() = Some(Timeout::new(REST_MS, move || apply.emit(text)));
        })
    };
    let oninput = type_in.reform(|event: InputEvent| {
        let input: web_sys::HtmlInputElement = event.target_unchecked_into();
        (input.value(), dom::cursor(&input))
    });
    use_late_fields(&props.known, &props.node, &offers);
    let take = {
        let (offers, type_in, draft) = (offers.clone(), type_in.clone(), draft.clone());
        Callback::from(move |place: usize| {
            match offers.get(place) {
                Some(Offer::Suggestion(found)) => type_in.emit(known::accept(&draft, found)),
                Some(Offer::Earlier(text)) => {
                    type_in.emit((text.clone(), text.len()));
                    offers.set(Offers::default());
                }
                None => {}
            };
        })
    };
    let onkeydown = keys(&offers, take.clone(), sent(&offers, &timer, apply));
    let onblur = {
        let offers = offers.clone();
        move |_| offers.set(Offers::default())
    };
    html! {
        <div class="search-box">
            <span class="search-icon" aria-hidden="true"></span>
            <input ref={props.node.clone()} type="search" id="search" value={(*draft).clone()} {oninput} {onkeydown} {onblur}
                placeholder="Search: timeout \"card declined\" userId:1932" aria-label="Search records" role="combobox"
                aria-invalid={problem.is_some().to_string()} aria-describedby="query-problem"
                aria-expanded={(!offers.is_empty()).to_string()} aria-controls="query-offers" aria-autocomplete="list"
                aria-activedescendant={offers.chosen().map(|place| format!("offer-{place}"))}
                autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="16384" />
            { earlier_button(&offers, &props.node) }
            <kbd aria-hidden="true">{ "/" }</kbd>
            <SuggestionList offers={(*offers).clone()} on_take={take} />
            if let Some(problem) = problem.as_ref().filter(|_| offers.is_empty()) {
                <pre id="query-problem" class="query-problem" role="status">{ problem }</pre>
            }
        </div>
    }
}

/// Fields may come to be known while a word of one is typed already.
#[hook]
fn use_late_fields(known: &Rc<Known>, node: &NodeRef, offers: &State<Offers>) {
    let (node, offers) = (node.clone(), offers.clone());
    use_effect_with(Rc::clone(known), move |known| {
        if let Some(input) = dom::focused_input(&node) {
            let found = known::suggestions(&input.value(), dom::cursor(&input), known);
            // Earlier queries, which are offered in an empty line, must stay; so must a list in which one is chosen already.
            if !found.is_empty() && offers.chosen().is_none() {
                offers.set(Offers::suggested(found));
            }
        }
    });
}

/// What is being typed. The text also changes from outside: the address bar, or a value picked elsewhere.
#[hook]
fn use_draft(text: &str) -> State<String> {
    let draft = use_state_eq(|| text.to_owned());
    use_effect_with(text.to_owned(), {
        let draft = draft.clone();
        move |text| {
            if draft.trim() != text.trim() {
                draft.set(text.clone());
            }
        }
    });
    draft
}

/// Puts a text in force if it can be read, and says what is wrong with it otherwise.
#[hook]
fn use_apply(on_apply: &Callback<String>) -> (State<Option<String>>, Callback<String>) {
    let problem = use_state_eq(|| None::<String>);
    let (told, on_apply) = (problem.clone(), on_apply.clone());
    let apply = Callback::from(move |text: String| {
        let found = query_check::problem(&text);
        if found.is_none() {
            on_apply.emit(text);
        }
        told.set(found);
    });
    (problem, apply)
}

/// Applies what was typed without waiting for a rest, and remembers it.
fn sent(
    offers: &State<Offers>,
    timer: &Rc<RefCell<Option<Timeout>>>,
    apply: Callback<String>,
) -> Callback<String> {
    let (offers, timer) = (offers.clone(), Rc::clone(timer));
    Callback::from(move |text: String| {
        *timer.borrow_mut() = None;
        offers.set(Offers::default());
        remember(&text);
        apply.emit(text);
    })
}

fn keys(offers: &State<Offers>, take: Callback<usize>, now: Callback<String>) -> Callback<KeyboardEvent> {
    let offers = offers.clone();
    Callback::from(move |event: KeyboardEvent| {
        let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
        match (event.key().as_str(), offers.chosen()) {
            ("Enter", Some(place)) | ("Tab", Some(place)) => {
                event.prevent_default();
                take.emit(place);
            }
            ("Enter", None) => now.emit(text),
            ("ArrowDown", _) if offers.is_empty() && text.is_empty() => {
                event.prevent_default();
                offers.set(earlier());
            }
            ("ArrowDown" | "ArrowUp", _) if !offers.is_empty() => {
                event.prevent_default();
                offers.set(offers.stepped(event.key() == "ArrowDown"));
            }
            ("Escape", _) if !offers.is_empty() => {
                event.prevent_default();
                offers.set(Offers::default());
            }
            ("Escape", _) => {
                event.prevent_default();
                dom::blur();
            }
            _ => {}
        }
    })
}

fn earlier_button(offers: &State<Offers>, node: &NodeRef) -> Html {
    let (offers, node) = (offers.clone(), node.clone());
    // Before the input loses the keyboard, which would shut the list again.
    let onmousedown = move |event: yew::MouseEvent| {
        event.prevent_default();
        dom::focus(&node);
        offers.set(if offers.is_empty() { earlier() } else { Offers::default() });
    };
    html! {
        <button type="button" class="quiet earlier" tabindex="-1" title="Earlier queries (↓ in an empty line)"
            aria-label="Earlier queries" {onmousedown}>{ "▾" }</button>
    }
}

fn earlier() -> Offers {
    Offers::earlier(history::from_text(&preferences::kept(HISTORY_KEY)))
}

fn remember(query: &str) {
    if query_check::problem(query).is_none() {
        let known = history::from_text(&preferences::kept(HISTORY_KEY));
        preferences::keep(HISTORY_KEY, &history::to_text(&history::push(&known, query)));
    }
}
