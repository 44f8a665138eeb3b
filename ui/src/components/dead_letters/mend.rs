//! One refused record in full, and a place to mend it.

use insighthub_model::LogId;
use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

use crate::api::dead_letters::DeadLetter;
use crate::hooks::state::use_state_eq;
use crate::state::dead_letters::fault;

#[derive(PartialEq, Properties)]
pub struct MendProps {
    pub letter: DeadLetter,
    /// Only an admin may send records again.
    pub can_replay: bool,
    pub is_sending: bool,
    /// Why it was refused when it was sent again.
    pub refused_again: Option<String>,
    /// The id and the mended text.
    pub on_mended: Callback<(LogId, String)>,
}

#[component]
pub fn Mend(props: &MendProps) -> Html {
    let letter = &props.letter;
    let text = use_state_eq(|| letter.raw.clone());
    let oninput = {
        let text = text.clone();
        Callback::from(move |event: InputEvent| {
            text.set(event.target_unchecked_into::<web_sys::HtmlTextAreaElement>().value());
        })
    };
    let problem = fault::problem(&text);
    let pair = (letter.id, (*text).clone());
    let onclick = props.on_mended.reform(move |_| pair.clone());
    let back = {
        let (text, raw) = (text.clone(), letter.raw.clone());
        Callback::from(move |_| text.set(raw.clone()))
    };
    let is_changed = *text != letter.raw;
    html! {
        <div class="mend-form">
            <p>{ letter.field.as_ref().map(|field| html! { <>{ "At fault: " }<code>{ field }</code>{ ". " }</> }) }{ &letter.reason }</p>
            if letter.raw_truncated {
                <p class="partial">{ "Only the beginning of this record was kept: write the rest before you send it." }</p>
            }
            { marked(letter) }
            if let Some(again) = &props.refused_again { <p class="field-problem" role="alert">{ "Refused again: " }{ again }</p> }
            <label>{ if props.can_replay { "Mend it here" } else { "The record as it came" } }
                <textarea value={(*text).clone()} {oninput} rows="8" spellcheck="false" readonly={!props.can_replay}
                    aria-invalid={(props.can_replay && problem.is_some()).to_string()} aria-describedby="mend-hint" />
            </label>
            <div class="actions">
                <span class="hint" id="mend-hint" role="status">{ match (&problem, props.can_replay) {
                    (_, false) => "Mending it and sending it needs an admin.".to_owned(),
                    (Some(problem), _) => problem.clone(),
                    (None, _) => "A valid JSON object.".to_owned(),
                } }</span>
                if props.can_replay {
                    if is_changed { <button type="button" onclick={back}>{ "As it came" }</button> }
                    <button type="button" class="primary" {onclick} disabled={problem.is_some() || props.is_sending}>{ "Send this again" }</button>
                }
            </div>
        </div>
    }
}

/// The record as it came, with the field at fault marked.
fn marked(letter: &DeadLetter) -> Html {
    let raw = letter.raw.as_str();
    let range = letter.field.as_deref().and_then(|field| fault::place(raw, field));
    let parts = range
        .and_then(|range| Some((raw.get(..range.start)?, raw.get(range.clone())?, raw.get(range.end..)?)));
    match parts {
        Some((before, at_fault, after)) => html! {
            <pre class="raw" tabindex="0" aria-label="The record as it came">{ before }<mark>{ at_fault }</mark>{ after }</pre>
        },
        None => Html::default(),
    }
}
