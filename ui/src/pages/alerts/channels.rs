//! Where alerts are told: channels, whether they work, and a test of each.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html};

use super::channel_editor::ChannelEditor;
use crate::api::alerts::ListedChannel;
use crate::components::alerts::channel_table::{ChannelAct, ChannelTable, Trial};
use crate::components::forms::confirm::Confirm;
use crate::components::link::Link;
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::state::{State, use_state_eq};
use crate::network::requests;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::page::View;

const RENEW_MS: u32 = 5_000;

#[derive(PartialEq, Properties)]
pub(super) struct ChannelsTabProps {
    pub(super) editing: Option<Editing>,
}

#[component]
pub(super) fn ChannelsTab(props: &ChannelsTabProps) -> Html {
    let app = use_app();
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::alerts::channels()));
    let deleting = use_state_eq(|| None::<ListedChannel>);
    let trial = use_state_eq(|| None::<Trial>);
    let leave = {
        let (deleting, open, again) = (deleting.clone(), app.open.clone(), asked.again.clone());
        Callback::from(move |()| {
            deleting.set(None);
            open.emit(AlertsView::of(Tab::Channels).place());
            again.emit(());
        })
    };
    let on_act = app.is_admin().then(|| {
        let (deleting, trial, again) = (deleting.clone(), trial.clone(), asked.again.clone());
        Callback::from(move |(act, listed): (ChannelAct, ListedChannel)| match act {
            ChannelAct::Delete => deleting.set(Some(listed)),
            ChannelAct::Test => test(trial.clone(), listed.name, again.clone()),
        })
    });
    let editing = props.editing.clone().filter(|_| app.is_admin());
    html! {
        <>
            if app.is_admin() {
                <div class="toolbar"><Link to={AlertsView::editing(Tab::Channels, Editing::New).place()} class="button primary">{ "New channel" }</Link></div>
            }
            { states::shown(&asked, states::skeleton_lines(4), |channels: &Rc<Vec<ListedChannel>>| html! {
                <>
                    { list(channels, (*trial).clone(), on_act.clone()) }
                    { editing.map(|editing| html! { <ChannelEditor {editing} channels={channels.clone()} on_close={leave.clone()} /> }) }
                </>
            }) }
            if let Some(channel) = &*deleting { <DeleteChannel channel={channel.clone()} on_close={leave.clone()} /> }
        </>
    }
}

fn list(
    channels: &Rc<Vec<ListedChannel>>,
    trial: Option<Trial>,
    on_act: Option<Callback<(ChannelAct, ListedChannel)>>,
) -> Html {
    if channels.is_empty() {
        return html! {
            <Empty title="No channels"><p>{ "Alerts fire and are seen here, and nobody is told. A channel is where messages go: Slack, e-mail, or any address that takes JSON." }</p></Empty>
        };
    }
    html! { <ChannelTable channels={channels.clone()} {trial} {on_act} /> }
}

fn test(trial: State<Option<Trial>>, name: String, again: Callback<()>) {
    trial.set(Some(Trial { channel: name.clone(), outcome: None }));
    spawn_local(async move {
        let outcome = requests::alerts::test_channel(name.clone()).await.map_err(|error| error.message);
        trial.set(Some(Trial { channel: name, outcome: Some(outcome) }));
        again.emit(());
    });
}

#[derive(PartialEq, Properties)]
struct DeleteChannelProps {
    channel: ListedChannel,
    on_close: Callback<()>,
}

#[component]
fn DeleteChannel(props: &DeleteChannelProps) -> Html {
    let channel = &props.channel;
    let name = channel.name.clone();
    let ask =
        Callback::from(move |()| -> Asking<()> { Box::pin(requests::alerts::remove_channel(name.clone())) });
    html! {
        <Confirm title={format!("Delete channel {}?", channel.name)} action="Delete channel" {ask}
            on_done={props.on_close.clone()} on_close={props.on_close.clone()}>
            if channel.rules.is_empty() {
                <p>{ "Its address and secrets are forgotten, and messages that wait for it are dropped. It cannot be undone." }</p>
            } else {
                <p>{ format!("These rules tell it: {}. Take it out of them first; until then it cannot be deleted.", channel.rules.join(", ")) }</p>
            }
        </Confirm>
    }
}
