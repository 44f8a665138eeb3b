//! What the editors of channels and of silences have in common: the dialog around their fields.

use yew::{Callback, Html, html};

use crate::components::forms::dialog::Modal;
use crate::components::forms::form::{Form, SubmitLine};
use crate::hooks::sending::Sending;
use crate::state::alerts::view::Editing;

pub(super) struct Editor<'a> {
    /// What is edited: `channel`.
    pub(super) kind: &'static str,
    pub(super) editing: &'a Editing,
    /// What pressing the button does, of a new one and of an old one.
    pub(super) labels: (&'static str, &'static str),
    pub(super) sending: &'a Sending<()>,
    pub(super) on_submit: Callback<()>,
    pub(super) on_close: &'a Callback<()>,
}

impl Editor<'_> {
    pub(super) fn is_new(editing: &Editing) -> bool {
        !matches!(editing, Editing::Old(_))
    }

    /// `fields`: `None` where there is nothing of that name.
    pub(super) fn draw(self, fields: Option<Html>) -> Html {
        let Editor { kind, editing, labels, sending, on_submit, on_close } = self;
        let title = match editing {
            Editing::Old(name) => format!("{} {name}", capital(kind)),
            _ => format!("New {kind}"),
        };
        let label = if Editor::is_new(editing) { labels.0 } else { labels.1 };
        html! {
            <Modal {title} on_close={on_close.clone()} is_wide=true>
                if let Some(fields) = fields {
                    <Form fault={sending.fault.clone()} {on_submit}>
                        { fields }
                        <SubmitLine {label} is_sending={sending.is_sending} on_cancel={Some(on_close.clone())} />
                    </Form>
                } else {
                    <p>{ format!("There is no such {kind}. It may have been removed.") }</p>
                }
            </Modal>
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
