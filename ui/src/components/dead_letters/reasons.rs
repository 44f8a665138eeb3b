//! Why records were refused, by service; pressing one filters by it.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use crate::state::dead_letters::reasons::Reason;
use crate::state::format;

/// More are left to the filters.
const SHOWN_MAX: usize = 12;

#[derive(PartialEq, Properties)]
pub struct ReasonsProps {
    pub reasons: Rc<Vec<Reason>>,
    /// There are more letters than these were counted from.
    pub is_partial: bool,
    /// Service and text that the list is filtered by.
    pub chosen: (String, String),
    pub on_choose: Callback<(String, String)>,
}

#[component]
pub fn Reasons(props: &ReasonsProps) -> Html {
    let total: usize = props.reasons.iter().map(|reason| reason.count).sum();
    let most = props.reasons.first().map_or(1, |reason| reason.count).max(1);
    let title = if props.is_partial {
        format!("Why, of the newest {}", format::plural(total as u64, "record"))
    } else {
        format!("Why, of {}", format::plural(total as u64, "record"))
    };
    html! {
        <section class="card" aria-labelledby="reasons-title">
            <div class="card-head"><h2 id="reasons-title">{ title }</h2></div>
            <ul class="reasons">{ for props.reasons.iter().take(SHOWN_MAX).map(|reason| one(props, reason, most)) }</ul>
            if props.reasons.len() > SHOWN_MAX {
                <p class="hint">{ format!("{} rarer reasons are left out here.", props.reasons.len() - SHOWN_MAX) }</p>
            }
        </section>
    }
}

fn one(props: &ReasonsProps, reason: &Reason, most: usize) -> Html {
    let filter = (reason.service.clone().unwrap_or_default(), reason.text.clone());
    let is_on = props.chosen == filter;
    let onclick = props.on_choose.reform(move |_| if is_on { Default::default() } else { filter.clone() });
    let width = format!("{:.1}%", reason.count as f64 / most as f64 * 100.0);
    html! {
        <li>
            <button type="button" class={classes!("reason-line", is_on.then_some("on"))} {onclick} aria-pressed={is_on.to_string()}>
                <b class="reason-count">{ format::count(reason.count as u64) }</b>
                <span class="reason-service">{ reason.service.as_deref().unwrap_or("unknown service") }</span>
                <span class="reason-text">{ reason.field.as_ref().map(|field| html! { <code>{ field }</code> }) }{ &reason.text }</span>
                <svg class="reason-bar" width="100%" height="3" aria-hidden="true"><rect {width} height="3" rx="1.5" /></svg>
            </button>
        </li>
    }
}
