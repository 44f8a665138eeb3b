//! What became of messages to channels.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::{Deliveries, ListedChannel};
use crate::components::alerts::delivery_table::DeliveryTable;
use crate::components::choice::Choice;
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::alerts::view::AlertsView;

const RENEW_MS: u32 = 5_000;

#[derive(PartialEq, Properties)]
pub(super) struct DeliveriesTabProps {
    pub(super) view: AlertsView,
    pub(super) show: Callback<AlertsView>,
}

#[component]
pub(super) fn DeliveriesTab(props: &DeliveriesTabProps) -> Html {
    let view = &props.view;
    let key = (view.channel.clone(), view.state.clone());
    let asked = use_answer(key, Some(RENEW_MS), |(channel, state): &(String, String)| {
        let (channel, state) = (channel.clone(), state.clone());
        asking(async move { requests::alerts::deliveries(&channel, &state).await })
    });
    let channels = use_answer((), Some(RENEW_MS), |()| asking(requests::alerts::channels()));
    let channels: Rc<Vec<ListedChannel>> = channels.value().cloned().unwrap_or_default();
    let set = |apply: fn(&mut AlertsView, String)| {
        let view = view.clone();
        props.show.reform(move |value: String| {
            let mut next = view.clone();
            apply(&mut next, value);
            next
        })
    };
    let names =
        channels.iter().map(|channel| (channel.name.clone(), channel.name.clone())).collect::<Vec<_>>();
    let states = [("waiting", "Waiting"), ("delivered", "Delivered"), ("given_up", "Given up")];
    let states = states.map(|(name, title)| (name.to_owned(), title.to_owned())).to_vec();
    html! {
        <>
            <div class="toolbar">
                <Choice all="Every channel" value={view.channel.clone()} options={names} on_change={set(|view, value| view.channel = value)} />
                <Choice all="Every outcome" value={view.state.clone()} options={states} on_change={set(|view, value| view.state = value)} />
            </div>
            { states::shown(&asked, states::skeleton_lines(6), |deliveries: &Rc<Deliveries>| if deliveries.deliveries.is_empty() {
                html! { <Empty title="No messages"><p>{ if view.has_filter() {
                    "No message meets these filters."
                } else {
                    "Nothing has been told to a channel so far. Messages show up here when a rule with channels fires, and stay until newer ones push them out."
                } }</p></Empty> }
            } else {
                html! { <>
                    <DeliveryTable deliveries={deliveries.clone()} channels={channels.clone()} />
                    if deliveries.more { <p class="hint">{ "Only the newest messages are listed." }</p> }
                </> }
            }) }
        </>
    }
}
