//! The stretch of time a page looks at: a button that says it, and below it the ways to choose another.

use insighthub_model::Timestamp;
use yew::{
    Callback, Event, Html, KeyboardEvent, NodeRef, Properties, SubmitEvent, TargetCast, classes, component,
    hook, html, use_node_ref,
};

use crate::browser::{clock, dom};
use crate::hooks::effect::use_effect_with;
use crate::hooks::keys::use_keys;
use crate::hooks::state::{State, use_state_eq};
use crate::state::format;
use crate::state::range::{self, OFFERED_SECS, Range};

#[derive(PartialEq, Properties)]
pub struct TimePickerProps {
    pub range: Range,
    pub on_change: Callback<Range>,
    #[prop_or("Time range")]
    pub label: &'static str,
    /// The key that opens it: that of one of them at most.
    #[prop_or(Some("t"))]
    pub opened_by: Option<&'static str>,
}

#[component]
pub fn TimePicker(props: &TimePickerProps) -> Html {
    let is_open = use_state_eq(|| false);
    let (frame, button, typed) = (use_node_ref(), use_node_ref(), use_node_ref());
    let set_open = {
        let (is_open, button) = (is_open.clone(), button.clone());
        Callback::from(move |open: bool| {
            if !open {
                dom::focus(&button);
            }
            is_open.set(open);
        })
    };
    use_opening_key(props.opened_by, set_open.clone());
    use_effect_with(*is_open, {
        let typed = typed.clone();
        move |is_open| {
            if *is_open {
                dom::focus(&typed);
            }
        }
    });
    let choose = {
        let (set_open, on_change) = (set_open.clone(), props.on_change.clone());
        Callback::from(move |range: Range| {
            set_open.emit(false);
            on_change.emit(range);
        })
    };
    let onkeydown = {
        let set_open = set_open.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.stop_propagation();
                set_open.emit(false);
            }
        })
    };
    // Whoever leaves it shuts it.
    let onfocusout = {
        let (frame, is_open) = (frame.clone(), is_open.clone());
        Callback::from(move |event: yew::FocusEvent| {
            if !dom::holds(&frame, event.related_target()) {
                is_open.set(false);
            }
        })
    };
    let toggle = {
        let (set_open, open) = (set_open, *is_open);
        move |_| set_open.emit(!open)
    };
    html! {
        <div class="time-picker" ref={frame} {onkeydown} {onfocusout}>
            <button type="button" ref={button} onclick={toggle} aria-expanded={is_open.to_string()} aria-haspopup="dialog"
                title={props.opened_by.map_or_else(|| props.label.to_owned(), |key| format!("{} ({key})", props.label))}>
                <span class="time-picker-icon" aria-hidden="true"></span>{ said(props.range) }
            </button>
            if *is_open {
                <div class="popover" role="dialog" aria-label={props.label}>{ offered(props.range, &choose) }{ typed_form(&typed, &choose) }
                    <AbsoluteForm range={props.range} on_choose={choose} /></div>
            }
        </div>
    }
}

/// The range in words, in local time.
pub fn said(range: Range) -> String {
    match range {
        Range::Last(secs) => range::label(secs),
        Range::Between { from_ms, to_ms } => {
            let (from, to) = (
                format::moment(from_ms, clock::offset_ms(from_ms)),
                format::moment(to_ms, clock::offset_ms(to_ms)),
            );
            // Of the same day the second needs no date.
            let end = if from.get(..10) == to.get(..10) { to.get(11..).unwrap_or_default() } else { &to };
            format!("{from} to {end}")
        }
    }
}

fn offered(current: Range, choose: &Callback<Range>) -> Html {
    let option = |secs: u64| {
        let range = Range::Last(secs);
        let is_on = range == current;
        html! {
            <button type="button" class={classes!("quiet", is_on.then_some("on"))} aria-pressed={is_on.to_string()}
                onclick={choose.reform(move |_| range)}>{ range::label(secs) }</button>
        }
    };
    html! { <div class="offered">{ for OFFERED_SECS.map(option) }</div> }
}

fn typed_form(node: &NodeRef, choose: &Callback<Range>) -> Html {
    let (input, choose) = (node.clone(), choose.clone());
    let onsubmit = move |event: SubmitEvent| {
        event.prevent_default();
        match Range::from_typed(&dom::value(&input)) {
            Some(range) => choose.emit(range),
            None => dom::set_validity(&input, "A length such as 90s, 45m, 36h or 2d"),
        }
    };
    let input = node.clone();
    let oninput = move |_| dom::set_validity(&input, "");
    html! {
        <form {onsubmit}>
            <label>{ "Before now" }<input ref={node} type="text" placeholder="45m, 36h, 2d" {oninput} autocomplete="off" /></label>
            <button type="submit">{ "Use" }</button>
        </form>
    }
}

#[derive(PartialEq, Properties)]
struct AbsoluteFormProps {
    range: Range,
    on_choose: Callback<Range>,
}

/// From one moment to another, in local time.
#[component]
fn AbsoluteForm(props: &AbsoluteFormProps) -> Html {
    let span = props.range.at(clock::now_ms());
    let (from, to) = (use_state_eq(|| local_input(span.from_ms)), use_state_eq(|| local_input(span.to_ms)));
    let chosen = match (read_local(&from), read_local(&to)) {
        (Some(from_ms), Some(to_ms)) if from_ms < to_ms => Some(Range::Between { from_ms, to_ms }),
        _ => None,
    };
    let set = |state: &State<String>| {
        let state = state.clone();
        move |event: Event| state.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let on_choose = props.on_choose.clone();
    let onsubmit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(range) = chosen {
            on_choose.emit(range);
        }
    };
    html! {
        <form class="absolute" {onsubmit}>
            <label>{ "From" }<input type="datetime-local" step="1" value={(*from).clone()} onchange={set(&from)} /></label>
            <label>{ "To" }<input type="datetime-local" step="1" value={(*to).clone()} onchange={set(&to)} /></label>
            <button type="submit" disabled={chosen.is_none()}>{ "Use" }</button>
            if chosen.is_none() { <p class="form-error" role="status">{ "The end must lie after the start." }</p> }
        </form>
    }
}

/// As the browser's input wants it: `2025-12-02T10:10:02`.
fn local_input(ms: i64) -> String {
    format::moment(ms, clock::offset_ms(ms)).replace(' ', "T")
}

fn read_local(text: &str) -> Option<i64> {
    // Browsers leave out seconds that are zero.
    let seconds = if text.len() == 16 { ":00" } else { "" };
    let as_utc = Timestamp::parse(&format!("{text}{seconds}Z")).ok()?.millis();
    let near = as_utc - clock::offset_ms(as_utc);
    Some(as_utc - clock::offset_ms(near))
}

#[hook]
fn use_opening_key(opened_by: Option<&'static str>, set_open: Callback<bool>) {
    use_keys(Callback::from(move |key: String| {
        let is_ours = Some(key.as_str()) == opened_by;
        if is_ours {
            set_open.emit(true);
        }
        is_ours
    }));
}
