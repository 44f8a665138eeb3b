//! Messages that have left the outbox: delivered, or given up. The newest are kept, for people who ask what was told.

use insighthub_model::Timestamp;
use insighthub_model::alerts::TransitionKind;
use insighthub_model::api::alerts::{DeliveryState, ListedDelivery};
use insighthub_model::limits::ALERT_SETTLED_MAX;
use serde::{Deserialize, Serialize};

use super::{Alerts, Row};

/// One message that is not tried any more. Its number is that of its row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    channel: String,
    incident: u64,
    transition: u32,
    rule: String,
    heading: String,
    kind: TransitionKind,
    queued_at: Timestamp,
    attempts: u32,
    /// Of the last attempt that failed, or why it was given up.
    last_error: Option<String>,
    is_delivered: bool,
    /// `None`: its channel was removed, and that says no time.
    settled_at: Option<Timestamp>,
}

impl Alerts {
    /// Keeps what became of a message; `given_up` says why it did not arrive.
    pub(super) fn settle(&mut self, number: u64, row: &Row, at: Option<Timestamp>, given_up: Option<&str>) {
        let settled = Settled {
            channel: row.channel.clone(),
            incident: row.notice.incident,
            transition: row.notice.transition,
            rule: row.notice.rule.clone(),
            heading: row.notice.heading.clone(),
            kind: row.notice.kind,
            queued_at: row.posted_at,
            attempts: row.attempts,
            last_error: given_up.map(str::to_owned).or_else(|| row.last_error.clone()),
            is_delivered: given_up.is_none(),
            settled_at: at,
        };
        self.settled.insert(number, settled);
        if self.settled.len() > ALERT_SETTLED_MAX {
            self.settled.pop_first();
        }
    }

    /// Messages that wait and those that are kept, newest first.
    pub fn deliveries(&self) -> impl Iterator<Item = ListedDelivery> {
        let (mut waiting, mut settled) =
            (self.outbox.iter().rev().peekable(), self.settled.iter().rev().peekable());
        std::iter::from_fn(move || {
            let newest_waits = match (waiting.peek(), settled.peek()) {
                (Some((waiting, _)), Some((settled, _))) => waiting > settled,
                (waiting, _) => waiting.is_some(),
            };
            match newest_waits {
                true => waiting.next().map(|(number, row)| of_row(*number, row)),
                false => settled.next().map(|(number, settled)| of_settled(*number, settled)),
            }
        })
    }
}

fn of_row(number: u64, row: &Row) -> ListedDelivery {
    ListedDelivery {
        number,
        channel: row.channel.clone(),
        incident: row.notice.incident,
        transition: row.notice.transition,
        rule: row.notice.rule.clone(),
        heading: row.notice.heading.clone(),
        kind: row.notice.kind,
        state: DeliveryState::Waiting,
        queued_at: row.posted_at,
        attempts: row.attempts,
        last_error: row.last_error.clone(),
        next_attempt_at: Some(row.next_at),
        delivered_at: None,
        given_up_at: None,
    }
}

fn of_settled(number: u64, settled: &Settled) -> ListedDelivery {
    let Settled { channel, rule, heading, last_error, settled_at, .. } = settled.clone();
    ListedDelivery {
        number,
        channel,
        incident: settled.incident,
        transition: settled.transition,
        rule,
        heading,
        kind: settled.kind,
        state: if settled.is_delivered { DeliveryState::Delivered } else { DeliveryState::GivenUp },
        queued_at: settled.queued_at,
        attempts: settled.attempts,
        last_error,
        next_attempt_at: None,
        delivered_at: settled_at.filter(|_| settled.is_delivered),
        given_up_at: settled_at.filter(|_| !settled.is_delivered),
    }
}
