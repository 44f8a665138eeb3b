//! Why records were refused, by service; pressing one filters by it.

use yew::{Callback, Html, Properties, classes, component, html};

use crate::api::accounting::SummedReason;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::dead_letters::reasons::shared;
use crate::state::format;

/// More are left to the filters.
const SHOWN_MAX: usize = 12;

#[derive(PartialEq, Properties)]
pub struct ReasonsProps {
    /// Grows with each wish to look again.
    pub round: u32,
    /// Service and text that the list is filtered by.
    pub chosen: (String, String),
    pub on_choose: Callback<(String, String)>,
}

#[component]
pub fn Reasons(props: &ReasonsProps) -> Html {
    let asked = use_answer(props.round, None, |_| asking(requests::dead_letters::summary()));
    shown(&asked, skeleton_lines(3), |summary| {
        let most = summary.reasons.first().map_or(1, |reason| reason.count).max(1);
        let hidden = summary.reasons.len().saturating_sub(SHOWN_MAX);
        let inexact = (!summary.exact).then(|| format!("Not exact: {}.", summary.inexact_because.join("; ")));
        if summary.reasons.is_empty() {
            return Html::default();
        }
        html! {
            <section class="card" aria-labelledby="reasons-title">
                <div class="card-head"><h2 id="reasons-title">
                    { format!("Why, of {}", format::plural(summary.total, "record")) }</h2></div>
                { inexact.map(|inexact| html! { <p class="partial">{ inexact }</p> }) }
                <ul class="reasons">{ for summary.reasons.iter().take(SHOWN_MAX).map(|reason| one(props, reason, most)) }</ul>
                if hidden > 0 || summary.more {
                    <p class="hint">{ "Rarer reasons are left out here; the filters find them." }</p>
                }
            </section>
        }
    })
}

fn one(props: &ReasonsProps, reason: &SummedReason, most: u64) -> Html {
    let filter = (reason.service.clone().unwrap_or_default(), shared(&reason.reason).to_owned());
    let is_on = props.chosen == filter;
    let onclick = props.on_choose.reform(move |_| if is_on { Default::default() } else { filter.clone() });
    let width = format!("{:.1}%", reason.count as f64 / most as f64 * 100.0);
    html! {
        <li>
            <button type="button" class={classes!("reason-line", is_on.then_some("on"))} {onclick} aria-pressed={is_on.to_string()}>
                <b class="reason-count">{ format::count(reason.count) }</b>
                <span class="reason-service">{ reason.service.as_deref().unwrap_or("unknown service") }</span>
                <span class="reason-text">{ reason.field.as_ref().map(|field| html! { <code>{ field }</code> }) }{ &reason.reason }</span>
                <svg class="reason-bar" width="100%" height="3" aria-hidden="true"><rect {width} height="3" rx="1.5" /></svg>
            </button>
        </li>
    }
}
