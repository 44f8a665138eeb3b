//! Tables of users, tokens, deletions and deeds.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use crate::api::audit::{AuditEntry, ListedDeletion, Outcome};
use crate::api::session::Role;
use crate::api::tokens::ListedToken;
use crate::api::users::ListedUser;
use crate::components::alerts::marks;
use crate::components::moment::{ago, moment};
use crate::state::format::{self, Precision};

/// A name that begins with `#` is for those who hear the table, not for those who see it.
fn head(names: &[&'static str]) -> Html {
    let name = |name: &&'static str| match name.strip_prefix('#') {
        Some(heard) => html! { <th scope="col"><span class="visually-hidden">{ heard }</span></th> },
        None => html! { <th scope="col">{ *name }</th> },
    };
    html! { <thead><tr>{ for names.iter().map(name) }</tr></thead> }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserAct {
    Role,
    Password,
    Remove,
}

#[derive(PartialEq, Properties)]
pub struct UsersTableProps {
    pub users: Rc<Vec<ListedUser>>,
    /// Who looks at it.
    pub own: Option<String>,
    pub on_act: Callback<(UserAct, ListedUser)>,
}

#[component]
pub fn UsersTable(props: &UsersTableProps) -> Html {
    let row = |user: &ListedUser| {
        let act = |act: UserAct| {
            let user = user.clone();
            props.on_act.reform(move |_| (act, user.clone()))
        };
        let is_own = props.own.as_deref() == Some(user.name.as_str());
        let of = |what: &str| format!("{what}: {}", user.name);
        html! {
            <tr key={user.name.clone()}>
                <th scope="row">{ &user.name }if is_own { <span class="tag">{ "you" }</span> }</th>
                <td>{ role(user.role) }</td>
                <td>{ moment(user.created_at.millis(), Precision::Minute) }</td>
                <td class="number">{ user.sessions }</td>
                <td class="row-actions">
                    <button type="button" class="quiet" onclick={act(UserAct::Role)} aria-label={of("Change role")}>{ "Change role" }</button>
                    <button type="button" class="quiet" onclick={act(UserAct::Password)} aria-label={of("Reset password")}>{ "Reset password" }</button>
                    <button type="button" class="quiet" onclick={act(UserAct::Remove)} aria-label={of("Remove")}>{ "Remove" }</button>
                </td>
            </tr>
        }
    };
    html! {
        <div class="table-frame" tabindex="0"><table>
            { head(&["Name", "Role", "Since", "Open sessions", "#Actions"]) }
            <tbody>{ for props.users.iter().map(row) }</tbody>
        </table></div>
    }
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Viewer => "viewer",
        Role::AnonymousViewer => "not signed in",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAct {
    Rotate,
    Revoke,
}

#[derive(PartialEq, Properties)]
pub struct TokensTableProps {
    pub tokens: Rc<Vec<ListedToken>>,
    pub now_ms: f64,
    pub on_act: Callback<(TokenAct, ListedToken)>,
}

#[component]
pub fn TokensTable(props: &TokensTableProps) -> Html {
    let row = |token: &ListedToken| {
        let act = |act: TokenAct| {
            let token = token.clone();
            props.on_act.reform(move |_| (act, token.clone()))
        };
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
        let is_over = token.expires_at.is_some_and(|at| (at.millis() as f64) < props.now_ms);
        let of = |what: &str| format!("{what} {}", token.id);
        html! {
            <tr key={token.id.clone()} class={classes!(is_over.then_some("over"))}>
                <th scope="row">{ if token.name.is_empty() { "unnamed" } else { token.name.as_str() } }<span class="cause"><code>{ &token.id }</code></span></th>
                <td>{ scopes.join(", ") }</td>
                <td>{ token.service.as_deref().unwrap_or("every service") }</td>
                <td>{ moment(token.created_at.millis(), Precision::Minute) }</td>
                <td>{ match (token.expires_at, is_over) {
                    (None, _) => html! { "never" },
                    (Some(at), false) => moment(at.millis(), Precision::Minute),
                    (Some(_), true) => marks::state("over", "off"),
                } }</td>
                <td>{ match token.last_used {
                    Some(at) => ago(at.millis(), props.now_ms),
                    None => html! { <span class="hint">{ "never" }</span> },
                } }</td>
                <td class="row-actions">
                    <button type="button" class="quiet" onclick={act(TokenAct::Rotate)} aria-label={of("Rotate")}>{ "Rotate" }</button>
                    <button type="button" class="quiet" onclick={act(TokenAct::Revoke)} aria-label={of("Revoke")}>{ "Revoke" }</button>
                </td>
            </tr>
        }
    };
    html! {
        <div class="table-frame" tabindex="0"><table>
            { head(&["Name", "Opens", "Service", "Made", "Expires", "Last used", "#Actions"]) }
            <tbody>{ for props.tokens.iter().map(row) }</tbody>
        </table></div>
    }
}

#[derive(PartialEq, Properties)]
pub struct DeletionsTableProps {
    pub deletions: Rc<Vec<ListedDeletion>>,
}

#[component]
pub fn DeletionsTable(props: &DeletionsTableProps) -> Html {
    let bound = |at: Option<insighthub_model::Timestamp>, open: &'static str| match at {
        Some(at) => moment(at.millis(), Precision::Minute),
        None => html! { open },
    };
    let row = |deletion: &ListedDeletion| {
        let is_done = deletion.state == "done";
        let state = if is_done {
            marks::state("Done", "good")
        } else {
            marks::state(
                &format!("{} of {} partitions", deletion.partitions_done, deletion.partitions),
                "pending",
            )
        };
        html! {
            <tr key={deletion.id}>
                <td>{ moment(deletion.asked_at.millis(), Precision::Minute) }</td>
                <td>{ &deletion.user }</td>
                <th scope="row" class="wrap"><code>{ &deletion.query }</code></th>
                <td>{ bound(deletion.from, "the beginning") }{ " to " }{ bound(deletion.to, "the end") }</td>
                <td class="wrap">{ &deletion.reason }</td>
                <td>{ state }</td>
                <td class="number">{ format::count(deletion.erased) }</td>
            </tr>
        }
    };
    html! {
        <div class="table-frame" tabindex="0"><table>
            { head(&["When", "By", "What", "Range", "Why", "State", "Records erased"]) }
            <tbody>{ for props.deletions.iter().map(row) }</tbody>
        </table></div>
    }
}

#[derive(PartialEq, Properties)]
pub struct AuditTableProps {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
}

#[component]
pub fn AuditTable(props: &AuditTableProps) -> Html {
    let row = |entry: &AuditEntry| {
        let tone = if entry.outcome == Outcome::Done { "good" } else { "pending" };
        html! {
            <tr key={entry.number}>
                <td class="number">{ entry.number }</td>
                <td>{ moment(entry.at.millis(), Precision::Second) }</td>
                <td>{ &entry.user }</td>
                <th scope="row"><code>{ &entry.action }</code></th>
                <td class="wrap">{ &entry.target }</td>
                <td class="wrap">{ &entry.detail }</td>
                <td>{ marks::state(entry.outcome.name(), tone) }</td>
                <td>{ &entry.node }</td>
            </tr>
        }
    };
    html! {
        <div class="table-frame" tabindex="0"><table>
            { head(&["Number", "When", "Who", "Did", "To", "Details", "Outcome", "Node"]) }
            <tbody>{ for props.entries.iter().map(row) }</tbody>
        </table></div>
    }
}
