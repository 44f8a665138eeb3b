//! The notifier of alerts.
//!
//! owns: how many messages each channel was sent lately and which are being sent; what became of messages, until that is
//! committed. hears: its own timer, and what became of messages. tells: receivers outside, only while this node leads the
//! control group; and that group what became of it, whoever leads by then. bound: one message of the timer, sent when the
//! last was handled, and one for each channel; what is to be sent are rows of the committed outbox. on restart: it goes on
//! with the outbox; what was sent and not yet written down is sent again, under the same key.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use insighthub_model::Timestamp;
use insighthub_model::alerts::{BreakerState, Channel, Notice};
use insighthub_storage::control::ControlCommand;
use insighthub_storage::control::alerts::{AlertCommand, Alerts, FailedAttempt, Outcome, Row};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::AlertingOptions;
use super::delivery::{Letter, NotDelivered, Pace, RETRY_AFTER_SECS_MAX, retry_at};
use crate::mailbox::{Mailbox, Queued};

const DRAIN_EVERY: Duration = Duration::from_millis(500);
/// The control state is known to be whole by then, or another node leads.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(5);
/// Messages under way to one channel. Channels do not wait for each other: one that hangs holds up nobody else.
const UNDER_WAY_MAX: usize = 4;
/// Beyond so many that wait for one channel, they are sent as one message.
const WAITING_UNTIL_STORM: usize = 5;
/// Messages that one of a storm stands for.
const JOINED_MAX: usize = 200;
/// Outcomes of one command.
const OUTCOMES_MAX: usize = 500;

#[derive(Debug)]
pub(crate) enum NotifierMessage {
    Drain,
    /// All that was chosen for a channel has been tried.
    Tried {
        channel: String,
        outcomes: Vec<Outcome>,
        /// The receiver asks not to be called before.
        quiet_until: Option<Timestamp>,
    },
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Notifier;

#[derive(Debug, Clone)]
pub(crate) struct NotifierArguments {
    pub(crate) options: AlertingOptions,
    pub(crate) mailbox: Mailbox<NotifierMessage>,
}

#[derive(Debug)]
pub(crate) struct State {
    arguments: NotifierArguments,
    paces: BTreeMap<String, Pace>,
    /// Channels that are being sent to.
    busy: BTreeSet<String>,
    /// What became of rows, by row, until it is committed: what a receiver has taken is not sent again because the group had
    /// no leader just then. No more than were under way when the group stopped answering.
    unwritten: BTreeMap<u64, Outcome>,
    /// As of the last round: what was committed before it led is read first.
    leads_in: Option<u64>,
}

/// One message to be sent now: a row, and those it stands for as well.
#[derive(Clone, Debug, PartialEq)]
struct Parcel {
    rows: Vec<u64>,
    channel_name: String,
    channel: Channel,
    notice: Notice,
    also: Vec<Notice>,
    /// Of the first row.
    attempts: u32,
}

impl Actor for Notifier {
    type Msg = Queued<NotifierMessage>;
    type State = State;
    type Arguments = NotifierArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: NotifierArguments,
    ) -> Result<State, ActorProcessingErr> {
        let state = State {
            arguments,
            paces: BTreeMap::new(),
            busy: BTreeSet::new(),
            unwritten: BTreeMap::new(),
            leads_in: None,
        };
        state.drain_later(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            NotifierMessage::Drain => {
                state.drain().await;
                state.drain_later(&myself);
            }
            NotifierMessage::Tried { channel, outcomes, quiet_until } => {
                state.unwritten.extend(outcomes.into_iter().map(|outcome| (outcome.row, outcome)));
                state.write_down().await;
                if let (Some(until), Some(pace)) = (quiet_until, state.paces.get_mut(&channel)) {
                    pace.rest_until(until);
                }
                state.busy.remove(&channel);
            }
        }
        Ok(())
    }
}

impl State {
    fn drain_later(&self, myself: &ActorRef<Queued<NotifierMessage>>) {
        let mailbox = self.arguments.mailbox.clone();
        myself.send_after(DRAIN_EVERY, move || mailbox.enqueue(NotifierMessage::Drain));
    }

    async fn drain(&mut self) {
        self.write_down().await;
        let options = self.arguments.options.clone();
        let control = &options.cluster.store.control;
        let leadership = control.group.leadership();
        if !leadership.leads || control.group.is_handing_over() {
            self.leads_in = None;
            return;
        }
        if control.replica.read(|state| state.alerts.outbox.is_empty()) && self.leads_in.is_some() {
            return;
        }
        // Somebody else may lead by now and have sent all of it.
        if !options.cluster.catch_up_control(Instant::now() + CATCH_UP_WITHIN).await {
            return;
        }
        self.leads_in = Some(leadership.term);
        let now = options.clock.now();
        let (paces, busy, tried) = (&mut self.paces, &self.busy, &self.unwritten);
        let is_free = |id: u64, row: &Row| !busy.contains(&row.channel) && !tried.contains_key(&id);
        let parcels = control.replica.read(|state| choose(&state.alerts, now, paces, is_free));
        for (channel, parcels) in parcels {
            self.busy.insert(channel.clone());
            let (options, mailbox) = (options.clone(), self.arguments.mailbox.clone());
            // A task of its own: also where it panics the channel is not busy any more.
            let trying = tokio::spawn(deliver_all(options, parcels));
            tokio::spawn(async move {
                let (outcomes, quiet_until) = trying.await.unwrap_or_default();
                let tried = NotifierMessage::Tried { channel, outcomes, quiet_until };
                if let Err(error) = mailbox.send(tried) {
                    tracing::debug!(%error, "what became of messages is not written down; they may be sent again");
                }
            });
        }
    }

    /// Twice does no harm: a row that is gone is passed over.
    async fn write_down(&mut self) {
        let cluster = &self.arguments.options.cluster;
        while !self.unwritten.is_empty() {
            let outcomes: Vec<Outcome> = self.unwritten.values().take(OUTCOMES_MAX).cloned().collect();
            let rows: Vec<u64> = outcomes.iter().map(|outcome| outcome.row).collect();
            let command = AlertCommand::Delivered(outcomes);
            if let Err(error) = cluster.propose_control(ControlCommand::Alert(command)).await {
                tracing::info!(%error, "what became of messages is not written down yet");
                return;
            }
            rows.iter().for_each(|row| drop(self.unwritten.remove(row)));
        }
    }
}

/// What is sent now: rows that are due, to channels that are not left alone, no faster than each may be sent. Of a channel
/// whose breaker is half open, one. By channel.
fn choose(
    alerts: &Alerts,
    now: Timestamp,
    paces: &mut BTreeMap<String, Pace>,
    is_free: impl Fn(u64, &Row) -> bool,
) -> BTreeMap<String, Vec<Parcel>> {
    paces.retain(|name, _| alerts.channels.contains_key(name));
    let mut due: BTreeMap<&str, Vec<(u64, &Row)>> = BTreeMap::new();
    for (id, row) in alerts.outbox.iter().filter(|(id, row)| row.next_at <= now && is_free(**id, row)) {
        due.entry(&row.channel).or_default().push((*id, row));
    }
    let mut by_channel = BTreeMap::new();
    for (name, mut rows) in due {
        let Some(entry) = alerts.channels.get(name).filter(|entry| entry.channel.enabled) else { continue };
        let pace = paces.entry(name.to_owned()).or_insert_with(|| Pace::new(now));
        if entry.health.last_error.is_none() {
            pace.rest_no_more();
        }
        let parcel = |rows: &[(u64, &Row)]| {
            let (_, first) = rows.first()?;
            Some(Parcel {
                rows: rows.iter().map(|(id, _)| *id).collect(),
                channel_name: name.to_owned(),
                channel: entry.channel.clone(),
                notice: first.notice.clone(),
                also: rows.iter().skip(1).map(|(_, row)| row.notice.clone()).collect(),
                attempts: first.attempts,
            })
        };
        let mut parcels = Vec::new();
        match entry.health.breaker.state(now) {
            BreakerState::Open => {}
            BreakerState::HalfOpen => {
                rows.truncate(1);
                parcels.extend(parcel(&rows).filter(|_| pace.take(now)));
            }
            BreakerState::Closed if rows.len() > WAITING_UNTIL_STORM => {
                rows.truncate(JOINED_MAX);
                parcels.extend(parcel(&rows).filter(|_| pace.take(now)));
            }
            BreakerState::Closed => {
                for row in &rows {
                    if pace.take(now) {
                        parcels.extend(parcel(std::slice::from_ref(row)));
                    }
                }
            }
        }
        if !parcels.is_empty() {
            by_channel.insert(name.to_owned(), parcels);
        }
    }
    by_channel
}

type Tried = (Vec<Outcome>, Option<Timestamp>);

async fn deliver_all(options: AlertingOptions, parcels: Vec<Parcel>) -> Tried {
    let sending = parcels.into_iter().map(|parcel| deliver(&options, parcel));
    let tried: Vec<Tried> = futures::stream::iter(sending).buffer_unordered(UNDER_WAY_MAX).collect().await;
    let quiet_until = tried.iter().filter_map(|(_, until)| *until).max();
    (tried.into_iter().flat_map(|(outcomes, _)| outcomes).collect(), quiet_until)
}

async fn deliver(options: &AlertingOptions, parcel: Parcel) -> Tried {
    let letter = Letter {
        notice: &parcel.notice,
        channel_name: &parcel.channel_name,
        also: &parcel.also,
        link: options.outgoing.link(&parcel.notice),
        now: options.clock.now(),
    };
    let sent = options.outgoing.send(&parcel.channel, &letter).await;
    let at = options.clock.now();
    let asked = sent.as_ref().err().and_then(|failed| failed.retry_after_secs);
    let quiet_until = asked.map(|secs| at.plus_secs(secs.min(RETRY_AFTER_SECS_MAX)));
    let result = match sent {
        Ok(()) => {
            tracing::info!(
                channel = parcel.channel_name,
                incident = parcel.notice.incident,
                "an alert was delivered"
            );
            Ok(())
        }
        Err(failed) => {
            let (channel, error) = (&parcel.channel_name, &failed.error);
            tracing::warn!(
                channel,
                incident = parcel.notice.incident,
                error,
                "an alert was not delivered and is tried again"
            );
            Err(failed_attempt(failed, at, parcel.attempts))
        }
    };
    let outcomes = parcel.rows.iter().map(|row| Outcome { row: *row, at, result: result.clone() }).collect();
    (outcomes, quiet_until)
}

fn failed_attempt(failed: NotDelivered, at: Timestamp, attempts: u32) -> FailedAttempt {
    let NotDelivered { error, failure, retry_after_secs } = failed;
    let next_at = retry_at(at, attempts, failure, retry_after_secs, chance(at));
    FailedAttempt { error, failure, next_at }
}

/// 0 to 1: messages that failed together must not come back together. The clock's last digits are chance enough.
fn chance(at: Timestamp) -> f64 {
    let mixed = (at.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
    mixed as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
#[path = "notifier_tests.rs"]
mod tests;
