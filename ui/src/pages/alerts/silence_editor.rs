//! A silence being written.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::editor::Editor;
use crate::api::alerts::ListedSilence;
use crate::browser::clock;
use crate::components::alerts::silence_fields::SilenceFields;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::sending::use_sending;
use crate::hooks::services::use_services;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::silence_form::SilenceForm;
use crate::state::alerts::view::Editing;

#[derive(PartialEq, Properties)]
pub(super) struct SilenceEditorProps {
    pub(super) editing: Editing,
    /// What a new one is about.
    pub(super) rule: String,
    pub(super) service: String,
    pub(super) silences: Rc<Vec<ListedSilence>>,
    pub(super) on_close: Callback<()>,
}

#[component]
pub(super) fn SilenceEditor(props: &SilenceEditorProps) -> Html {
    let form = use_state_eq(|| start(props));
    let is_new = Editor::is_new(&props.editing);
    let services = use_services();
    let rules = use_answer((), None, |()| asking(requests::alerts::rules()));
    let rules: Vec<String> =
        rules.value().map(|all| all.iter().map(|one| one.name.clone()).collect()).unwrap_or_default();
    let sending = use_sending(props.on_close.clone());
    let on_change = {
        let (form, refuse) = (form.clone(), sending.refuse.clone());
        Callback::from(move |next: SilenceForm| {
            refuse.emit(None);
            form.set(Some(next));
        })
    };
    let on_submit = {
        let (form, sending) = (form.clone(), sending.clone());
        Callback::from(move |()| {
            let Some(form) = &*form else { return };
            sending.send_or_refuse(form.named(clock::offset_ms).map(|(name, silence)| -> Asking<()> {
                Box::pin(requests::alerts::set_silence(name, silence))
            }));
        })
    };
    let fields = (*form)
        .clone()
        .map(|form| html! { <SilenceFields {form} {on_change} {is_new} {rules} {services} /> });
    let editor = Editor {
        kind: "silence",
        editing: &props.editing,
        labels: ("Silence", "Save silence"),
        sending: &sending,
        on_submit,
        on_close: &props.on_close,
    };
    editor.draw(fields)
}

fn start(props: &SilenceEditorProps) -> Option<SilenceForm> {
    match &props.editing {
        Editing::Old(name) | Editing::CopyOf(name) => {
            let listed = props.silences.iter().find(|listed| listed.name == *name)?;
            Some(SilenceForm::of(&listed.name, &listed.silence, clock::offset_ms))
        }
        Editing::New => {
            let form = SilenceForm::new(clock::now_ms() as i64, clock::offset_ms);
            Some(form.about(&props.rule, &props.service))
        }
    }
}
