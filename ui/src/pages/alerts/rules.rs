//! The rules there are, and what can be done with one.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::{ListedRule, Rule};
use crate::components::alerts::rule_table::{RuleAct, RuleTable};
use crate::components::forms::confirm::Confirm;
use crate::components::link::Link;
use crate::components::notice::{Empty, reason};
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::page::View;

const RENEW_MS: u32 = 5_000;

#[component]
pub(super) fn RulesTab() -> Html {
    let app = use_app();
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::alerts::rules()));
    let deleting = use_state_eq(|| None::<String>);
    let sending = use_sending(asked.again.reform(|()| ()));
    let on_act = app.is_admin().then(|| {
        let (deleting, sending) = (deleting.clone(), sending.clone());
        Callback::from(move |(act, listed): (RuleAct, ListedRule)| match act {
            RuleAct::Delete => deleting.set(Some(listed.name)),
            RuleAct::Enable | RuleAct::Disable => {
                let rule = Rule { enabled: act == RuleAct::Enable, ..listed.rule };
                sending.send.emit(Box::pin(requests::alerts::set_rule(listed.name, rule)));
            }
        })
    });
    let close = {
        let deleting = deleting.clone();
        Callback::from(move |()| deleting.set(None))
    };
    let on_deleted = {
        let (close, again) = (close.clone(), asked.again.clone());
        Callback::from(move |()| {
            close.emit(());
            again.emit(());
        })
    };
    html! {
        <>
            if app.is_admin() {
                <div class="toolbar"><Link to={AlertsView::editing(Tab::Rules, Editing::New).place()} class="button primary">{ "New rule" }</Link></div>
            }
            if let Some(fault) = &sending.fault { <div class="banner failure" role="alert">{ reason(&fault.message) }</div> }
            { states::shown(&asked, states::skeleton_lines(6), |rules: &Rc<Vec<ListedRule>>| if rules.is_empty() {
                html! { <Empty title="No rules"><p>{ "Nothing is watched. A rule says which records, and what about them is wrong." }</p></Empty> }
            } else {
                html! { <RuleTable rules={rules.clone()} on_act={on_act.clone()} /> }
            }) }
            if let Some(name) = &*deleting { <DeleteRule name={name.clone()} on_close={close} on_done={on_deleted} /> }
        </>
    }
}

#[derive(PartialEq, Properties)]
pub(super) struct DeleteRuleProps {
    pub(super) name: String,
    pub(super) on_close: Callback<()>,
    pub(super) on_done: Callback<()>,
}

#[component]
pub(super) fn DeleteRule(props: &DeleteRuleProps) -> Html {
    let name = props.name.clone();
    let ask =
        Callback::from(move |()| -> Asking<()> { Box::pin(requests::alerts::remove_rule(name.clone())) });
    html! {
        <Confirm title={format!("Delete rule {}?", props.name)} action="Delete rule" {ask}
            on_done={props.on_done.clone()} on_close={props.on_close.clone()}>
            <p>{ "It stops being looked at on every node, and its incidents that still fire are ended. Incidents of the past stay. It cannot be undone; to keep the rule for later, disable it instead." }</p>
        </Confirm>
    }
}
