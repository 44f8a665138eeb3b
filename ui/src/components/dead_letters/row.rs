//! One refused record: why it was refused, what it was, and a place to mend it.

use insighthub_model::Timestamp;
use yew::{Callback, Html, Properties, TargetCast, classes, component, html, use_state_eq};

use crate::api::dead_letter::DeadLetter;
use crate::components::moment::moment;
use crate::state::format::Precision;

#[derive(PartialEq, Properties)]
pub struct DeadLetterRowProps {
    pub letter: DeadLetter,
    pub is_chosen: bool,
    pub is_open: bool,
    /// Only an admin may send records again.
    pub can_replay: bool,
    pub on_choose: Callback<String>,
    pub on_open: Callback<String>,
    /// The id and the mended text.
    pub on_mended: Callback<(String, String)>,
}

#[component]
pub fn DeadLetterRow(props: &DeadLetterRowProps) -> Html {
    let letter = &props.letter;
    let id = letter.id.clone();
    let onchange = props.on_choose.reform({
        let id = id.clone();
        move |_| id.clone()
    });
    let onclick = props.on_open.reform(move |_| id.clone());
    html! {
        <>
            <tr class={classes!(props.is_open.then_some("open"))}>
                <td><input type="checkbox" checked={props.is_chosen} {onchange} disabled={!props.can_replay}
                    aria-label="Choose this record" /></td>
                <td class="time">{ received(letter) }</td>
                <td>{ letter.service.as_deref().unwrap_or("unknown") }</td>
                <td>{ &letter.origin }</td>
                <td class="reason">
                    { letter.field.as_ref().map(|field| html! { <code>{ field }</code> }) }{ &letter.reason }
                </td>
                <td><button type="button" class="quiet" {onclick} aria-expanded={props.is_open.to_string()}>
                    { if props.is_open { "Close" } else { "Open" } }
                </button></td>
            </tr>
            if props.is_open { <tr class="mend"><td colspan="6"><Mend ..mend(props) /></td></tr> }
        </>
    }
}

fn received(letter: &DeadLetter) -> Html {
    match Timestamp::parse(&letter.received_at) {
        Ok(at) => moment(at.millis(), Precision::Milli),
        Err(_) => html! { &letter.received_at },
    }
}

fn mend(props: &DeadLetterRowProps) -> MendProps {
    MendProps {
        letter: props.letter.clone(),
        can_replay: props.can_replay,
        on_mended: props.on_mended.clone(),
    }
}

#[derive(PartialEq, Properties)]
struct MendProps {
    letter: DeadLetter,
    can_replay: bool,
    on_mended: Callback<(String, String)>,
}

#[component]
fn Mend(props: &MendProps) -> Html {
    let letter = &props.letter;
    let text = use_state_eq(|| letter.raw.clone());
    let oninput = {
        let text = text.clone();
        Callback::from(move |event: yew::InputEvent| {
            text.set(event.target_unchecked_into::<web_sys::HtmlTextAreaElement>().value());
        })
    };
    let problem = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).err();
    let pair = (letter.id.clone(), (*text).clone());
    let onclick = props.on_mended.reform(move |_| pair.clone());
    html! {
        <div class="mend-form">
            if letter.raw_truncated {
                <p class="partial">{ "Only the beginning of this record was kept." }</p>
            }
            <label>{ "The record as it came" }
                <textarea value={(*text).clone()} {oninput} rows="8" spellcheck="false" readonly={!props.can_replay} />
            </label>
            <div class="actions">
                <span class="hint">{ match (&problem, props.can_replay) {
                    (_, false) => "Sign in as admin to mend it and send it again.".to_owned(),
                    (Some(problem), _) => format!("Not yet a JSON object: {problem}"),
                    (None, _) => "A valid JSON object.".to_owned(),
                } }</span>
                <button type="button" class="primary" {onclick} disabled={problem.is_some() || !props.can_replay}>
                    { "Send this again" }
                </button>
            </div>
        </div>
    }
}
