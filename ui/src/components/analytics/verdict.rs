//! What people say of an incident.

use yew::{Callback, Html, Properties, component, html};

use crate::api::anomalies::{EpisodeId, SaidVerdict, Verdict};
use crate::components::moment::moment;
use crate::state::format::Precision;

#[derive(PartialEq, Properties)]
pub struct VerdictLineProps {
    pub id: EpisodeId,
    pub said: Option<SaidVerdict>,
    /// `None`: who reads may not say anything.
    pub on_verdict: Option<Callback<(EpisodeId, Verdict)>>,
    pub is_sending: bool,
}

#[component]
pub fn VerdictLine(props: &VerdictLineProps) -> Html {
    let said = props.said.as_ref();
    let button = |callback: &Callback<(EpisodeId, Verdict)>, verdict: Verdict, name: &'static str| {
        let id = props.id.clone();
        let is_said = said.is_some_and(|said| said.verdict == verdict);
        html! {
            <button type="button" disabled={props.is_sending} aria-pressed={is_said.to_string()}
                class={yew::classes!(is_said.then_some("primary"))}
                onclick={callback.reform(move |_| (id.clone(), verdict))}>{ name }</button>
        }
    };
    let words = match said {
        Some(said) => {
            html! { <>{ format!("{} said by {}, ", name(said.verdict), said.user) }{ moment(said.said_at.millis(), Precision::Minute) }</> }
        }
        None if props.on_verdict.is_some() => html! { "Was it real? Verdicts rank later incidents." },
        None => html! { "Nobody has said yet whether it was real." },
    };
    html! {
        <div class="verdict" aria-busy={props.is_sending.to_string()}>
            if let Some(callback) = &props.on_verdict {
                { button(callback, Verdict::Real, "Real") }{ button(callback, Verdict::FalseAlarm, "False alarm") }
            }
            <span class="hint" role="status">{ words }</span>
        </div>
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Real => "Real,",
        Verdict::FalseAlarm => "False alarm,",
    }
}
