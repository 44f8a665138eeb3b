//! The top line: where you are, which node answers, whether it is current, who you are.

use yew::{Callback, Html, MouseEvent, Properties, classes, component, html};

use crate::api::session::{Role, Session};
use crate::components::connection_pill::ConnectionPill;
use crate::state::connection::Health;
use crate::state::view::Page;

#[derive(PartialEq, Properties)]
pub struct HeaderProps {
    pub page: Page,
    pub node: String,
    pub health: Health,
    pub session: Option<Session>,
    pub on_open: Callback<Page>,
    pub on_sign_in: Callback<()>,
    pub on_sign_out: Callback<()>,
    pub on_theme: Callback<()>,
    pub on_help: Callback<()>,
}

#[component]
pub fn Header(props: &HeaderProps) -> Html {
    html! {
        <header class="header">
            <span class="brand"><span class="mark" aria-hidden="true"></span>{ "InsightHub" }</span>
            <nav aria-label="Pages">{ for Page::ALL.map(|page| link(props, page)) }</nav>
            <span class="spacer"></span>
            <span class="node" title="The node that serves this page">{ &props.node }</span>
            <ConnectionPill health={props.health} />
            { session(props) }
            <button type="button" class="quiet" onclick={press(&props.on_theme)} title="Light or dark"
                aria-label="Switch between light and dark"><span class="theme-icon" aria-hidden="true"></span></button>
            <button type="button" class="quiet" onclick={press(&props.on_help)} title="Keyboard shortcuts (?)"
                aria-label="Keyboard shortcuts">{ "?" }</button>
        </header>
    }
}

fn link(props: &HeaderProps, page: Page) -> Html {
    let is_here = page == props.page;
    let onclick = props.on_open.reform(move |event: MouseEvent| {
        event.prevent_default();
        page
    });
    html! {
        <a href={page.path()} class={classes!(is_here.then_some("here"))} {onclick}
            aria-current={is_here.then_some("page")}>{ page.title() }</a>
    }
}

fn session(props: &HeaderProps) -> Html {
    match &props.session {
        Some(Session { user: Some(user), role }) => {
            let role = if *role == Role::Admin { "admin" } else { "viewer" };
            html! {
                <>
                    <span class="user" title={format!("Signed in as {user}, role {role}")}>
                        { user }if user != role { <span class="role">{ role }</span> }
                    </span>
                    <button type="button" class="quiet" onclick={press(&props.on_sign_out)}>{ "Sign out" }</button>
                </>
            }
        }
        _ => html! {
            <button type="button" class="quiet" onclick={press(&props.on_sign_in)}>{ "Sign in" }</button>
        },
    }
}

fn press(callback: &Callback<()>) -> Callback<MouseEvent> {
    callback.reform(|_| ())
}
