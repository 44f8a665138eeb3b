//! The list with its details: choosing a record, moving through the list, reading one record.

use std::rc::Rc;

use yew::{
    Callback, Html, Properties, UseStateHandle, classes, component, hook, html, use_callback,
    use_effect_with, use_state, use_state_eq,
};

use crate::api::record::Record;
use crate::browser::keyboard;
use crate::components::records::record_details::RecordDetails;
use crate::components::records::record_list::RecordList;
use crate::state::lines::Lines;

#[derive(PartialEq, Properties)]
pub(super) struct RecordBrowserProps {
    pub(super) lines: Lines,
    /// Below the last row.
    pub(super) end: Html,
    pub(super) on_require: Callback<(String, String)>,
    /// A record was chosen or the choice given up.
    #[prop_or_default]
    pub(super) on_reading: Callback<bool>,
    #[prop_or_default]
    pub(super) on_scrolled: Callback<bool>,
    #[prop_or_default]
    pub(super) on_near_end: Callback<()>,
    /// A change gives up the choice and goes back to the newest record.
    #[prop_or_default]
    pub(super) to_top: u32,
}

/// The chosen record. It stays readable when the list has long moved on.
#[derive(Clone)]
struct Choice {
    record: Rc<Record>,
    is_open: bool,
}

#[component]
pub(super) fn RecordBrowser(props: &RecordBrowserProps) -> Html {
    let choice = use_state(|| None::<Choice>);
    let tops = use_state_eq(|| 0_u32);
    let to_top = props.to_top.wrapping_add(*tops);
    let selected = choice.as_ref().and_then(|choice| props.lines.position(&choice.record.head.log_id));
    let choose = {
        let (choice, on_reading) = (choice.clone(), props.on_reading.clone());
        Callback::from(move |next: Option<Choice>| {
            on_reading.emit(next.is_some());
            choice.set(next);
        })
    };
    use_effect_with(props.to_top, {
        let choice = choice.clone();
        move |_| choice.set(None)
    });
    let on_pick = use_callback((props.lines.clone(), choose.clone()), |index: usize, (lines, choose)| {
        let record = lines.get(index).and_then(|line| line.record());
        choose.emit(record.map(|record| Choice { record: Rc::clone(record), is_open: true }));
    });
    use_keys(props.lines.clone(), (*choice).clone(), selected, choose.clone());
    use_top_key(tops, choose.clone());
    let opened = choice.as_ref().filter(|choice| choice.is_open);
    let details = opened.map(|choice| {
        let (record, on_close) = (Rc::clone(&choice.record), choose.reform(|()| None));
        html! { <RecordDetails {record} {on_close} on_require={props.on_require.clone()} /> }
    });
    html! {
        <div class={classes!("browser", details.is_some().then_some("with-details"))}>
            <div class="list-frame">
                <div class="list-head" aria-hidden="true">
                    <span>{ "Time" }</span><span>{ "Level" }</span><span>{ "Service" }</span>
                    <span>{ "Message" }</span><span class="latency">{ "Latency" }</span>
                </div>
                <RecordList lines={props.lines.clone()} {selected} {on_pick} on_scrolled={props.on_scrolled.clone()}
                    on_near_end={props.on_near_end.clone()} {to_top} end={props.end.clone()} />
            </div>
            { details.unwrap_or_default() }
        </div>
    }
}

#[hook]
fn use_keys(lines: Lines, choice: Option<Choice>, selected: Option<usize>, choose: Callback<Option<Choice>>) {
    // Bound anew at every drawing: what a key does depends on the list as it is now.
    yew::use_effect(move || {
        let listener = keyboard::on_key(move |event| {
            if keyboard::is_typing(event) {
                return;
            }
            let key = event.key();
            if key == "Enter" && keyboard::is_on_control(event) {
                return;
            }
            if let Some(next) = pressed(&key, &lines, choice.as_ref(), selected) {
                event.prevent_default();
                choose.emit(next);
            }
        });
        move || drop(listener)
    });
}

/// Home gives up the choice and goes back to the newest record.
#[hook]
fn use_top_key(tops: UseStateHandle<u32>, choose: Callback<Option<Choice>>) {
    use_effect_with((*tops, choose), move |(_, choose)| {
        let choose = choose.clone();
        let listener = keyboard::on_key(move |event| {
            if event.key() == "Home" && !keyboard::is_typing(event) {
                choose.emit(None);
                tops.set(tops.wrapping_add(1));
            }
        });
        move || drop(listener)
    });
}

/// What the key makes of the choice; `None` if it is no key of ours.
fn pressed(
    key: &str,
    lines: &Lines,
    choice: Option<&Choice>,
    selected: Option<usize>,
) -> Option<Option<Choice>> {
    let is_open = choice.is_some_and(|choice| choice.is_open);
    let at = |index: Option<usize>| {
        let record = lines.get(index?)?.record()?;
        Some(Choice { record: Rc::clone(record), is_open })
    };
    match (key, choice) {
        ("j" | "ArrowDown", _) => at(lines.neighbour(selected, true)).map(Some),
        ("k" | "ArrowUp", _) => at(lines.neighbour(selected, false)).map(Some),
        ("Enter", Some(choice)) => Some(Some(Choice { is_open: !is_open, ..choice.clone() })),
        ("Escape", Some(choice)) if is_open => Some(Some(Choice { is_open: false, ..choice.clone() })),
        ("Escape", Some(_)) => Some(None),
        _ => None,
    }
}
