//! The outbox: a row for each message that a channel has not taken yet.

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Delivery, Notice};
use insighthub_model::limits::{ALERT_DELIVERY_SECS_MAX, ALERT_OUTBOX_MAX, ALERT_TRANSITIONS_MAX};
use serde::{Deserialize, Serialize};

use super::{Alerts, Outcome};

/// Of what a receiver said of a failure.
const ERROR_BYTES_MAX: usize = 300;

/// One message to one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub channel: String,
    pub notice: Notice,
    pub posted_at: Timestamp,
    /// Not tried before.
    pub next_at: Timestamp,
    pub attempts: u32,
    pub last_error: Option<String>,
}

impl Alerts {
    pub(super) fn post(&mut self, channel: String, notice: Notice, at: Timestamp) {
        if self.outbox.len() >= ALERT_OUTBOX_MAX
            && let Some((number, oldest)) = self.outbox.pop_first()
        {
            self.give_up(number, &oldest, at, "newer messages took its place");
        }
        self.last_row += 1;
        let row = Row { channel, notice, posted_at: at, next_at: at, attempts: 0, last_error: None };
        self.outbox.insert(self.last_row, row);
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) {
        let Some(row) = self.outbox.get_mut(&outcome.row) else { return };
        row.attempts = row.attempts.saturating_add(1);
        let health = self.channels.get_mut(&row.channel).map(|entry| &mut entry.health);
        match outcome.result {
            Ok(()) => {
                if let Some(health) = health {
                    health.breaker.succeeded();
                    health.last_success_at = Some(outcome.at);
                    health.last_error = None;
                    health.delivered += 1;
                }
                if let Some(row) = self.outbox.remove(&outcome.row) {
                    self.settle(outcome.row, &row, Some(outcome.at), None);
                    self.record(&row, outcome.at, None);
                }
            }
            Err(failed) => {
                let error: String = cut(&failed.error);
                if let Some(health) = health {
                    health.breaker.failed(outcome.at);
                    health.last_failure_at = Some(outcome.at);
                    health.last_error = Some(error.clone());
                }
                row.next_at = failed.next_at;
                row.last_error = Some(error.clone());
                if failed.next_at > row.posted_at.plus_secs(ALERT_DELIVERY_SECS_MAX)
                    && let Some(row) = self.outbox.remove(&outcome.row)
                {
                    self.give_up(outcome.row, &row, outcome.at, &format!("given up after a day: {error}"));
                }
            }
        }
    }

    fn give_up(&mut self, number: u64, row: &Row, at: Timestamp, why: &str) {
        self.settle(number, row, Some(at), Some(why));
        if let Some(entry) = self.channels.get_mut(&row.channel) {
            entry.health.given_up += 1;
        }
        self.record(row, at, Some(why.to_owned()));
    }

    fn record(&mut self, row: &Row, at: Timestamp, error: Option<String>) {
        let Some(incident) = self.incidents.get_mut(&row.notice.incident) else { return };
        if incident.deliveries.len() >= ALERT_TRANSITIONS_MAX {
            incident.deliveries.remove(0);
        }
        incident.deliveries.push(Delivery {
            channel: row.channel.clone(),
            transition: row.notice.transition,
            at,
            attempts: row.attempts,
            error,
        });
    }
}

fn cut(text: &str) -> String {
    let mut end = ERROR_BYTES_MAX.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
