//! Who is signed in, and the login dialog's life.

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook};

use crate::api::error::ApiError;
use crate::api::session::Session;
use crate::components::frame::login_dialog::Credentials;
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::{State, use_state_eq};
use crate::network::requests;

/// Sooner than an access token is over, and often enough for a tab in the background, whose timers are late.
const REFRESH_MS: u32 = 120_000;

/// The login dialog: shut, or open with what has happened in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Login {
    Shut,
    Open { is_sending: bool, error: Option<ApiError> },
}

/// Who is signed in, and the ways to change it.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) session: State<Option<Session>>,
    pub(super) login: State<Login>,
    /// Where to sign in at an identity provider.
    pub(super) oidc: State<Option<String>>,
    pub(super) on_submit: Callback<Credentials>,
    pub(super) on_sign_out: Callback<()>,
    pub(super) on_shut: Callback<()>,
    pub(super) on_open: Callback<()>,
}

#[hook]
pub(super) fn use_account() -> Account {
    let session = use_state_eq(|| None::<Session>);
    let login = use_state_eq(|| Login::Shut);
    let oidc = use_state_eq(|| None::<String>);
    use_effect_with((), {
        let (session, oidc) = (session.clone(), oidc.clone());
        move |()| {
            refresh(session);
            spawn_local(
                async move { oidc.set(requests::session::ways().await.ok().and_then(|ways| ways.oidc)) },
            );
        }
    });
    use_effect_with(session.as_ref().is_some_and(|session| session.user.is_some()), |is_signed_in| {
        let keep = || spawn_local(async { requests::session::refresh().await.unwrap_or_default() });
        let interval = is_signed_in.then(|| Interval::new(REFRESH_MS, keep));
        move || drop(interval)
    });
    let on_submit = {
        let (session, login) = (session.clone(), login.clone());
        Callback::from(move |credentials| submit(session.clone(), login.clone(), credentials))
    };
    let on_sign_out = {
        let session = session.clone();
        Callback::from(move |()| {
            let session = session.clone();
            spawn_local(async move {
                // If the node does not answer the reader stays signed in, which the next look shows.
                requests::session::logout().await.unwrap_or_default();
                refresh(session);
            });
        })
    };
    let on_shut = to(&login, Login::Shut);
    let on_open = to(&login, Login::Open { is_sending: false, error: None });
    Account { session, login, oidc, on_submit, on_sign_out, on_shut, on_open }
}

fn to(login: &State<Login>, state: Login) -> Callback<()> {
    let login = login.clone();
    Callback::from(move |()| login.set(state.clone()))
}

fn refresh(session: State<Option<Session>>) {
    spawn_local(async move { session.set(requests::session::session().await.ok()) });
}

fn submit(session: State<Option<Session>>, login: State<Login>, credentials: Credentials) {
    login.set(Login::Open { is_sending: true, error: None });
    spawn_local(async move {
        match requests::session::login(&credentials.user, &credentials.password).await {
            Ok(signed_in) => {
                session.set(Some(signed_in));
                login.set(Login::Shut);
            }
            Err(error) => login.set(Login::Open { is_sending: false, error: Some(error) }),
        }
    });
}
