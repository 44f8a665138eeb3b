//! The list with its details: choosing a record, moving through the list, reading one record.

use std::rc::Rc;

use yew::{
    Callback, Html, NodeRef, Properties, UseStateHandle, classes, component, hook, html, use_node_ref,
    use_state,
};

use crate::api::record::Record;
use crate::browser::{dom, keyboard};
use crate::components::records::column_heads::ColumnHeads;
use crate::components::records::record_actions::RecordActions;
use crate::components::records::record_details::RecordDetails;
use crate::components::records::record_list::RecordList;
use crate::hooks::effect::{use_effect, use_effect_with};
use crate::hooks::memo::use_callback;
use crate::hooks::state::{State, use_state_eq};
use crate::state::columns::Columns;
use crate::state::lines::Lines;

#[derive(PartialEq, Properties)]
pub(super) struct RecordBrowserProps {
    pub(super) lines: Lines,
    /// Below the last row.
    pub(super) end: Html,
    pub(super) actions: RecordActions,
    /// `None`: the usual ones, which stay as they are.
    #[prop_or_default]
    pub(super) columns: Option<Rc<Columns>>,
    #[prop_or_default]
    pub(super) on_columns: Callback<Columns>,
    /// The record that the address names.
    #[prop_or_default]
    pub(super) named: Option<Named>,
    /// A record was opened, or shut.
    #[prop_or_default]
    pub(super) on_open: Callback<Option<String>>,
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

/// A record that is to be open; the same one again is nothing new.
#[derive(Clone)]
pub(super) struct Named(pub(super) Rc<Record>);

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.head.log_id == other.0.head.log_id
    }
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
    let selected = selected(&props.lines, choice.as_ref());
    let choose = {
        let (choice, on_reading, on_open) = (choice.clone(), props.on_reading.clone(), props.on_open.clone());
        Callback::from(move |next: Option<Choice>| {
            on_reading.emit(next.is_some());
            on_open
                .emit(next.as_ref().filter(|next| next.is_open).map(|next| next.record.head.log_id.clone()));
            choice.set(next);
        })
    };
    use_effect_with(props.to_top, {
        let choice = choice.clone();
        move |_| choice.set(None)
    });
    use_effect_with(props.named.clone(), {
        let choice = choice.clone();
        move |named| {
            if let Some(Named(record)) = named {
                choice.set(Some(Choice { record: Rc::clone(record), is_open: true }));
            }
        }
    });
    let on_pick = use_callback((props.lines.clone(), choose.clone()), |index: usize, (lines, choose)| {
        let record = lines.get(index).and_then(|line| line.record());
        choose.emit(record.map(|record| Choice { record: Rc::clone(record), is_open: true }));
    });
    use_keys(props.lines.clone(), choice.clone(), choose.clone());
    use_top_key(tops, choose.clone());
    let opened = choice.as_ref().filter(|choice| choice.is_open);
    let details = opened.map(|choice| {
        let (record, on_close) = (Rc::clone(&choice.record), choose.reform(|()| None));
        html! { <RecordDetails {record} {on_close} actions={props.actions.clone()} /> }
    });
    let (frame, preview) = (use_node_ref(), use_state_eq(|| None::<Rc<Columns>>));
    // A narrow screen has no room for the usual columns side by side: the stylesheet chooses among them.
    let columns =
        props.columns.clone().filter(|columns| !dom::is_narrow() || **columns != Columns::default());
    let shown = (*preview).clone().or(columns);
    use_tracks(&frame, shown.clone());
    html! {
        <div class={classes!("browser", details.is_some().then_some("with-details"))}>
            <div class={classes!("list-frame", shown.is_some().then_some("chosen-columns"))} ref={frame}>
                { heads(props, shown.as_ref(), &preview) }
                <RecordList lines={props.lines.clone()} {selected} columns={shown.clone()} {on_pick}
                    on_scrolled={props.on_scrolled.clone()} on_near_end={props.on_near_end.clone()} {to_top} end={props.end.clone()} />
            </div>
            { details.unwrap_or_default() }
        </div>
    }
}

fn heads(
    props: &RecordBrowserProps,
    shown: Option<&Rc<Columns>>,
    preview: &State<Option<Rc<Columns>>>,
) -> Html {
    let Some(columns) = shown else {
        return html! {
            <div class="list-head" aria-hidden="true">
                <span>{ "Time" }</span><span>{ "Level" }</span><span class="service">{ "Service" }</span>
                <span>{ "Message" }</span><span class="latency">{ "Latency" }</span>
            </div>
        };
    };
    let on_preview = {
        let preview = preview.clone();
        move |columns: Columns| preview.set(Some(Rc::new(columns)))
    };
    let on_change = {
        let (preview, on_columns) = (preview.clone(), props.on_columns.clone());
        move |columns: Columns| {
            preview.set(None);
            on_columns.emit(columns);
        }
    };
    html! { <ColumnHeads columns={Rc::clone(columns)} {on_change} {on_preview} /> }
}

/// Widths are set on the frame: head and rows take them from there.
#[hook]
fn use_tracks(frame: &NodeRef, columns: Option<Rc<Columns>>) {
    let frame = frame.clone();
    use_effect_with(columns, move |columns| {
        if let Some(columns) = columns {
            dom::set_style(&frame, "--tracks", &columns.tracks());
            dom::set_style(&frame, "--tracks-least", &format!("{}px", columns.least_px()));
        }
    });
}

fn selected(lines: &Lines, choice: Option<&Choice>) -> Option<usize> {
    lines.position(&choice?.record.head.log_id)
}

#[hook]
fn use_keys(lines: Lines, choice: UseStateHandle<Option<Choice>>, choose: Callback<Option<Choice>>) {
    // Bound anew at every drawing: what a key does depends on the list as it is now.
    use_effect(move || {
        let listener = keyboard::on_key(move |event| {
            if keyboard::is_typing(event) {
                return;
            }
            let key = event.key();
            if key == "Enter" && keyboard::is_on_control(event) {
                return;
            }
            // As the key before has left it: keys may come faster than a slow machine draws.
            if let Some(next) = pressed(&key, &lines, choice.as_ref()) {
                event.prevent_default();
                choose.emit(next);
            }
        });
        move || drop(listener)
    });
}

/// Home gives up the choice and goes back to the newest record.
#[hook]
fn use_top_key(tops: State<u32>, choose: Callback<Option<Choice>>) {
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
fn pressed(key: &str, lines: &Lines, choice: Option<&Choice>) -> Option<Option<Choice>> {
    let is_open = choice.is_some_and(|choice| choice.is_open);
    let neighbour = |forward: bool| {
        let index = lines.neighbour(selected(lines, choice), forward)?;
        let record = lines.get(index)?.record()?;
        Some(Choice { record: Rc::clone(record), is_open })
    };
    match (key, choice) {
        ("j" | "ArrowDown", _) => neighbour(true).map(Some),
        ("k" | "ArrowUp", _) => neighbour(false).map(Some),
        ("Enter", Some(choice)) => Some(Some(Choice { is_open: !is_open, ..choice.clone() })),
        ("Escape", Some(choice)) if is_open => Some(Some(Choice { is_open: false, ..choice.clone() })),
        ("Escape", Some(_)) => Some(None),
        _ => None,
    }
}
