//! What the records of a selection have in common that the others do not.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::desk::Desk;
use crate::api::explore::{Different, Finding, What};
use crate::browser::clock;
use crate::components::explore::paired_bars::paired_bars;
use crate::components::explore::pattern_text::{pattern_actions, pattern_text};
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::explore::question::Question;
use crate::state::explore::series::text;
use crate::state::explore::{Selection, Tab};
use crate::state::format;
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub(super) struct DifferentTabProps {
    pub(super) desk: Desk,
}

#[component]
pub(super) fn DifferentTab(props: &DifferentTabProps) -> Html {
    let desk = &props.desk;
    let selection = desk.view.selection;
    let key = (Rc::clone(&desk.question), selection);
    let asked = use_answer(key, None, |(question, selection): &(Rc<Question>, Selection)| {
        if selection.is_empty() {
            return None;
        }
        let (question, selection) = (Rc::clone(question), *selection);
        asking(async move { requests::explore::different(&question, &selection).await })
    });
    let body = if selection.is_empty() {
        html! {
            <Empty title="Nothing is marked">
                <p>{ "Drag over bars of the chart above and choose “What is different here”. By keys: focus the chart, move with the arrows, mark with Shift, press d." }</p>
            </Empty>
        }
    } else {
        shown(&asked, skeleton_lines(10), |different| findings(desk, different))
    };
    html! {
        <section class="tab-page" aria-label="What is different">
            if !selection.is_empty() { { head(desk, selection) } }
            { body }
        </section>
    }
}

fn head(desk: &Desk, selection: Selection) -> Html {
    let local = |at_ms| format::moment(at_ms, clock::offset_ms(at_ms));
    let zoom = selection.time_ms.map(|(from_ms, to_ms)| {
        let onclick = desk.step(move |view, _| *view = view.zoomed(Range::between(from_ms, to_ms)));
        html! { <button type="button" {onclick}>{ "Zoom to it" }</button> }
    });
    let latency = selection.latency_ms.map(|(from, to)| match to {
        Some(to) => format!("{} to {}", format::duration_ms(from), format::duration_ms(to)),
        None => format!("{} or more", format::duration_ms(from)),
    });
    html! {
        <div class="selection-head">
            <p>{ "Marked: " }
                if let Some((from, to)) = selection.time_ms { <b>{ format!("{} to {} ", local(from), local(to)) }</b> }
                if let Some(latency) = latency { <b>{ format!("latency {latency}") }</b> }
                <span class="hint">{ ", held against all other records of the search" }</span></p>
            { zoom.unwrap_or_default() }
            <button type="button" onclick={desk.to(|view, _| { view.selection = Selection::default(); view.tab = Tab::Records; })}>{ "Drop" }</button>
        </div>
    }
}

fn findings(desk: &Desk, different: &Rc<Different>) -> Html {
    let (selection, rest) = (different.selection, different.rest);
    let side = |records: u64, one_in: u32| {
        let sampled = if one_in > 1 { format!(" (one in {one_in} was looked at)") } else { String::new() };
        format!("{}{sampled}", format::plural(records, "record"))
    };
    html! {
        <>
            <p class="sides">
                <span><span class="swatch-box selection" aria-hidden="true"></span>{ "Marked: " }{ side(selection.records, selection.one_in) }</span>
                <span><span class="swatch-box rest" aria-hidden="true"></span>{ "All others: " }{ side(rest.records, rest.one_in) }</span>
            </p>
            if different.findings.is_empty() {
                { nothing(selection.records, rest.records) }
            } else {
                <ol class="findings">{ for different.findings.iter().map(|finding| row(desk, finding)) }</ol>
            }
            if !different.left_out.is_empty() {
                <details class="left-out"><summary>{ format!("{} left out", format::plural(different.left_out.len() as u64, "field")) }</summary>
                    <ul>{ for different.left_out.iter().map(|left| html! { <li><code>{ &left.field }</code>{ ": " }{ &left.reason }</li> }) }</ul>
                </details>
            }
        </>
    }
}

fn nothing(selection: u64, rest: u64) -> Html {
    let text = if selection == 0 {
        "No record of the search lies in what is marked: mark other bars, or take away a condition."
    } else if rest == 0 {
        "All records of the search are marked, so there is nothing to hold them against: choose a longer time."
    } else {
        "No value and no pattern is more frequent in what is marked than chance would have it."
    };
    html! { <Empty title="Nothing stands out"><p>{ text }</p></Empty> }
}

fn row(desk: &Desk, finding: &Finding) -> Html {
    let (what, actions) = match &finding.what {
        What::Field { field, value } => {
            let (field, value) = (field.clone(), text(value));
            let act = |sign: &'static str, title: String, callback: &yew::Callback<(String, String)>| {
                let pair = (field.clone(), value.clone());
                html! {
                    <button type="button" class="quiet sign" onclick={callback.reform(move |_| pair.clone())} title={title.clone()}
                        aria-label={title}>{ sign }</button>
                }
            };
            let actions = html! {
                <>
                    { act("+", format!("Only {field}:{value}"), &desk.on_include()) }
                    { act("−", format!("Without {field}:{value}"), &desk.on_exclude()) }
                </>
            };
            (
                html! { <code><span class="hint">{ format!("{field}: ") }</span>{ value.clone() }</code> },
                actions,
            )
        }
        What::Pattern { pattern } => (
            html! { <><span class="hint">{ "message " }</span>{ pattern_text(pattern) }</> },
            pattern_actions(pattern, &desk.on_condition()),
        ),
    };
    let times = match finding.times {
        Some(times) => format!("{times:.1} times as frequent"),
        None => "only here".to_owned(),
    };
    html! {
        <li class="finding">
            <div class="finding-what">{ what }</div>
            { paired_bars(finding.selection.share, finding.rest.share) }
            <div class="finding-times"><b>{ times }</b><span class="hint" title="15.1 is met once in ten thousand by chance">{ format!("surprise {:.0}", finding.surprise) }</span></div>
            <div class="row-actions">{ actions }</div>
        </li>
    }
}
