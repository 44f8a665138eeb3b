//! The whole screen: header, the current page, and the two dialogs.

use gloo_events::EventListener;
use yew::{
    Callback, Html, UseStateHandle, component, hook, html, use_callback, use_effect_with, use_state_eq,
};

use crate::browser::{address, keyboard, preferences};
use crate::components::header::Header;
use crate::components::help_dialog::HelpDialog;
use crate::components::login_dialog::LoginDialog;
use crate::pages::cluster::ClusterPage;
use crate::pages::dead_letters::DeadLettersPage;
use crate::pages::live::LivePage;
use crate::pages::session::{Account, Login, use_account};
use crate::state::connection::Health;
use crate::state::view::Page;

#[component]
pub fn App() -> Html {
    let page = use_page();
    let account = use_account();
    let health = use_state_eq(|| Health::Connecting);
    let is_help_open = use_state_eq(|| false);
    let theme = use_state_eq(preferences::theme);
    use_help_key(is_help_open.clone());
    let on_open = use_callback(page.clone(), |to: Page, page| {
        address::open(to);
        page.set(to);
    });
    let on_theme = use_callback(theme, |(), theme| {
        let next = theme.toggled(preferences::system_is_dark());
        preferences::set_theme(next);
        theme.set(next);
    });
    let on_health = use_callback((), {
        let health = health.clone();
        move |seen, ()| health.set(seen)
    });
    let on_help = use_callback((), {
        let open = is_help_open.clone();
        move |(), ()| open.set(true)
    });
    let on_help_close = use_callback((), {
        let open = is_help_open.clone();
        move |(), ()| open.set(false)
    });
    // A new user sees other things: the page starts anew.
    let who = account.session.as_ref().and_then(|session| session.user.clone()).unwrap_or_default();
    let is_admin = account.session.as_ref().is_some_and(|session| session.is_admin());
    let on_sign_in = account.on_open.clone();
    html! {
        <>
            <Header page={*page} node={address::node()} health={*health} session={(*account.session).clone()} {on_open}
                on_sign_in={on_sign_in.clone()} on_sign_out={account.on_sign_out.clone()} {on_theme} {on_help} />
            <main key={who}>
                { match *page {
                    Page::Live => html! { <LivePage {on_health} {on_sign_in} /> },
                    Page::DeadLetters => html! { <DeadLettersPage {on_health} {on_sign_in} {is_admin} /> },
                    Page::Cluster => html! { <ClusterPage {on_health} {on_sign_in} /> },
                } }
            </main>
            // One element, so that a dialog that comes or goes does not shift the page before it.
            <div>
                { login(&account) }
                if *is_help_open { <HelpDialog on_close={on_help_close} /> }
            </div>
        </>
    }
}

fn login(account: &Account) -> Option<Html> {
    let Login::Open { is_sending, error } = (*account.login).clone() else { return None };
    Some(html! {
        <LoginDialog {is_sending} {error} oidc={(*account.oidc).clone()} on_close={account.on_shut.clone()} on_submit={account.on_submit.clone()} />
    })
}

/// The current page, also after the browser's back and forward.
#[hook]
fn use_page() -> UseStateHandle<Page> {
    let page = use_state_eq(address::page);
    use_effect_with((), {
        let page = page.clone();
        move |()| {
            let listener = web_sys::window()
                .map(|window| EventListener::new(&window, "popstate", move |_| page.set(address::page())));
            move || drop(listener)
        }
    });
    page
}

#[hook]
fn use_help_key(open: UseStateHandle<bool>) {
    use_effect_with((), move |()| {
        let show = Callback::from(move |()| open.set(true));
        let listener = keyboard::on_key(move |event| {
            if event.key() == "?" && !keyboard::is_typing(event) {
                event.prevent_default();
                show.emit(());
            }
        });
        move || drop(listener)
    });
}
