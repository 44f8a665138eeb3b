//! The way out of a node: one message to one channel, once. Retries, and what of it is kept, are the notifier's.
//!
//! Nothing is sent to an address that the guard has not seen, and nothing that a receiver or a record says is markup.

mod email;
mod guard;
mod pace;
mod slack;
mod webhook;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Channel, ChannelKind, Failure, Notice};
use insighthub_model::timestamp::NANOS_PER_SEC;

pub use guard::{AllowList, AllowListError, Guard, GuardError};
pub(super) use pace::{Pace, RETRY_AFTER_SECS_MAX, retry_at};

/// A receiver that has not answered by then is down.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Of what a receiver answers; the rest is not read.
const ANSWER_BYTES_MAX: usize = 4_096;

/// How this node reaches others.
#[derive(Debug)]
pub struct Outgoing {
    pub guard: Guard,
    /// Where people reach the dashboard; links begin with it.
    pub public_url: String,
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct NotDelivered {
    pub error: String,
    pub failure: Failure,
    /// The receiver asks not to be called before.
    pub retry_after_secs: Option<u64>,
}

impl NotDelivered {
    fn passing(error: impl fmt::Display) -> NotDelivered {
        NotDelivered { error: error.to_string(), failure: Failure::Passing, retry_after_secs: None }
    }

    fn refused(error: impl fmt::Display) -> NotDelivered {
        NotDelivered { error: error.to_string(), failure: Failure::Refused, retry_after_secs: None }
    }
}

/// One message, with what of it depends on this node.
#[derive(Debug)]
pub struct Letter<'a> {
    pub notice: &'a Notice,
    pub channel_name: &'a str,
    /// Messages of a storm that this one stands for as well.
    pub also: &'a [Notice],
    pub link: String,
    pub now: Timestamp,
}

impl Outgoing {
    /// Sends one message.
    pub async fn send(&self, channel: &Channel, letter: &Letter<'_>) -> Result<(), NotDelivered> {
        let sending = async {
            match &channel.kind {
                ChannelKind::Slack(slack) => slack::send(self, slack, letter).await,
                ChannelKind::Email(email) => email::send(self, email, letter).await,
                ChannelKind::Webhook(webhook) => webhook::send(self, webhook, letter).await,
            }
        };
        // Whatever hangs inside ends here.
        let late = || NotDelivered::passing(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
        tokio::time::timeout(ANSWER_WITHIN + CONNECT_WITHIN, sending).await.map_err(|_| late())?
    }

    /// The records of the window, in the dashboard: a minute more of them, as the alert may be read while it goes on.
    pub fn link(&self, notice: &Notice) -> String {
        let evidence = &notice.evidence;
        let until = Timestamp(evidence.to.0.saturating_add(60 * NANOS_PER_SEC));
        let query = match evidence.query.as_str() {
            "*" => "",
            query => query,
        };
        let address = self.public_url.trim_end_matches('/');
        let mut link = format!("{address}/explore?from={}&to={until}&q=", evidence.from);
        for byte in query.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    link.push(char::from(byte))
                }
                other => link.push_str(&format!("%{other:02X}")),
            }
        }
        link
    }

    /// A client that connects to these checked addresses and nowhere else: no redirects, no proxies.
    fn http_client(&self, host: &str, addresses: &[SocketAddr]) -> Result<reqwest::Client, NotDelivered> {
        reqwest::Client::builder()
            .resolve_to_addrs(host, addresses)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent("insighthub-alerts")
            .build()
            .map_err(NotDelivered::refused)
    }

    /// Posts a body to an address that is checked first, and says what was answered.
    async fn post(
        &self,
        url: &str,
        headers: reqwest::header::HeaderMap,
        body: Vec<u8>,
    ) -> Result<String, NotDelivered> {
        let url = reqwest::Url::parse(url).map_err(NotDelivered::refused)?;
        let host = url.host_str().ok_or_else(|| NotDelivered::refused("the address has no host"))?.to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses = self.guard.resolve(&host, port).await.map_err(not_reached)?;
        let client = self.http_client(&host, &addresses)?;
        let sent = client.post(url).headers(headers).body(body).send().await;
        // The address may be a password: it stands in no error.
        let mut response = sent.map_err(|error| NotDelivered::passing(innermost(&error.without_url())))?;
        let status = response.status();
        let retry_after_secs = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut answer = Vec::new();
        while answer.len() < ANSWER_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(part)) => answer.extend_from_slice(&part),
                Ok(None) => break,
                Err(error) if status.is_success() => {
                    tracing::debug!(error = %error.without_url(), "a receiver took a message and broke off its answer");
                    break;
                }
                Err(error) => return Err(NotDelivered::passing(innermost(&error.without_url()))),
            }
        }
        answer.truncate(ANSWER_BYTES_MAX);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        match status.as_u16() {
            200..=299 => Ok(answer),
            code => {
                let error = format!("the receiver answered {code}: {}", one_line(&answer));
                let passes = matches!(code, 408 | 425 | 429) || code >= 500;
                let failure = if passes { Failure::Passing } else { Failure::Refused };
                Err(NotDelivered { error, failure, retry_after_secs })
            }
        }
    }
}

/// What the guard refuses is not tried again soon; what cannot be looked up may be there later.
fn not_reached(error: GuardError) -> NotDelivered {
    match error {
        GuardError::Unknown { .. } => NotDelivered::passing(error),
        GuardError::Forbidden { .. } | GuardError::NoName(_) => NotDelivered::refused(error),
    }
}

/// The innermost cause says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    one_line(&cause.to_string())
}

/// What a stranger says, on one line and not too long.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(200).collect()
}

/// Lines of the messages a storm has added.
fn also_lines(also: &[Notice]) -> Vec<String> {
    const SHOWN_MAX: usize = 10;
    if also.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("And {} more:", also.len())];
    lines.extend(also.iter().take(SHOWN_MAX).map(|notice| format!("- {}", notice.heading)));
    if also.len() > SHOWN_MAX {
        lines.push(format!("- and {} others", also.len() - SHOWN_MAX));
    }
    lines
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod guard_tests;
#[cfg(test)]
#[path = "inert_tests.rs"]
mod inert_tests;
