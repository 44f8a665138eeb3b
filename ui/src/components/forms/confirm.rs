//! The question before something that cannot be undone.

use yew::{Callback, Children, Html, Properties, component, html};

use super::dialog::Modal;
use super::form::{Form, SubmitLine};
use crate::hooks::answer::Asking;
use crate::hooks::sending::use_sending;

#[derive(PartialEq, Properties)]
pub struct ConfirmProps {
    pub title: String,
    /// What will be done, as the button says it.
    pub action: String,
    /// Does it.
    pub ask: Callback<(), Asking<()>>,
    pub on_done: Callback<()>,
    pub on_close: Callback<()>,
    /// What will happen, in words.
    pub children: Children,
}

#[component]
pub fn Confirm(props: &ConfirmProps) -> Html {
    let sending = use_sending(props.on_done.clone());
    let on_submit = {
        let (sending, ask) = (sending.clone(), props.ask.clone());
        Callback::from(move |()| sending.send.emit(ask.emit(())))
    };
    html! {
        <Modal title={props.title.clone()} on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                { for props.children.iter() }
                <SubmitLine label={props.action.clone()} is_sending={sending.is_sending} is_danger={true}
                    on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}
