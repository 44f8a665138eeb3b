//! All that a channel says, field by field.

use yew::{AttrValue, Callback, Html, Properties, component, html};

use crate::components::forms::check::CheckField;
use crate::components::forms::field::{SelectField, TextField};
use crate::components::forms::pairs::PairsField;
use crate::components::forms::values::ValuesField;
use crate::state::alerts::channel_form::{ChannelForm, SET, Way};

#[derive(PartialEq, Properties)]
pub struct ChannelFieldsProps {
    pub form: ChannelForm,
    pub on_change: Callback<ChannelForm>,
    /// There is none of this name yet.
    pub is_new: bool,
}

#[component]
pub fn ChannelFields(props: &ChannelFieldsProps) -> Html {
    let form = &props.form;
    let ways = Way::ALL.map(|way| (way.name().to_owned(), way.title().to_owned())).to_vec();
    let on_way = set(props, |form, name: String| form.way = Way::from_name(&name).unwrap_or(form.way));
    html! {
        <div class="form-grid">
            <TextField name="name" label="Name" value={form.name.clone()} on_change={set(props, |form, text| form.name = text)} is_code=true
                is_fixed={!props.is_new} placeholder="ops" hint={if props.is_new { "Rules name it; cannot be changed later." } else { "" }} />
            <SelectField name="kind" label="Kind" value={form.way.name()} options={ways} on_change={on_way} />
            { match form.way {
                Way::SlackWebhook => secret(props, "webhook_url", "Webhook address", &form.webhook_url,
                    "https://hooks.slack.com/services/… as Slack shows it.", |form, text| form.webhook_url = text),
                Way::SlackToken => slack_token(props),
                Way::Email => email(props),
                Way::Webhook => webhook(props),
            } }
            <CheckField name="enabled" label="Enabled" is_on={form.is_enabled} on_change={set(props, |form, is_on| form.is_enabled = is_on)}
                hint="While it is off, nothing is sent to it." />
        </div>
    }
}

fn set<T: 'static>(props: &ChannelFieldsProps, apply: fn(&mut ChannelForm, T)) -> Callback<T> {
    let form = props.form.clone();
    props.on_change.reform(move |value| {
        let mut next = form.clone();
        apply(&mut next, value);
        next
    })
}

type Apply = fn(&mut ChannelForm, String);

/// A value that is never shown again once it is kept.
fn secret(
    props: &ChannelFieldsProps,
    name: &'static str,
    label: &'static str,
    value: &str,
    hint: &'static str,
    apply: Apply,
) -> Html {
    let hint: AttrValue =
        if value == SET { "Set, and stays as it is unless you type another.".into() } else { hint.into() };
    // `(set)` is no secret, and seen it says what it is.
    let kind: AttrValue = if value == SET || value.is_empty() { "text".into() } else { "password".into() };
    html! {
        <TextField {name} {label} value={value.to_owned()} on_change={set(props, apply)} {hint} {kind} is_code=true autocomplete="new-password" />
    }
}

fn text(
    props: &ChannelFieldsProps,
    name: &'static str,
    label: &'static str,
    value: &str,
    placeholder: &'static str,
    apply: Apply,
) -> Html {
    html! { <TextField {name} {label} value={value.to_owned()} on_change={set(props, apply)} {placeholder} is_code=true /> }
}

fn slack_token(props: &ChannelFieldsProps) -> Html {
    let form = &props.form;
    html! {
        <>
            { secret(props, "token", "Token", &form.token, "xoxb-…, of a bot that may write there.", |form, text| form.token = text) }
            { text(props, "channel", "Writes to", &form.channel, "#ops", |form, text| form.channel = text) }
        </>
    }
}

fn email(props: &ChannelFieldsProps) -> Html {
    let form = &props.form;
    let kinds = [
        ("starttls", "STARTTLS (required)"),
        ("tls", "TLS from the first byte"),
        ("plain", "None: in the clear, no password"),
    ];
    let options = kinds.map(|(name, title)| (name.to_owned(), title.to_owned())).to_vec();
    html! {
        <>
            { text(props, "host", "Mail server", &form.host, "smtp.example.com", |form, text| form.host = text) }
            { text(props, "port", "Port", &form.port, "587", |form, text| form.port = text) }
            <SelectField name="security" label="Protection" value={form.security.clone()} {options}
                on_change={set(props, |form, text| form.security = text)} />
            { text(props, "user", "User", &form.user, "", |form, text| form.user = text) }
            { secret(props, "password", "Password", &form.password, "", |form, text| form.password = text) }
            { text(props, "from", "From", &form.from, "insighthub@example.com", |form, text| form.from = text) }
            <ValuesField name="to" label="To" values={form.to.clone()} placeholder="ops@example.com"
                on_change={set(props, |form, values| form.to = values)} />
        </>
    }
}

fn webhook(props: &ChannelFieldsProps) -> Html {
    let form = &props.form;
    html! {
        <>
            { secret(props, "url", "Address", &form.url, "https://… It may be a secret, and is never shown again.", |form, text| form.url = text) }
            { secret(props, "secret", "Secret for signatures", &form.secret,
                "If set, X-InsightHub-Signature proves that a message is from here.", |form, text| form.secret = text) }
            <PairsField name="headers" label="Headers" pairs={form.headers.clone()} noun="header"
                on_change={set(props, |form, pairs| form.headers = pairs)} hint="Sent with every message, such as Authorization." />
        </>
    }
}
