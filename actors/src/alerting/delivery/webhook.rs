//! Webhooks: JSON, signed, with a key by which a receiver tells a message that comes again.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use insighthub_model::alerts::{Notice, Webhook, render};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Letter, NotDelivered, Outgoing};

/// Of the body; a change that old receivers cannot read makes it 2.
const VERSION: u8 = 1;

pub(super) async fn send(
    outgoing: &Outgoing,
    webhook: &Webhook,
    letter: &Letter<'_>,
) -> Result<(), NotDelivered> {
    let body = body(letter).to_string().into_bytes();
    let headers = headers(webhook, letter, &body)?;
    outgoing.post(webhook.url.reveal(), headers, body).await.map(drop)
}

pub(super) fn headers(
    webhook: &Webhook,
    letter: &Letter<'_>,
    body: &[u8],
) -> Result<HeaderMap, NotDelivered> {
    let mut headers = HeaderMap::new();
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| NotDelivered::refused("a header cannot be sent"))
    };
    for (name, text) in &webhook.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|_| NotDelivered::refused("a header has a name that cannot be sent"))?;
        let mut value = value(text.reveal())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let at = (letter.now.millis() / 1_000).to_string();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("idempotency-key", value(&letter.notice.idempotency_key(letter.channel_name))?);
    headers.insert("x-insighthub-timestamp", value(&at)?);
    if let Some(secret) = &webhook.secret {
        headers.insert("x-insighthub-signature", value(&sign(secret.reveal(), &at, body)?)?);
    }
    Ok(headers)
}

/// `sha256=` and the HMAC-SHA256, in hex, of the time, a point and the body: an old message cannot be sent again as new.
fn sign(secret: &str, at: &str, body: &[u8]) -> Result<String, NotDelivered> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(NotDelivered::refused)?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    Ok(digest.iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}")))
}

pub(super) fn body(letter: &Letter<'_>) -> Value {
    let mut body = of_notice(letter.notice);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("version".into(), VERSION.into());
        fields.insert("channel".into(), letter.channel_name.into());
        fields.insert("text".into(), json!(render(letter.notice, &letter.link)));
        fields.insert("link".into(), letter.link.as_str().into());
        fields.insert("also".into(), letter.also.iter().map(of_notice).collect());
    }
    body
}

fn of_notice(notice: &Notice) -> Value {
    let group: BTreeMap<&str, &str> =
        notice.group.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    json!({
        "incident": notice.incident,
        "transition": notice.transition,
        "kind": notice.kind,
        "at": notice.at,
        "rule": notice.rule,
        "heading": notice.heading,
        "severity": notice.severity,
        "labels": notice.labels,
        "owner": notice.owner,
        "group": group,
        "opened_at": notice.opened_at,
        "evidence": notice.evidence,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::Timestamp;
    use insighthub_model::alerts::WriteOnly;

    #[test]
    fn a_signature_covers_time_and_body() {
        // printf '1764670202.{"a":1}' | openssl dgst -sha256 -hmac key
        let signature = sign("key", "1764670202", br#"{"a":1}"#).unwrap();
        assert_eq!(signature, "sha256=d3280e1d8204cefc201be8f7ad3d3bef8940c9b34c3ad76571346a1874f75d44");
        assert_ne!(sign("key", "1764670203", br#"{"a":1}"#).unwrap(), signature);
    }

    #[test]
    fn a_message_has_a_key_of_its_own_and_no_secret_in_it() {
        let notice = Notice::test("ops", Timestamp(1_764_670_202_000_000_000));
        let letter =
            Letter { notice: &notice, channel_name: "ops", also: &[], link: String::new(), now: notice.at };
        let webhook = Webhook {
            url: WriteOnly::new("https://a"),
            secret: Some(WriteOnly::new("hush")),
            headers: [("Authorization".to_owned(), WriteOnly::new("Bearer x"))].into(),
        };
        let body = body(&letter).to_string();
        let headers = headers(&webhook, &letter, body.as_bytes()).unwrap();
        assert_eq!(headers["idempotency-key"], notice.idempotency_key("ops"));
        assert_eq!(headers["authorization"], "Bearer x");
        assert!(!format!("{headers:?}{body}").contains("Bearer x") && !body.contains("hush"));
    }
}
