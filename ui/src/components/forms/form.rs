//! A form, and the line that sends it.

use std::rc::Rc;

use yew::{
    Callback, Children, ContextProvider, Html, Properties, SubmitEvent, component, hook, html, use_context,
};

use crate::browser::dom;
use crate::components::notice::reason;
use crate::hooks::app::use_app;
use crate::hooks::effect::use_effect_with;
use crate::state::forms::Fault;

/// What every field of a form may know.
#[derive(Clone, Debug, Default, PartialEq)]
struct FormContext {
    fault: Option<Rc<Fault>>,
}

#[derive(PartialEq, Properties)]
pub struct FormProps {
    /// Why it was not taken; the field at fault gets the keyboard.
    pub fault: Option<Rc<Fault>>,
    pub on_submit: Callback<()>,
    pub children: Children,
}

#[component]
pub fn Form(props: &FormProps) -> Html {
    use_effect_with(props.fault.clone(), |fault| {
        if let Some(field) = fault.as_ref().and_then(|fault| fault.field.as_deref()) {
            dom::focus_by_id(&field_id(field));
        }
    });
    let onsubmit = props.on_submit.reform(|event: SubmitEvent| event.prevent_default());
    html! {
        <ContextProvider<FormContext> context={FormContext { fault: props.fault.clone() }}>
            <form class="form" novalidate=true {onsubmit}>{ for props.children.iter() }</form>
        </ContextProvider<FormContext>>
    }
}

/// The id of a field's control.
pub(super) fn field_id(name: &str) -> String {
    format!("field-{name}")
}

/// What is wrong with the field of this name.
#[hook]
pub(super) fn use_fault_of(name: &str) -> Option<String> {
    let context = use_context::<FormContext>().unwrap_or_default();
    context.fault.as_ref().and_then(|fault| fault.of_field(name)).map(str::to_owned)
}

#[derive(PartialEq, Properties)]
pub struct SubmitLineProps {
    /// What pressing it does: `Save`, `Delete rule`.
    pub label: String,
    pub is_sending: bool,
    #[prop_or_default]
    pub is_disabled: bool,
    /// It cannot be undone.
    #[prop_or_default]
    pub is_danger: bool,
    #[prop_or_default]
    pub on_cancel: Option<Callback<()>>,
}

/// What was wrong as a whole, and the buttons.
#[component]
pub fn SubmitLine(props: &SubmitLineProps) -> Html {
    let fault = use_context::<FormContext>().unwrap_or_default().fault;
    let app = use_app();
    html! {
        <div class="submit-line">
            <div class="submit-fault" role="alert">
                if let Some(fault) = fault {
                    { reason(&fault.message) }
                    if fault.needs_login {
                        <button type="button" onclick={app.sign_in.reform(|_| ())}>{ "Sign in" }</button>
                    }
                }
            </div>
            <div class="actions">
                if let Some(cancel) = &props.on_cancel {
                    <button type="button" onclick={cancel.reform(|_| ())}>{ "Cancel" }</button>
                }
                <button type="submit" class={if props.is_danger { "danger" } else { "primary" }}
                    disabled={props.is_sending || props.is_disabled} aria-busy={props.is_sending.to_string()}>
                    { if props.is_sending { "One moment".to_owned() } else { props.label.clone() } }
                </button>
            </div>
        </div>
    }
}
