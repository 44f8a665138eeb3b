//! Channels: where messages go. What is secret in them is write-only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::breaker::Breaker;
use super::names::{Problem, check_line, check_range};
use super::write_only::WriteOnly;
use crate::Timestamp;
use crate::limits::{ALERT_HEADERS_MAX, ALERT_RECIPIENTS_MAX, ALERT_TEXT_BYTES_MAX};

const URL_BYTES_MAX: usize = 2_048;
const SLACK_API: &str = "https://slack.com/api/chat.postMessage";

/// One channel; its name is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Channel {
    #[serde(default = "yes")]
    pub enabled: bool,
    pub kind: ChannelKind,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Slack(Slack),
    Email(Email),
    Webhook(Webhook),
}

/// By an incoming webhook, or as a bot with a token in one of its channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The address is the password.
    #[serde(default)]
    pub webhook_url: Option<WriteOnly>,
    #[serde(default)]
    pub token: Option<WriteOnly>,
    /// Where the bot writes: `#ops` or an id.
    #[serde(default)]
    pub channel: Option<String>,
    /// Where the bot's messages are sent to.
    #[serde(default = "slack_api")]
    pub api_url: String,
}

fn slack_api() -> String {
    SLACK_API.to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub host: String,
    #[serde(default = "submission")]
    pub port: u16,
    #[serde(default)]
    pub security: Security,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub password: Option<WriteOnly>,
    pub from: String,
    pub to: Vec<String>,
}

fn submission() -> u16 {
    587
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Begins in the clear and must change to TLS.
    #[default]
    Starttls,
    Tls,
    /// In the clear; no password may be given.
    Plain,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Many receivers have no other password than their address.
    pub url: WriteOnly,
    /// Signs every message: `X-InsightHub-Signature`.
    #[serde(default)]
    pub secret: Option<WriteOnly>,
    /// Sent with every message, an `Authorization` for example.
    #[serde(default)]
    pub headers: BTreeMap<String, WriteOnly>,
}

/// How a channel does, as the last attempts have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChannelHealth {
    pub breaker: Breaker,
    pub last_error: Option<String>,
    pub last_failure_at: Option<Timestamp>,
    pub last_success_at: Option<Timestamp>,
    pub delivered: u64,
    /// Given up after a day, or pushed out by newer ones.
    pub given_up: u64,
}

impl Channel {
    /// Whether it can be kept.
    pub fn check(&self) -> Result<(), Problem> {
        match &self.kind {
            ChannelKind::Slack(slack) => slack.check(),
            ChannelKind::Email(email) => email.check(),
            ChannelKind::Webhook(webhook) => webhook.check(),
        }
    }

    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ChannelKind::Slack(_) => "slack",
            ChannelKind::Email(_) => "email",
            ChannelKind::Webhook(_) => "webhook",
        }
    }

    /// Where it leads, without what is secret.
    pub fn receiver(&self) -> String {
        match &self.kind {
            ChannelKind::Slack(Slack { webhook_url: Some(url), .. }) => origin(url.reveal()),
            ChannelKind::Slack(of) => {
                format!("{} {}", origin(&of.api_url), of.channel.as_deref().unwrap_or(""))
            }
            ChannelKind::Email(of) => format!("{}:{}", of.host, of.port),
            ChannelKind::Webhook(of) => origin(of.url.reveal()),
        }
    }

    /// The channel with the secrets that it had before, where they came back as they were shown. Secrets never follow a
    /// channel to another receiver: who may not read them could have them sent to himself.
    pub fn with_secrets_of(mut self, before: Option<&Channel>) -> Result<Channel, Problem> {
        let kind = before.map(|before| &before.kind);
        match (&mut self.kind, kind) {
            (ChannelKind::Slack(now), before) => {
                let before = match before {
                    Some(ChannelKind::Slack(before)) => Some(before),
                    _ => None,
                };
                keep("webhook_url", &mut now.webhook_url, before.and_then(|of| of.webhook_url.as_ref()))?;
                let same = before.filter(|of| of.api_url == now.api_url);
                keep("token", &mut now.token, same.and_then(|of| of.token.as_ref()))?;
            }
            (ChannelKind::Email(now), before) => {
                let same = match before {
                    Some(ChannelKind::Email(of))
                        if (&of.host, of.port, of.security, &of.user)
                            == (&now.host, now.port, now.security, &now.user) =>
                    {
                        Some(of)
                    }
                    _ => None,
                };
                keep("password", &mut now.password, same.and_then(|of| of.password.as_ref()))?;
            }
            (ChannelKind::Webhook(now), before) => {
                let before = match before {
                    Some(ChannelKind::Webhook(before)) => Some(before),
                    _ => None,
                };
                keep_one("url", &mut now.url, before.map(|of| &of.url))?;
                let same = before.filter(|of| of.url == now.url);
                keep("secret", &mut now.secret, same.and_then(|of| of.secret.as_ref()))?;
                for (name, value) in &mut now.headers {
                    keep_one("headers", value, same.and_then(|of| of.headers.get(name)))?;
                }
            }
        }
        Ok(self)
    }
}

fn keep(field: &str, now: &mut Option<WriteOnly>, before: Option<&WriteOnly>) -> Result<(), Problem> {
    now.as_mut().map_or(Ok(()), |now| keep_one(field, now, before))
}

fn keep_one(field: &str, now: &mut WriteOnly, before: Option<&WriteOnly>) -> Result<(), Problem> {
    if now.is_shown_form() {
        let missing =
            || Problem::new(field, "must be given anew: there is none, or the receiver has changed");
        *now = before.ok_or_else(missing)?.clone();
    }
    Ok(())
}

/// Scheme, host and port of an address: what may be shown of it.
fn origin(url: &str) -> String {
    let end = url
        .split_once("://")
        .map(|(scheme, rest)| scheme.len() + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    end.and_then(|end| url.get(..end)).unwrap_or_default().to_owned()
}

impl Slack {
    fn check(&self) -> Result<(), Problem> {
        match (&self.webhook_url, &self.token, &self.channel) {
            (Some(url), None, None) => check_url("webhook_url", url.reveal()),
            (None, Some(token), Some(channel)) => {
                check_secret("token", token)?;
                check_url("api_url", &self.api_url)?;
                check_line("channel", channel, ALERT_TEXT_BYTES_MAX)
            }
            _ => Err(Problem::new("webhook_url", "give webhook_url, or token and channel")),
        }
    }
}

impl Email {
    fn check(&self) -> Result<(), Problem> {
        let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
        if self.host.is_empty() || self.host.len() > 253 || !self.host.bytes().all(is_of_host) {
            return Err(Problem::new("host", "must be the name or address of a mail server"));
        }
        check_range("port", self.port, (1, u16::MAX))?;
        check_line("user", self.user.as_deref().unwrap_or(""), ALERT_TEXT_BYTES_MAX)?;
        if let Some(password) = &self.password {
            check_secret("password", password)?;
            if self.security == Security::Plain {
                return Err(Problem::new(
                    "security",
                    "a password is never sent in the clear: use starttls or tls",
                ));
            }
        }
        if self.user.is_some() != self.password.is_some() {
            return Err(Problem::new("password", "give user and password, or neither"));
        }
        check_mailbox("from", &self.from)?;
        if self.to.is_empty() || self.to.len() > ALERT_RECIPIENTS_MAX {
            return Err(Problem::new("to", format!("give 1 to {ALERT_RECIPIENTS_MAX} addresses")));
        }
        self.to.iter().try_for_each(|address| check_mailbox("to", address))
    }
}

impl Webhook {
    fn check(&self) -> Result<(), Problem> {
        check_url("url", self.url.reveal())?;
        if let Some(secret) = &self.secret {
            check_secret("secret", secret)?;
        }
        if self.headers.len() > ALERT_HEADERS_MAX {
            return Err(Problem::new("headers", format!("at most {ALERT_HEADERS_MAX} headers")));
        }
        self.headers.iter().try_for_each(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            // These decide how the message is framed and signed.
            let is_ours = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
            if name.is_empty()
                || name.len() > 64
                || !name.bytes().all(is_plain)
                || is_ours.contains(&lower.as_str())
                || lower.starts_with("x-insighthub-")
            {
                return Err(Problem::new(
                    "headers",
                    format!("{:?} cannot be set", name.chars().take(64).collect::<String>()),
                ));
            }
            check_secret("headers", value)
        })
    }
}

fn check_secret(field: &str, secret: &WriteOnly) -> Result<(), Problem> {
    if secret.reveal().is_empty() {
        return Err(Problem::new(field, "must not be empty"));
    }
    check_line(field, secret.reveal(), URL_BYTES_MAX)
}

/// What an address looks like; whether it may be called is decided where it is, once it has been looked up.
fn check_url(field: &str, url: &str) -> Result<(), Problem> {
    check_line(field, url, URL_BYTES_MAX)?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    if authority.is_empty() || url.contains([' ', '\\']) {
        return Err(Problem::new(field, "must be an address that begins with https:// or http://"));
    }
    if authority.contains('@') {
        return Err(Problem::new(field, "must not hold a user or password: use a header"));
    }
    Ok(())
}

fn check_mailbox(field: &str, address: &str) -> Result<(), Problem> {
    let is_plain =
        |char: char| !char.is_control() && !char.is_whitespace() && !"<>()[],;:\\\"".contains(char);
    let is_address = address.len() <= 254
        && address.chars().all(is_plain)
        && address
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if is_address {
        return Ok(());
    }
    let shown: String = address.chars().take(80).collect();
    Err(Problem::new(field, format!("{shown:?} is no address such as ops@example.com")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    fn channel(json: &str) -> Channel {
        serde_json::from_str(&format!("{{\"kind\":{json}}}")).unwrap()
    }

    fn field_at_fault(json: &str) -> Option<String> {
        channel(json).check().err().map(|problem| problem.field)
    }

    #[test]
    fn what_could_not_be_sent_is_refused_by_field() {
        let at_fault = |json, field: &str| assert_eq!(field_at_fault(json).as_deref(), Some(field), "{json}");
        at_fault(r#"{"slack":{}}"#, "webhook_url");
        at_fault(r#"{"slack":{"webhook_url":"ftp://a"}}"#, "webhook_url");
        at_fault(r#"{"webhook":{"url":"http://user:secret@host/"}}"#, "url");
        at_fault(r#"{"webhook":{"url":"http://a b/"}}"#, "url");
        at_fault(r#"{"webhook":{"url":"https://a","headers":{"Host":"b"}}}"#, "headers");
        at_fault(r#"{"webhook":{"url":"https://a","headers":{"X-A":"b\r\nX-B: c"}}}"#, "headers");
        at_fault(r#"{"email":{"host":"m","from":"a@b\r\nBcc: c@d","to":["a@b"]}}"#, "from");
        at_fault(r#"{"email":{"host":"m","from":"a@b","to":[]}}"#, "to");
        let in_the_clear = r#"{"email":{"host":"m","from":"a@b","to":["a@b"],"user":"u","password":"p","security":"plain"}}"#;
        at_fault(in_the_clear, "security");
        assert_eq!(field_at_fault(r#"{"slack":{"token":"xoxb","channel":"ops"}}"#), None);
        assert_eq!(field_at_fault(r#"{"email":{"host":"m","from":"a@b","to":["c@d"]}}"#), None);
    }

    #[test]
    fn a_secret_that_comes_back_as_shown_is_kept_unless_the_receiver_changes() {
        let before =
            channel(r#"{"webhook":{"url":"https://a/b?token=c","secret":"s","headers":{"X-A":"h"}}}"#);
        let shown: Channel = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert_eq!(shown.clone().with_secrets_of(Some(&before)), Ok(before.clone()));
        assert_eq!(shown.clone().with_secrets_of(None).unwrap_err().field, "url");
        assert_eq!(before.receiver(), "https://a");
        let mut elsewhere = shown;
        if let ChannelKind::Webhook(webhook) = &mut elsewhere.kind {
            webhook.url = WriteOnly::new("https://evil");
        }
        assert_eq!(elsewhere.with_secrets_of(Some(&before)).unwrap_err().field, "secret");
    }
}
