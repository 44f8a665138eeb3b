//! Somebody looks after an incident, and may say how.

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::Incident;
use crate::components::forms::dialog::Modal;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::words;

#[derive(PartialEq, Properties)]
pub(super) struct AcknowledgeProps {
    pub(super) incident: Incident,
    pub(super) on_close: Callback<()>,
    pub(super) on_done: Callback<()>,
}

#[component]
pub(super) fn Acknowledge(props: &AcknowledgeProps) -> Html {
    let note = use_state_eq(String::new);
    let sending = use_sending(props.on_done.clone());
    let on_submit = {
        let (sending, note, id) = (sending.clone(), note.clone(), props.incident.id);
        Callback::from(move |()| {
            sending.send.emit(Box::pin(requests::alerts::acknowledge(id, (*note).clone())))
        })
    };
    let incident = &props.incident;
    html! {
        <Modal title={format!("Acknowledge {}: {}", incident.title, words::group(&incident.group))} on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <p class="hint">{ "You say that you look after it. It goes on firing, and is not told again while it does." }</p>
                <TextField name="note" label="Note" value={(*note).clone()} on_change={Callback::from(move |text| note.set(text))}
                    hint="Others read it here: what you found, or what you are about to do." is_wide=true />
                <SubmitLine label="Acknowledge" is_sending={sending.is_sending} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}
