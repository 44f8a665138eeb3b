//! The line above every page: which node answers, whether what is shown is current, who you are.

use yew::{Callback, Html, MouseEvent, Properties, component, html};

use crate::api::session::{Role, Session};
use crate::components::frame::connection_pill::ConnectionPill;
use crate::components::frame::icon::icon;
use crate::state::connection::Health;

#[derive(PartialEq, Properties)]
pub struct TopLineProps {
    pub title: String,
    /// Name of the node that is asked.
    pub node: String,
    /// It is the one that served this page.
    pub is_at_home: bool,
    pub health: Health,
    pub session: Option<Session>,
    pub on_pages: Callback<()>,
    pub on_sign_in: Callback<()>,
    pub on_sign_out: Callback<()>,
    pub on_theme: Callback<()>,
    pub on_help: Callback<()>,
}

#[component]
pub fn TopLine(props: &TopLineProps) -> Html {
    html! {
        <header class="top-line">
            <button type="button" class="quiet pages-button" onclick={press(&props.on_pages)} aria-label="Pages" aria-controls="pages">
                { icon("M2.500 4.500h11M2.500 8h11M2.500 11.500h11") }
            </button>
            <span class="here-title" aria-hidden="true">{ &props.title }</span>
            <span class="spacer"></span>
            { node(props) }
            <ConnectionPill health={props.health} />
            { session(props) }
            <button type="button" class="quiet" onclick={press(&props.on_theme)} title="Light or dark"
                aria-label="Switch between light and dark"><span class="theme-icon" aria-hidden="true"></span></button>
            <button type="button" class="quiet help-button" onclick={press(&props.on_help)} title="Keyboard shortcuts (?)"
                aria-label="Keyboard shortcuts">{ "?" }</button>
        </header>
    }
}

fn node(props: &TopLineProps) -> Html {
    if props.is_at_home {
        return html! { <span class="node" title="The node that serves this page">{ &props.node }</span> };
    }
    let title =
        "The node that served this page does not answer; this one does. A reload would ask the first again.";
    html! { <span class="node elsewhere" {title}>{ format!("now from {}", props.node) }</span> }
}

fn session(props: &TopLineProps) -> Html {
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
