//! Views that were saved for everybody: to open, to save, to remove; and the link to what is shown.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::desk::Desk;
use crate::api::views::{ListedView, View as Saved};
use crate::browser::address;
use crate::components::forms::confirm::Confirm;
use crate::components::forms::dialog::Modal;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::link::Link;
use crate::components::menu::Menu;
use crate::components::records::copy_button::CopyButton;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::app::{App, use_app};
use crate::hooks::effect::use_effect_with;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::explore::ExploreView;
use crate::state::explore::view_name::name_of;
use crate::state::page::View;

/// The name of this page in saved views.
const PAGE: &str = "explore";

#[derive(PartialEq, Properties)]
pub(super) struct ViewsMenuProps {
    pub(super) desk: Desk,
}

#[derive(Clone, PartialEq)]
enum Asked {
    Nothing,
    Save,
    Remove(ListedView),
}

#[component]
pub(super) fn ViewsMenu(props: &ViewsMenuProps) -> Html {
    let app = use_app();
    let dialog = use_state_eq(|| Asked::Nothing);
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |()| dialog.set(Asked::Nothing))
    };
    let remove = {
        let dialog = dialog.clone();
        Callback::from(move |view: ListedView| dialog.set(Asked::Remove(view)))
    };
    let save = {
        let dialog = dialog.clone();
        move |_: yew::MouseEvent| dialog.set(Asked::Save)
    };
    html! {
        <>
            <Menu title="Views">
                    <ViewList on_remove={remove} />
                    <p class="actions">
                        <CopyButton label="Copy link" text={address::link(&props.desk.view.place())} title="A link to what is shown" />
                        if app.user().is_some() { <button type="button" onclick={save}>{ "Save this view" }</button> }
                    </p>
                </Menu>
            { asked(props, &dialog, close) }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct ViewListProps {
    on_remove: Callback<ListedView>,
}

/// Asked for when the menu opens, for somebody else may have saved one.
#[component]
fn ViewList(props: &ViewListProps) -> Html {
    let app = use_app();
    let views = use_answer((), None, |()| asking(requests::views::views()));
    shown(&views, skeleton_lines(3), |views| list(views, &app, &props.on_remove))
}

fn list(views: &Rc<Vec<ListedView>>, app: &App, remove: &Callback<ListedView>) -> Html {
    let entry = |view: &ListedView| {
        let may_remove = app.is_admin() || app.user() == Some(view.made_by.as_str());
        let (to, own) = (ExploreView::from_query(&view.address).place(), view.clone());
        html! {
            <li key={view.name.clone()}>
                <Link {to} title={format!("By {}", view.made_by)}><>{ view.title.clone() }</></Link>
                if may_remove {
                    <button type="button" class="quiet" onclick={remove.reform(move |_| own.clone())}
                        aria-label={format!("Remove {}", view.title)} title="Remove">{ "✕" }</button>
                }
            </li>
        }
    };
    let mut ours: Vec<&ListedView> = views.iter().filter(|view| view.page == PAGE).collect();
    ours.sort_by_key(|view| view.title.to_lowercase());
    if ours.is_empty() {
        return html! { <p class="hint" data-state="empty">{ "No view is saved yet. A saved view is there for everybody." }</p> };
    }
    html! { <ul class="views">{ for ours.into_iter().map(entry) }</ul> }
}

fn asked(props: &ViewsMenuProps, dialog: &Asked, close: Callback<()>) -> Html {
    match dialog {
        Asked::Nothing => Html::default(),
        Asked::Save => {
            html! { <SaveView address={props.desk.view.to_query()} on_close={close.clone()} on_done={close} /> }
        }
        Asked::Remove(view) => {
            let name = view.name.clone();
            let ask = Callback::from(move |()| -> crate::hooks::answer::Asking<()> {
                Box::pin(requests::views::remove_view(name.clone()))
            });
            html! {
                <Confirm title={format!("Remove the view {}?", view.title)} action="Remove" {ask} on_close={close.clone()} on_done={close}>
                    <p>{ "It is removed for everybody." }</p>
                </Confirm>
            }
        }
    }
}

#[derive(PartialEq, Properties)]
struct SaveViewProps {
    address: String,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

#[component]
fn SaveView(props: &SaveViewProps) -> Html {
    let title = use_state_eq(String::new);
    let is_known = use_state_eq(|| false);
    let sending = use_sending(props.on_done.clone());
    let name = name_of(&title);
    // A view of this name would be replaced: that must be said before.
    let known = use_answer((), None, |()| asking(requests::views::views()));
    use_effect_with((name.clone(), known.value().cloned()), {
        let is_known = is_known.clone();
        move |(name, known)| {
            is_known.set(known.iter().any(|known| known.iter().any(|view| view.name == *name)))
        }
    });
    let on_submit = {
        let (send, name, title, address) =
            (sending.send.clone(), name.clone(), title.clone(), props.address.clone());
        Callback::from(move |()| {
            let view =
                Saved { title: title.trim().to_owned(), page: PAGE.to_owned(), address: address.clone() };
            send.emit(Box::pin(requests::views::set_view(name.clone(), view)));
        })
    };
    let on_change = {
        let title = title.clone();
        Callback::from(move |text: String| title.set(text))
    };
    html! {
        <Modal title="Save this view" on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <TextField name="title" label="Title" value={(*title).clone()} {on_change}
                    hint="Query, time, columns and tab are saved, for everybody. Letters a to z or digits must be in it." />
                if *is_known { <p class="partial" role="status">{ "A view of this name is there: it will be replaced." }</p> }
                <SubmitLine label="Save" is_sending={sending.is_sending} is_disabled={name.is_empty()} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}
