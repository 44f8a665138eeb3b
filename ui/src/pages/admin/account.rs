//! The own password.

use yew::{Callback, Html, component, html};

use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::hooks::answer::Asking;
use crate::hooks::app::use_app;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::forms::Fault;

#[component]
pub(super) fn AccountTab() -> Html {
    let app = use_app();
    let (current, new, again) =
        (use_state_eq(String::new), use_state_eq(String::new), use_state_eq(String::new));
    let is_done = use_state_eq(|| false);
    let sending = use_sending({
        let is_done = is_done.clone();
        Callback::from(move |()| is_done.set(true))
    });
    let on_submit = {
        let (sending, current, new, again) = (sending.clone(), current.clone(), new.clone(), again.clone());
        Callback::from(move |()| {
            let made = if *new == *again {
                let (current, new) = ((*current).clone(), (*new).clone());
                Ok(Box::pin(requests::users::change_own_password(current, new)) as Asking<()>)
            } else {
                Err(Fault::at("again", "This is not the same."))
            };
            sending.send_or_refuse(made);
        })
    };
    if *is_done {
        return html! {
            <div class="notice" role="status">
                <h2>{ "Your password was changed" }</h2>
                <p>{ "All your sessions have ended, this one too. Sign in with the new one." }</p>
                <button type="button" class="primary" onclick={app.sign_in.reform(|_| ())}>{ "Sign in" }</button>
            </div>
        };
    }
    html! {
        <section class="card narrow" aria-label="Own password">
            <Form fault={sending.fault.clone()} {on_submit}>
                <p class="hint">{ format!("Of {}. It ends all your sessions, this one too.", app.user().unwrap_or_default()) }</p>
                <TextField name="current" label="Password now" kind="password" value={(*current).clone()} autocomplete="current-password"
                    on_change={Callback::from(move |text| current.set(text))} />
                <TextField name="password" label="New password" kind="password" value={(*new).clone()} autocomplete="new-password" hint="12 characters at least."
                    on_change={Callback::from(move |text| new.set(text))} />
                <TextField name="again" label="The new one again" kind="password" value={(*again).clone()} autocomplete="new-password"
                    on_change={Callback::from(move |text| again.set(text))} />
                <SubmitLine label="Change password" is_sending={sending.is_sending} />
            </Form>
        </section>
    }
}
