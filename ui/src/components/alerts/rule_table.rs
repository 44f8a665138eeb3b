//! Rules, one in a row.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use super::marks;
use crate::api::alerts::ListedRule;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words;
use crate::state::format::Precision;
use crate::state::page::View;

#[derive(PartialEq, Properties)]
pub struct RuleTableProps {
    pub rules: Rc<Vec<ListedRule>>,
    /// What may be done with a rule; none where nothing may be.
    pub on_act: Option<Callback<(RuleAct, ListedRule)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAct {
    Enable,
    Disable,
    Delete,
}

#[component]
pub fn RuleTable(props: &RuleTableProps) -> Html {
    html! {
        <div class="table-frame" tabindex="0">
            <table class="rules">
                <thead><tr>
                    { for ["State", "Rule", "Fires when", "Severity", "Channels", "Last changed"].map(|name| html! { <th scope="col">{ name }</th> }) }
                    if props.on_act.is_some() { <th scope="col"><span class="visually-hidden">{ "Actions" }</span></th> }
                </tr></thead>
                <tbody>{ for props.rules.iter().map(|rule| row(props, rule)) }</tbody>
            </table>
        </div>
    }
}

fn row(props: &RuleTableProps, listed: &ListedRule) -> Html {
    let rule = &listed.rule;
    let (text, tone) = words::rule_state(listed);
    let incidents = AlertsView { rule: listed.name.clone(), ..AlertsView::of(Tab::Incidents) };
    let state = if listed.firing > 0 {
        html! { <Link to={incidents.place()}>{ marks::state(&text, tone) }</Link> }
    } else {
        marks::state(&text, tone)
    };
    html! {
        <tr key={listed.name.clone()} class={classes!((!rule.enabled).then_some("over"))}>
            <td>{ state }</td>
            <th scope="row">
                <Link to={AlertsView::editing(Tab::Rules, Editing::Old(listed.name.clone())).place()}>{ &rule.title }</Link>
                <span class="cause">{ &listed.name }</span>
            </th>
            <td>{ words::condition(rule) }<span class="cause">{ words::scope(rule) }</span></td>
            <td>{ marks::severity(rule.severity) }</td>
            <td>{ channels(&rule.channels) }</td>
            <td>{ moment(listed.changed_at.millis(), Precision::Minute) }<span class="cause">{ format!("by {}", listed.changed_by) }</span></td>
            if let Some(on_act) = &props.on_act { <td class="row-actions">{ actions(on_act, listed) }</td> }
        </tr>
    }
}

fn channels(names: &[String]) -> Html {
    if names.is_empty() {
        return html! { <span class="hint" title="It fires, and is seen here only">{ "none" }</span> };
    }
    let link = |name: &String| {
        let to = AlertsView::editing(Tab::Channels, Editing::Old(name.clone())).place();
        html! { <><Link {to}>{ name }</Link>{ " " }</> }
    };
    names.iter().map(link).collect()
}

fn actions(on_act: &Callback<(RuleAct, ListedRule)>, listed: &ListedRule) -> Html {
    let act = |act: RuleAct| {
        let listed = listed.clone();
        on_act.reform(move |_| (act, listed.clone()))
    };
    let copy = AlertsView::editing(Tab::Rules, Editing::CopyOf(listed.name.clone())).place();
    let of = |what: &str| format!("{what} {}", listed.rule.title);
    html! {
        <>
            if listed.rule.enabled {
                <button type="button" class="quiet" onclick={act(RuleAct::Disable)} aria-label={of("Disable")}>{ "Disable" }</button>
            } else {
                <button type="button" class="quiet" onclick={act(RuleAct::Enable)} aria-label={of("Enable")}>{ "Enable" }</button>
            }
            <Link to={copy} class="button quiet">{ "Duplicate" }</Link>
            <button type="button" class="quiet" onclick={act(RuleAct::Delete)} aria-label={of("Delete")}>{ "Delete" }</button>
        </>
    }
}
