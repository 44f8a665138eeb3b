//! Users, tokens, how long logs are kept, detection, deletions, the audit trail; and the own password.

mod account;
mod audit;
mod deletions;
mod detection;
mod retention;
mod tokens;
mod users;

use yew::{Html, component, html};

use crate::components::link::Link;
use crate::hooks::address::use_view;
use crate::hooks::app::use_app;
use crate::state::admin::view::{AdminView, Tab};
use crate::state::page::View;

#[component]
pub(super) fn AdminPage() -> Html {
    let (view, show) = use_view::<AdminView>();
    let app = use_app();
    let may = |tab: &Tab| if tab.needs_admin() { app.is_admin() } else { app.user().is_some() };
    // A viewer has one tab here, and is brought to it.
    let tabs: Vec<Tab> = Tab::ALL.into_iter().filter(may).collect();
    let here = if tabs.contains(&view.tab) { Some(view.tab) } else { tabs.first().copied() };
    let tab = |tab: &Tab| {
        let is_here = Some(*tab) == here;
        html! { <Link to={AdminView::of(*tab).place()} class={yew::classes!(is_here.then_some("here"))} {is_here}>{ tab.title() }</Link> }
    };
    html! {
        <div class="page admin-page">
            <h1>{ "Admin" }</h1>
            if !app.is_admin() {
                <div class="notice" data-state="refused">
                    <h2>{ "This is for admins" }</h2>
                    <p>{ match app.user() {
                        Some(user) => format!("You are signed in as {user}, a viewer: you see logs, alerts and the cluster. Users, tokens, retention and the audit trail need an admin."),
                        None => "You are not signed in. Users, tokens, retention and the audit trail need an admin.".to_owned(),
                    } }</p>
                    <button type="button" class="primary" onclick={app.sign_in.reform(|_| ())}>{ "Sign in as admin" }</button>
                </div>
            }
            if !tabs.is_empty() { <nav class="tabs" aria-label="Admin">{ for tabs.iter().map(tab) }</nav> }
            { match here {
                None => Html::default(),
                Some(Tab::Users) => html! { <users::UsersTab /> },
                Some(Tab::Tokens) => html! { <tokens::TokensTab /> },
                Some(Tab::Retention) => html! { <retention::RetentionTab /> },
                Some(Tab::Detection) => html! { <detection::DetectionTab /> },
                Some(Tab::Deletions) => html! { <deletions::DeletionsTab /> },
                Some(Tab::Audit) => html! { <audit::AuditTab view={(*view).clone()} {show} /> },
                Some(Tab::Account) => html! { <account::AccountTab /> },
            } }
        </div>
    }
}
