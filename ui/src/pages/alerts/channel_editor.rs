//! A channel being written.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::ListedChannel;
use crate::components::alerts::channel_fields::ChannelFields;
use crate::components::forms::dialog::Modal;
use crate::components::forms::form::{Form, SubmitLine};
use crate::hooks::answer::Asking;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::channel_form::ChannelForm;
use crate::state::alerts::view::Editing;

#[derive(PartialEq, Properties)]
pub(super) struct ChannelEditorProps {
    pub(super) editing: Editing,
    pub(super) channels: Rc<Vec<ListedChannel>>,
    pub(super) on_close: Callback<()>,
}

#[component]
pub(super) fn ChannelEditor(props: &ChannelEditorProps) -> Html {
    let form = use_state_eq(|| start(props));
    let is_new = !matches!(props.editing, Editing::Old(_));
    let sending = use_sending(props.on_close.clone());
    let on_change = {
        let (form, refuse) = (form.clone(), sending.refuse.clone());
        Callback::from(move |next: ChannelForm| {
            refuse.emit(None);
            form.set(Some(next));
        })
    };
    let on_submit = {
        let (form, sending) = (form.clone(), sending.clone());
        Callback::from(move |()| {
            let Some(form) = &*form else { return };
            sending.send_or_refuse(form.named().map(|(name, channel)| -> Asking<()> {
                Box::pin(requests::alerts::set_channel(name, channel))
            }));
        })
    };
    let title = match &props.editing {
        Editing::Old(name) => format!("Channel {name}"),
        _ => "New channel".to_owned(),
    };
    html! {
        <Modal {title} on_close={props.on_close.clone()} is_wide=true>
            if let Some(form) = &*form {
                <Form fault={sending.fault.clone()} {on_submit}>
                    <ChannelFields form={form.clone()} {on_change} {is_new} />
                    <SubmitLine label={if is_new { "Make channel" } else { "Save channel" }} is_sending={sending.is_sending}
                        on_cancel={Some(props.on_close.clone())} />
                </Form>
            } else {
                <p>{ "There is no such channel. It may have been removed." }</p>
            }
        </Modal>
    }
}

fn start(props: &ChannelEditorProps) -> Option<ChannelForm> {
    match &props.editing {
        Editing::Old(name) | Editing::CopyOf(name) => {
            let listed = props.channels.iter().find(|listed| listed.name == *name)?;
            Some(ChannelForm::of(&listed.name, &listed.channel))
        }
        Editing::New => Some(ChannelForm::default()),
    }
}
