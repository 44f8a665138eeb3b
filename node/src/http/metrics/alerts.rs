//! Alerts: what fires, what waits to be told, how the channels do. Of the control state, so that every node says the same; in
//! a query take the maximum over nodes.

use insighthub_model::alerts::BreakerState;

use super::super::Node;
use super::page::{Kind, Page};

struct Channel {
    name: String,
    delivered: u64,
    given_up: u64,
    is_broken: bool,
    waiting: usize,
}

pub(super) fn write(node: &Node, page: &mut Page) {
    let now = node.clock.now();
    let (rules, firing, channels) = node.store.control.replica.read(|state| {
        let alerts = &state.alerts;
        let channels: Vec<Channel> = alerts
            .channels
            .iter()
            .map(|(name, entry)| Channel {
                name: name.clone(),
                delivered: entry.health.delivered,
                given_up: entry.health.given_up,
                is_broken: entry.health.breaker.state(now) != BreakerState::Closed,
                waiting: alerts.outbox.values().filter(|row| row.channel == *name).count(),
            })
            .collect();
        (alerts.rules.len(), alerts.firing().count(), channels)
    });
    page.gauge("insighthub_alert_rules", "Rules there are.", rules as f64);
    page.gauge("insighthub_alert_incidents_firing", "Incidents that are going on.", firing as f64);
    let help = "Messages by channel and what became of them.";
    let mut family = page.family(Kind::Counter, "insighthub_alert_deliveries_total", help);
    for channel in &channels {
        family.sample(&[("channel", &channel.name), ("result", "delivered")], channel.delivered as f64);
        family.sample(&[("channel", &channel.name), ("result", "given_up")], channel.given_up as f64);
    }
    let help = "Messages that a channel has not taken yet.";
    let mut family = page.family(Kind::Gauge, "insighthub_alert_deliveries_waiting", help);
    channels.iter().for_each(|channel| family.sample(&[("channel", &channel.name)], channel.waiting as f64));
    let help = "1 where a channel has failed so often that it is left alone for a while.";
    let mut family = page.family(Kind::Gauge, "insighthub_alert_channel_broken", help);
    for channel in &channels {
        family.sample(&[("channel", &channel.name)], f64::from(u8::from(channel.is_broken)));
    }
}
