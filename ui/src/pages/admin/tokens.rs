//! Tokens of services and programs.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::tokens::{ListedToken, Scope, TokenMade, TokenRotated};
use crate::browser::clock;
use crate::components::admin::once::Once;
use crate::components::admin::tables::{TokenAct, TokensTable};
use crate::components::forms::check::ChoicesField;
use crate::components::forms::confirm::Confirm;
use crate::components::forms::dialog::Modal;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::sending::use_sending;
use crate::hooks::services::use_services;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::admin::token_form::{TokenForm, meaning};
use crate::state::forms;

const RENEW_MS: u32 = 10_000;

/// A token that was just made, and what must be known of it.
#[derive(Clone, PartialEq)]
struct Fresh {
    secret: String,
    note: String,
}

#[component]
pub(super) fn TokensTab() -> Html {
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::tokens::tokens()));
    let is_adding = use_state_eq(|| false);
    let acting = use_state_eq(|| None::<(TokenAct, ListedToken)>);
    let fresh = use_state_eq(|| None::<Fresh>);
    let on_close = {
        let (is_adding, acting, fresh, again) =
            (is_adding.clone(), acting.clone(), fresh.clone(), asked.again.clone());
        Callback::from(move |()| {
            is_adding.set(false);
            acting.set(None);
            fresh.set(None);
            again.emit(());
        })
    };
    let on_fresh = {
        let (on_close, fresh) = (on_close.clone(), fresh.clone());
        Callback::from(move |made: Fresh| {
            on_close.emit(());
            fresh.set(Some(made));
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
    html! {
        <>
            <div class="toolbar"><button type="button" class="primary" onclick={add}>{ "Make a token" }</button></div>
            { states::shown(&asked, states::skeleton_lines(4), |tokens: &Rc<Vec<ListedToken>>| if tokens.is_empty() {
                html! { <Empty title="No tokens"><p>{ "A service sends logs with a token of its own, and a program reads with one." }</p></Empty> }
            } else {
                html! { <TokensTable tokens={tokens.clone()} now_ms={clock::now_ms()} {on_act} /> }
            }) }
            if *is_adding { <NewToken on_close={on_close.clone()} on_fresh={on_fresh.clone()} /> }
            { match &*acting {
                None => Html::default(),
                Some((TokenAct::Rotate, token)) => html! { <RotateToken token={token.clone()} on_close={on_close.clone()} {on_fresh} /> },
                Some((TokenAct::Revoke, token)) => html! { <RevokeToken token={token.clone()} on_close={on_close.clone()} /> },
            } }
            if let Some(Fresh { secret, note }) = (*fresh).clone() { <Once title="The token" {secret} {note} {on_close} /> }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct NewTokenProps {
    on_close: Callback<()>,
    on_fresh: Callback<Fresh>,
}

#[component]
fn NewToken(props: &NewTokenProps) -> Html {
    let form = use_state_eq(TokenForm::default);
    let services = use_services();
    let sending = use_sending(props.on_fresh.reform(|made: TokenMade| Fresh {
        secret: made.token,
        note: format!("Its id is {}; by it you find it in the list.", made.id),
    }));
    let on_submit = {
        let (sending, form) = (sending.clone(), form.clone());
        Callback::from(move |()| {
            sending.send_or_refuse(
                form.token().map(|token| -> Asking<TokenMade> { Box::pin(requests::tokens::make(token)) }),
            );
        })
    };
    let value = (*form).clone();
    let set = |apply: fn(&mut TokenForm, String)| {
        let form = form.clone();
        Callback::from(move |text| {
            let mut next = (*form).clone();
            apply(&mut next, text);
            form.set(next);
        })
    };
    let on_scopes = {
        let form = form.clone();
        Callback::from(move |scopes| form.set(TokenForm { scopes, ..(*form).clone() }))
    };
    let scopes = Scope::ALL.map(|scope| (scope.name().to_owned(), meaning(scope).to_owned())).to_vec();
    html! {
        <Modal title="Make a token" on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <TextField name="name" label="Name" value={value.name} on_change={set(|form, text| form.name = text)} hint="For people: what uses it." />
                <ChoicesField name="scopes" label="Opens" options={scopes} chosen={value.scopes} on_change={on_scopes} />
                <TextField name="service" label="Service" value={value.service} on_change={set(|form, text| form.service = text)}
                    offered={services} placeholder="Every service" hint="The only one it may write." />
                <TextField name="expires_in_days" label="Expires in" kind="number" unit="days" value={value.expires_in_days}
                    on_change={set(|form, text| form.expires_in_days = text)} hint="Empty: it opens until it is revoked." />
                <SubmitLine label="Make token" is_sending={sending.is_sending} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}

#[derive(PartialEq, Properties)]
struct RotateTokenProps {
    token: ListedToken,
    on_close: Callback<()>,
    on_fresh: Callback<Fresh>,
}

#[component]
fn RotateToken(props: &RotateTokenProps) -> Html {
    let overlap = use_state_eq(|| "1h".to_owned());
    let sending = use_sending(props.on_fresh.reform(|made: TokenRotated| Fresh {
        secret: made.token,
        note: format!(
            "The old one opens until {}.",
            crate::state::format::moment_utc(made.old_expires_at.millis())
        ),
    }));
    let on_submit = {
        let (sending, overlap, id) = (sending.clone(), overlap.clone(), props.token.id.clone());
        Callback::from(move |()| {
            sending.send_or_refuse(forms::secs("overlap_secs", &overlap).map(
                |secs| -> Asking<TokenRotated> { Box::pin(requests::tokens::rotate(id.clone(), secs)) },
            ));
        })
    };
    html! {
        <Modal title={format!("Rotate {}", props.token.id)} on_close={props.on_close.clone()}>
            <Form fault={sending.fault.clone()} {on_submit}>
                <p>{ "Another token is made that opens the same. The old one goes on opening for a while, so that you can bring the new one to every instance." }</p>
                <TextField name="overlap_secs" label="The old one opens for" value={(*overlap).clone()} hint="0 to 30d."
                    on_change={Callback::from(move |text| overlap.set(text))} />
                <SubmitLine label="Rotate token" is_sending={sending.is_sending} on_cancel={Some(props.on_close.clone())} />
            </Form>
        </Modal>
    }
}

#[derive(PartialEq, Properties)]
struct RevokeTokenProps {
    token: ListedToken,
    on_close: Callback<()>,
}

#[component]
fn RevokeToken(props: &RevokeTokenProps) -> Html {
    let id = props.token.id.clone();
    let ask = Callback::from(move |()| -> Asking<()> { Box::pin(requests::tokens::revoke(id.clone())) });
    html! {
        <Confirm title={format!("Revoke {}?", props.token.id)} action="Revoke token" {ask} on_done={props.on_close.clone()} on_close={props.on_close.clone()}>
            <p>{ "Whoever uses it is refused from now on, on every node, and what they send is not taken. It cannot be undone." }</p>
        </Confirm>
    }
}
