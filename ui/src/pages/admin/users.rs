//! Who can sign in, and as what.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::session::Role;
use crate::api::users::ListedUser;
use crate::components::admin::tables::{UserAct, UsersTable};
use crate::components::forms::confirm::Confirm;
use crate::components::forms::dialog::Modal;
use crate::components::forms::field::{SelectField, TextField};
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;

const RENEW_MS: u32 = 10_000;
const PASSWORD_HINT: &str = "12 characters at least.";

#[component]
pub(super) fn UsersTab() -> Html {
    let app = use_app();
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::users::users()));
    let is_adding = use_state_eq(|| false);
    let acting = use_state_eq(|| None::<(UserAct, ListedUser)>);
    let on_close = {
        let (is_adding, acting, again) = (is_adding.clone(), acting.clone(), asked.again.clone());
        Callback::from(move |()| {
            is_adding.set(false);
            acting.set(None);
            again.emit(());
        })
    };
    let on_act = {
        let acting = acting.clone();
        Callback::from(move |act| acting.set(Some(act)))
    };
    let add = {
        let is_adding = is_adding.clone();
        Callback::from(move |_| is_adding.set(true))
    };
    let own = app.user().map(str::to_owned);
    html! {
        <>
            <div class="toolbar"><button type="button" class="primary" onclick={add}>{ "Add a user" }</button></div>
            { states::shown(&asked, states::skeleton_lines(4), |users: &Rc<Vec<ListedUser>>| html! {
                <UsersTable users={users.clone()} {own} {on_act} />
            }) }
            if *is_adding { <NewUser on_close={on_close.clone()} /> }
            { match &*acting {
                None => Html::default(),
                Some((UserAct::Role, user)) => html! { <ChangeRole user={user.clone()} {on_close} /> },
                Some((UserAct::Password, user)) => html! { <ResetPassword user={user.clone()} {on_close} /> },
                Some((UserAct::Remove, user)) => html! { <RemoveUser user={user.clone()} {on_close} /> },
            } }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct NewUserProps {
    on_close: Callback<()>,
}

#[component]
fn NewUser(props: &NewUserProps) -> Html {
    let (name, role, password) =
        (use_state_eq(String::new), use_state_eq(|| "viewer".to_owned()), use_state_eq(String::new));
    let sending = use_sending(props.on_close.clone());
    let on_submit = {
        let (sending, name, role, password) = (sending.clone(), name.clone(), role.clone(), password.clone());
        Callback::from(move |()| {
            let (name, role, password) = ((*name).trim().to_owned(), (*role).clone(), (*password).clone());
            sending.send.emit(Box::pin(requests::users::make(name, role, password)));
        })
    };
    let roles =
        [("viewer", "viewer: looks at everything but this page"), ("admin", "admin: may do everything")];
    let options = roles.map(|(role, title)| (role.to_owned(), title.to_owned())).to_vec();
    html! {
        <Modal title="Add a user" on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <TextField name="name" label="Name" value={(*name).clone()} on_change={Callback::from(move |text| name.set(text))} />
                <SelectField name="role" label="Role" value={(*role).clone()} {options} on_change={Callback::from(move |text| role.set(text))} />
                <TextField name="password" label="Password" kind="password" value={(*password).clone()} hint={PASSWORD_HINT}
                    on_change={Callback::from(move |text| password.set(text))} autocomplete="new-password" />
                <SubmitLine label="Add user" is_sending={sending.is_sending} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}

#[derive(PartialEq, Properties)]
struct OneUserProps {
    user: ListedUser,
    on_close: Callback<()>,
}

#[component]
fn ChangeRole(props: &OneUserProps) -> Html {
    let name = props.user.name.clone();
    let next = if props.user.role == Role::Admin { "viewer" } else { "admin" };
    let ask = Callback::from({
        let name = name.clone();
        move |()| -> Asking<()> { Box::pin(requests::users::set_role(name.clone(), next.to_owned())) }
    });
    html! {
        <Confirm title={format!("Make {name} a{} {next}?", if next == "admin" { "n" } else { "" })} action={format!("Make {next}")} {ask}
            on_done={props.on_close.clone()} on_close={props.on_close.clone()}>
            <p>{ if next == "admin" {
                format!("{name} may then change alerts, settings and users, and delete logs. Open sessions end at once.")
            } else {
                format!("{name} may then look, and change nothing. Open sessions end at once.")
            } }</p>
        </Confirm>
    }
}

#[component]
fn ResetPassword(props: &OneUserProps) -> Html {
    let password = use_state_eq(String::new);
    let sending = use_sending(props.on_close.clone());
    let name = props.user.name.clone();
    let on_submit = {
        let (sending, password, name) = (sending.clone(), password.clone(), name.clone());
        Callback::from(move |()| {
            sending.send.emit(Box::pin(requests::users::set_password(name.clone(), (*password).clone())));
        })
    };
    html! {
        <Modal title={format!("Reset the password of {name}")} on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <p>{ "The old one does not open any more, and all open sessions end at once. Hand over the new one yourself." }</p>
                <TextField name="password" label="New password" kind="password" value={(*password).clone()} hint={PASSWORD_HINT}
                    on_change={Callback::from(move |text| password.set(text))} autocomplete="new-password" />
                <SubmitLine label="Reset password" is_sending={sending.is_sending} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}

#[component]
fn RemoveUser(props: &OneUserProps) -> Html {
    let name = props.user.name.clone();
    let ask = Callback::from({
        let name = name.clone();
        move |()| -> Asking<()> { Box::pin(requests::users::remove(name.clone())) }
    });
    html! {
        <Confirm title={format!("Remove {name}?")} action="Remove user" {ask} on_done={props.on_close.clone()} on_close={props.on_close.clone()}>
            <p>{ "The name and the password do not open any more, and open sessions end at once. What was done under the name stays in the audit trail." }</p>
        </Confirm>
    }
}
