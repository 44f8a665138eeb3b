//! A silence being written.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::ListedSilence;
use crate::browser::clock;
use crate::components::alerts::silence_fields::SilenceFields;
use crate::components::forms::dialog::Modal;
use crate::components::forms::form::{Form, SubmitLine};
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
    let is_new = !matches!(props.editing, Editing::Old(_));
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
    let title = match &props.editing {
        Editing::Old(name) => format!("Silence {name}"),
        _ => "New silence".to_owned(),
    };
    html! {
        <Modal {title} on_close={props.on_close.clone()} is_wide=true>
            if let Some(form) = &*form {
                <Form fault={sending.fault.clone()} {on_submit}>
                    <SilenceFields form={form.clone()} {on_change} {is_new} {rules} {services} />
                    <SubmitLine label={if is_new { "Silence" } else { "Save silence" }} is_sending={sending.is_sending}
                        on_cancel={Some(props.on_close.clone())} />
                </Form>
            } else {
                <p>{ "There is no such silence. It may have been removed." }</p>
            }
        </Modal>
    }
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
