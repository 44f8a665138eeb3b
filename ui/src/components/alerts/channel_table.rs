//! Channels, one in a row.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::marks;
use crate::api::alerts::{ListedChannel, Tried};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words;
use crate::state::format::{self, Precision};
use crate::state::page::View;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelAct {
    Test,
    Delete,
}

/// What a test of a channel came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub channel: String,
    /// `None`: under way.
    pub outcome: Option<Result<Tried, String>>,
}

#[derive(PartialEq, Properties)]
pub struct ChannelTableProps {
    pub channels: Rc<Vec<ListedChannel>>,
    pub trial: Option<Trial>,
    /// What may be done with a channel; none where nothing may be.
    pub on_act: Option<Callback<(ChannelAct, ListedChannel)>>,
}

#[component]
pub fn ChannelTable(props: &ChannelTableProps) -> Html {
    html! {
        <div class="table-frame" tabindex="0">
            <table class="channels">
                <thead><tr>
                    { for ["State", "Channel", "Leads to", "Waiting", "Delivered", "Last error", "Rules"].map(|name| html! { <th scope="col">{ name }</th> }) }
                    if props.on_act.is_some() { <th scope="col"><span class="visually-hidden">{ "Actions" }</span></th> }
                </tr></thead>
                <tbody>{ for props.channels.iter().map(|channel| row(props, channel)) }</tbody>
            </table>
        </div>
    }
}

fn row(props: &ChannelTableProps, listed: &ListedChannel) -> Html {
    let name = match &props.on_act {
        Some(_) => {
            let to = AlertsView::editing(Tab::Channels, Editing::Old(listed.name.clone())).place();
            html! { <Link {to}>{ &listed.name }</Link> }
        }
        None => html! { &listed.name },
    };
    html! {
        <tr key={listed.name.clone()}>
            <td>{ breaker(listed) }</td>
            <th scope="row">{ name }<span class="cause">{ listed.channel.kind_name() }</span></th>
            <td class="wrap">{ &listed.receiver }</td>
            <td class="number">{ waiting(listed) }</td>
            <td>{ delivered(listed) }</td>
            <td class="wrap">{ last_error(listed) }</td>
            <td>{ rules(&listed.rules) }</td>
            if let Some(on_act) = &props.on_act { <td class="row-actions">{ actions(props, on_act, listed) }</td> }
        </tr>
    }
}

pub fn breaker(listed: &ListedChannel) -> Html {
    let (text, tone) = words::breaker(listed);
    match listed.health.breaker.open_until.filter(|_| tone == "bad") {
        Some(until) => html! {
            <span class="state bad" title={format!("{} failures in a row", listed.health.breaker.failures)}>
                <span>{ text }{ " " }{ moment(until.millis(), Precision::Second) }</span></span>
        },
        None => marks::state(text, tone),
    }
}

fn waiting(listed: &ListedChannel) -> Html {
    let to = AlertsView {
        channel: listed.name.clone(),
        state: "waiting".to_owned(),
        ..AlertsView::of(Tab::Deliveries)
    };
    if listed.waiting == 0 {
        html! { "0" }
    } else {
        html! { <Link to={to.place()}>{ listed.waiting }</Link> }
    }
}

fn delivered(listed: &ListedChannel) -> Html {
    let health = &listed.health;
    html! {
        <>
            { format::count(health.delivered) }
            if let Some(at) = health.last_success_at { <span class="cause">{ "last " }{ moment(at.millis(), Precision::Minute) }</span> }
            if health.given_up > 0 { <span class="cause bad">{ format!("{} given up", format::count(health.given_up)) }</span> }
        </>
    }
}

fn last_error(listed: &ListedChannel) -> Html {
    let health = &listed.health;
    match &health.last_error {
        Some(error) => html! {
            <>{ error }if let Some(at) = health.last_failure_at { <span class="cause">{ moment(at.millis(), Precision::Minute) }</span> }</>
        },
        None => html! { <span class="hint">{ "none" }</span> },
    }
}

fn rules(names: &[String]) -> Html {
    if names.is_empty() {
        return html! { <span class="hint">{ "none" }</span> };
    }
    let link = |name: &String| {
        let to = AlertsView::editing(Tab::Rules, Editing::Old(name.clone())).place();
        html! { <><Link {to}>{ name }</Link>{ " " }</> }
    };
    names.iter().map(link).collect()
}

fn actions(
    props: &ChannelTableProps,
    on_act: &Callback<(ChannelAct, ListedChannel)>,
    listed: &ListedChannel,
) -> Html {
    let act = |act: ChannelAct| {
        let listed = listed.clone();
        on_act.reform(move |_| (act, listed.clone()))
    };
    let trial = props.trial.as_ref().filter(|trial| trial.channel == listed.name);
    let is_trying = trial.is_some_and(|trial| trial.outcome.is_none());
    html! {
        <>
            <button type="button" onclick={act(ChannelAct::Test)} disabled={is_trying}
                aria-label={format!("Send a test to {}", listed.name)}>{ if is_trying { "Sending" } else { "Send a test" } }</button>
            <button type="button" class="quiet" onclick={act(ChannelAct::Delete)} aria-label={format!("Delete {}", listed.name)}>{ "Delete" }</button>
            <span role="status">{ trial.and_then(|trial| trial.outcome.as_ref()).map(outcome) }</span>
        </>
    }
}

fn outcome(outcome: &Result<Tried, String>) -> Html {
    match outcome {
        Ok(Tried { delivered: true, .. }) => {
            html! { <span class="cause good">{ "The receiver took the test." }</span> }
        }
        Ok(Tried { error, .. }) => html! {
            <span class="cause bad">{ format!("Not delivered: {}", error.as_deref().unwrap_or("no reason was given")) }</span>
        },
        Err(error) => html! { <span class="cause bad">{ format!("The test was not sent: {error}") }</span> },
    }
}
