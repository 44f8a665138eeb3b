//! Messages to channels, one in a row.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::channel_table::breaker;
use super::marks;
use crate::api::alerts::{Deliveries, DeliveryState, ListedChannel, ListedDelivery};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::AlertsView;
use crate::state::alerts::words;
use crate::state::format::Precision;
use crate::state::page::View;

#[derive(PartialEq, Properties)]
pub struct DeliveryTableProps {
    pub deliveries: Rc<Deliveries>,
    pub channels: Rc<Vec<ListedChannel>>,
}

#[component]
pub fn DeliveryTable(props: &DeliveryTableProps) -> Html {
    let names = ["Queued", "Message", "About", "Channel", "Outcome", "Attempts", "Last error"];
    html! {
        <div class="table-frame" tabindex="0">
            <table class="deliveries">
                <thead><tr>{ for names.map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
                <tbody>{ for props.deliveries.deliveries.iter().map(|delivery| row(props, delivery)) }</tbody>
            </table>
        </div>
    }
}

fn row(props: &DeliveryTableProps, delivery: &ListedDelivery) -> Html {
    let channel = props.channels.iter().find(|channel| channel.name == delivery.channel);
    html! {
        <tr key={delivery.number}>
            <td>{ moment(delivery.queued_at.millis(), Precision::Second) }</td>
            <th scope="row">{ &delivery.heading }<span class="cause">{ words::transition(delivery.kind) }</span></th>
            <td><Link to={AlertsView::of_incident(delivery.incident).place()}>{ format!("Incident {}", delivery.incident) }</Link>
                <span class="cause">{ &delivery.rule }</span></td>
            <td>{ &delivery.channel }<span class="cause">{ channel.map(breaker) }</span></td>
            <td>{ outcome(delivery) }</td>
            <td class="number">{ delivery.attempts }</td>
            <td class="wrap">{ delivery.last_error.as_deref().unwrap_or("") }</td>
        </tr>
    }
}

fn outcome(delivery: &ListedDelivery) -> Html {
    let (text, tone, at, when) = match delivery.state {
        DeliveryState::Waiting => ("Waiting", "pending", delivery.next_attempt_at, "tried again "),
        DeliveryState::Delivered => ("Delivered", "good", delivery.delivered_at, ""),
        DeliveryState::GivenUp => ("Given up", "bad", delivery.given_up_at, ""),
    };
    html! {
        <>
            { marks::state(text, tone) }
            if let Some(at) = at { <span class="cause">{ when }{ moment(at.millis(), Precision::Second) }</span> }
        </>
    }
}
