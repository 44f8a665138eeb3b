//! A channel as it is typed. Secrets that are set come as `(set)` and stay where they are sent back so.

use serde_json::{Map, Value, json};

use super::super::forms::{self, Fault};
use crate::api::alerts::{Channel, ChannelKind, Security, check_name};

/// What stands for a secret that nobody is shown.
pub const SET: &str = "(set)";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    SlackWebhook,
    SlackToken,
    Email,
    Webhook,
}

impl Way {
    pub const ALL: [Way; 4] = [Way::SlackWebhook, Way::SlackToken, Way::Email, Way::Webhook];

    pub fn name(self) -> &'static str {
        match self {
            Way::SlackWebhook => "slack_webhook",
            Way::SlackToken => "slack_token",
            Way::Email => "email",
            Way::Webhook => "webhook",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Way::SlackWebhook => "Slack, by an incoming webhook",
            Way::SlackToken => "Slack, by a bot's token",
            Way::Email => "E-mail",
            Way::Webhook => "Webhook",
        }
    }

    pub fn from_name(name: &str) -> Option<Way> {
        Way::ALL.into_iter().find(|way| way.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChannelForm {
    pub name: String,
    pub is_enabled: bool,
    pub way: Way,
    pub webhook_url: String,
    pub token: String,
    pub channel: String,
    /// Kept as it came: hardly anybody has another.
    pub api_url: String,
    pub host: String,
    pub port: String,
    pub security: String,
    pub user: String,
    pub password: String,
    pub from: String,
    pub to: Vec<String>,
    pub url: String,
    pub secret: String,
    pub headers: Vec<(String, String)>,
}

impl Default for ChannelForm {
    fn default() -> Self {
        ChannelForm {
            name: String::new(),
            is_enabled: true,
            way: Way::default(),
            webhook_url: String::new(),
            token: String::new(),
            channel: String::new(),
            api_url: String::new(),
            host: String::new(),
            port: "587".to_owned(),
            security: "starttls".to_owned(),
            user: String::new(),
            password: String::new(),
            from: String::new(),
            to: Vec::new(),
            url: String::new(),
            secret: String::new(),
            headers: Vec::new(),
        }
    }
}

impl ChannelForm {
    pub fn of(name: &str, channel: &Channel) -> ChannelForm {
        let form =
            ChannelForm { name: name.to_owned(), is_enabled: channel.enabled, ..ChannelForm::default() };
        let shown = |is_there: bool| if is_there { SET.to_owned() } else { String::new() };
        match &channel.kind {
            ChannelKind::Slack(of) => ChannelForm {
                way: if of.token.is_some() { Way::SlackToken } else { Way::SlackWebhook },
                webhook_url: shown(of.webhook_url.is_some()),
                token: shown(of.token.is_some()),
                channel: of.channel.clone().unwrap_or_default(),
                api_url: of.api_url.clone(),
                ..form
            },
            ChannelKind::Email(of) => ChannelForm {
                way: Way::Email,
                host: of.host.clone(),
                port: of.port.to_string(),
                security: security_name(of.security).to_owned(),
                user: of.user.clone().unwrap_or_default(),
                password: shown(of.password.is_some()),
                from: of.from.clone(),
                to: of.to.clone(),
                ..form
            },
            ChannelKind::Webhook(of) => ChannelForm {
                way: Way::Webhook,
                url: SET.to_owned(),
                secret: shown(of.secret.is_some()),
                headers: of.headers.keys().map(|name| (name.clone(), SET.to_owned())).collect(),
                ..form
            },
        }
    }

    /// What the API takes. Whether secrets may stay, and whether an address may be called, the node alone knows.
    pub fn channel(&self) -> Result<Value, Fault> {
        let kind = match self.way {
            Way::SlackWebhook => {
                json!({ "slack": { "webhook_url": self.needed("webhook_url", &self.webhook_url)? } })
            }
            Way::SlackToken => {
                let mut slack = Map::new();
                slack.insert("token".into(), self.needed("token", &self.token)?.into());
                slack.insert("channel".into(), self.needed("channel", &self.channel)?.into());
                if !self.api_url.is_empty() {
                    slack.insert("api_url".into(), self.api_url.clone().into());
                }
                json!({ "slack": slack })
            }
            Way::Email => json!({ "email": {
                "host": self.needed("host", &self.host)?,
                "port": forms::whole::<u16>("port", &self.port)?,
                "security": self.security,
                "user": forms::optional(&self.user),
                "password": secret(&self.password),
                "from": self.needed("from", &self.from)?,
                "to": self.to,
            } }),
            Way::Webhook => {
                let headers: Map<String, Value> = self
                    .headers
                    .iter()
                    .filter(|(name, value)| !(name.trim().is_empty() && value.is_empty()))
                    .map(|(name, value)| (name.trim().to_owned(), value.clone().into()))
                    .collect();
                json!({ "webhook": {
                    "url": self.needed("url", &self.url)?,
                    "secret": secret(&self.secret),
                    "headers": headers,
                } })
            }
        };
        Ok(json!({ "enabled": self.is_enabled, "kind": kind }))
    }

    /// Name and channel, if both can be sent.
    pub fn named(&self) -> Result<(String, Value), Fault> {
        let name = self.name.trim().to_owned();
        check_name("name", &name)?;
        Ok((name, self.channel()?))
    }

    fn needed(&self, field: &str, text: &str) -> Result<String, Fault> {
        forms::optional(text).ok_or_else(|| Fault::at(field, "This is needed."))
    }
}

/// A password may begin or end with a space.
fn secret(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn security_name(security: Security) -> &'static str {
    match security {
        Security::Starttls => "starttls",
        Security::Tls => "tls",
        Security::Plain => "plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the node shows of a channel, through the form and back.
    fn round_trip(text: &str) -> (Value, Value) {
        let shown: Value = serde_json::from_str(text).unwrap();
        let channel: Channel = serde_json::from_value(shown.clone()).unwrap();
        (ChannelForm::of("ops", &channel).channel().unwrap(), shown)
    }

    #[test]
    fn every_kind_is_sent_back_as_it_was_shown() {
        for text in [
            r##"{"enabled":true,"kind":{"slack":{"token":"(set)","channel":"#ops","api_url":"https://slack.com/api/chat.postMessage"}}}"##,
            r#"{"enabled":false,"kind":{"slack":{"webhook_url":"(set)"}}}"#,
            r#"{"enabled":true,"kind":{"email":{"host":"smtp.example.com","port":465,"security":"tls","user":"hub","password":"(set)","from":"hub@example.com","to":["a@example.com","b@example.com"]}}}"#,
            r#"{"enabled":true,"kind":{"email":{"host":"localhost","port":25,"security":"plain","user":null,"password":null,"from":"hub@example.com","to":["a@example.com"]}}}"#,
            r#"{"enabled":true,"kind":{"webhook":{"url":"(set)","secret":"(set)","headers":{"Authorization":"(set)"}}}}"#,
            r#"{"enabled":true,"kind":{"webhook":{"url":"(set)","secret":null,"headers":{}}}}"#,
        ] {
            let (sent, shown) = round_trip(text);
            assert_eq!(sent, shown);
        }
    }

    #[test]
    fn what_is_typed_is_what_the_node_reads() {
        let form = ChannelForm {
            name: "hook".into(),
            way: Way::Webhook,
            url: " https://example.com/x ".into(),
            secret: " s ".into(),
            headers: vec![("X-A".into(), "1".into()), (String::new(), String::new())],
            ..ChannelForm::default()
        };
        let (_, sent) = form.named().unwrap();
        let channel: Channel = serde_json::from_value(sent).unwrap();
        assert_eq!(channel.check(), Ok(()));
        let ChannelKind::Webhook(hook) = channel.kind else { panic!("another kind") };
        assert_eq!(hook.url.reveal(), "https://example.com/x");
        assert_eq!(hook.secret.unwrap().reveal(), " s ");
        assert_eq!(hook.headers.len(), 1);
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        for (way, field) in [
            (Way::SlackWebhook, "webhook_url"),
            (Way::SlackToken, "token"),
            (Way::Email, "host"),
            (Way::Webhook, "url"),
        ] {
            let form = ChannelForm { name: "ops".into(), way, ..ChannelForm::default() };
            assert_eq!(form.named().unwrap_err().field.as_deref(), Some(field));
        }
        assert_eq!(ChannelForm::default().named().unwrap_err().field.as_deref(), Some("name"));
    }
}
