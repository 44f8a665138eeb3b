//! What people did to the cluster.

use yew::{Callback, Html, Properties, component, html};

use crate::api::audit::Audit;
use crate::components::admin::tables::AuditTable;
use crate::components::choice::Choice;
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::admin::audit::{Page, older};
use crate::state::admin::view::AdminView;

const RENEW_MS: u32 = 10_000;
/// As the node writes them down.
const ACTIONS: [&str; 28] = [
    "alert.acknowledge",
    "alert.remove_channel",
    "alert.remove_rule",
    "alert.remove_silence",
    "alert.set_channel",
    "alert.set_rule",
    "alert.set_silence",
    "alert.try_channel",
    "anomaly.judge",
    "backup.take",
    "dead_letters.replay",
    "detection.set",
    "leader.move",
    "logs.delete",
    "node.drain",
    "node.invite",
    "node.remove",
    "node.undrain",
    "retention.set",
    "service.spread",
    "token.create",
    "token.revoke",
    "token.rotate",
    "user.create",
    "user.delete",
    "user.provided",
    "user.set_password",
    "user.set_role",
];

#[derive(PartialEq, Properties)]
pub(super) struct AuditTabProps {
    pub(super) view: AdminView,
    pub(super) show: Callback<AdminView>,
}

#[component]
pub(super) fn AuditTab(props: &AuditTabProps) -> Html {
    let view = &props.view;
    let key = (view.from, view.user.clone(), view.action.clone());
    let renew = view.from.is_none().then_some(RENEW_MS);
    let asked = use_answer(key, renew, |(from, user, action): &(Option<u64>, String, String)| {
        asking(requests::audit::audit(Page::of(*from), user.clone(), action.clone()))
    });
    let users = use_answer((), None, |()| asking(requests::users::users()));
    let users: Vec<(String, String)> = users
        .value()
        .map(|users| users.iter().map(|user| (user.name.clone(), user.name.clone())).collect())
        .unwrap_or_default();
    let actions = ACTIONS.map(|action| (action.to_owned(), action.to_owned())).to_vec();
    let set = |apply: fn(&mut AdminView, String)| {
        let view = view.clone();
        props.show.reform(move |value: String| {
            let mut next = AdminView { from: None, ..view.clone() };
            apply(&mut next, value);
            next
        })
    };
    html! {
        <>
            <div class="toolbar">
                <Choice all="Everybody" value={view.user.clone()} options={users} on_change={set(|view, value| view.user = value)} />
                <Choice all="Every action" value={view.action.clone()} options={actions} on_change={set(|view, value| view.action = value)} />
            </div>
            { states::shown(&asked, states::skeleton_lines(8), |audit| page(props, audit)) }
            <p class="hint">{ "Each entry carries a hash of itself and of all before it. " }<code>{ "insighthub audit export > trail.jsonl && insighthub audit verify trail.jsonl" }</code>
                { " names the first that was changed, taken out or put in. The newest 10,000 are kept." }</p>
        </>
    }
}

fn page(props: &AuditTabProps, audit: &Audit) -> Html {
    let view = &props.view;
    let to = |from: Option<u64>| {
        let next = AdminView { from, ..view.clone() };
        props.show.reform(move |_| next.clone())
    };
    // A filter passes over numbers, so pages back are by number and may be empty: the first page has what is newest.
    let older = older(&audit.entries).filter(|_| view.user.is_empty() && view.action.is_empty());
    html! {
        <>
            if audit.entries.is_empty() {
                <Empty title="Nothing here"><p>{ "Nobody did anything that these filters let through. What admins change is written down here." }</p></Empty>
            } else {
                <AuditTable entries={audit.entries.iter().rev().cloned().collect::<Vec<_>>()} />
            }
            <div class="toolbar">
                if view.from.is_some() { <button type="button" onclick={to(None)}>{ "Newest" }</button> }
                if let Some(older) = older { <button type="button" onclick={to(Some(older))}>{ "Older" }</button> }
                if let Some(next) = audit.next { <button type="button" onclick={to(Some(next))}>{ "Newer" }</button> }
            </div>
        </>
    }
}
