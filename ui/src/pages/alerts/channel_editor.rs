//! A channel being written.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::editor::Editor;
use crate::api::alerts::ListedChannel;
use crate::components::alerts::channel_fields::ChannelFields;
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
    let is_new = Editor::is_new(&props.editing);
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
    let fields = (*form).clone().map(|form| html! { <ChannelFields {form} {on_change} {is_new} /> });
    let editor = Editor {
        kind: "channel",
        editing: &props.editing,
        labels: ("Make channel", "Save channel"),
        sending: &sending,
        on_submit,
        on_close: &props.on_close,
    };
    editor.draw(fields)
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
