//! Slack: Block Kit by an incoming webhook, or by a bot's `chat.postMessage`.
//!
//! Text stands in `plain_text` blocks with Slack's three control characters escaped, so that no record can mention a
//! channel, make a link or a heading.

use insighthub_model::alerts::{Severity, Slack, TransitionKind, render};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::{Letter, NotDelivered, Outgoing, also_lines, one_line};

/// Bounds of Slack's own, in characters.
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3_000;

pub(super) async fn send(
    outgoing: &Outgoing,
    slack: &Slack,
    letter: &Letter<'_>,
) -> Result<(), NotDelivered> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let mut message = message(letter);
    let url = match (&slack.webhook_url, &slack.token) {
        (Some(url), _) => url.reveal(),
        (None, Some(token)) => {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
            let mut value = value.map_err(|_| NotDelivered::refused("the token cannot be sent"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            if let Some(fields) = message.as_object_mut() {
                fields.insert("channel".into(), slack.channel.clone().unwrap_or_default().into());
                fields.insert("unfurl_links".into(), false.into());
                fields.insert("parse".into(), "none".into());
                fields.insert("metadata".into(), metadata(letter));
            }
            slack.api_url.as_str()
        }
        (None, None) => return Err(NotDelivered::refused("the channel has neither webhook_url nor token")),
    };
    let answer = outgoing.post(url, headers, message.to_string().into_bytes()).await?;
    if slack.token.is_some() { taken(&answer) } else { Ok(()) }
}

/// `chat.postMessage` says with 200 that it has not taken a message.
fn taken(answer: &str) -> Result<(), NotDelivered> {
    let answer: Value = serde_json::from_str(answer)
        .map_err(|_| NotDelivered::passing(format!("Slack answered no JSON: {}", one_line(answer))))?;
    if answer.get("ok").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let error = answer.get("error").and_then(Value::as_str).unwrap_or("no reason");
    let passes = ["ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
    let said = format!("Slack refused: {}", one_line(error));
    match passes.contains(&error) {
        true => Err(NotDelivered::passing(said)),
        false => Err(NotDelivered::refused(said)),
    }
}

fn metadata(letter: &Letter<'_>) -> Value {
    let key = letter.notice.idempotency_key(letter.channel_name);
    json!({ "event_type": "insighthub_alert", "event_payload": { "idempotency_key": key } })
}

pub(super) fn message(letter: &Letter<'_>) -> Value {
    let notice = letter.notice;
    let mut lines = render(notice, &letter.link).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut rest: Vec<String> = lines.collect();
    rest.extend(also_lines(letter.also));
    let sign = match (notice.kind, notice.severity) {
        (TransitionKind::Resolved, _) => "\u{2705}",
        (TransitionKind::Test, _) | (_, Severity::Info) => "\u{2139}\u{fe0f}",
        (_, Severity::Warning) => "\u{26a0}\u{fe0f}",
        (_, Severity::Critical) => "\u{1f6a8}",
    };
    let mut blocks = vec![json!({ "type": "header", "text": plain(&format!("{sign} {first}"), HEADER_MAX) })];
    if !rest.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(&rest.join("\n"), SECTION_MAX) }));
    }
    if letter.link.starts_with("http") {
        let button = json!({
            "type": "button", "text": plain("Show the logs", HEADER_MAX), "url": cut(&letter.link, SECTION_MAX),
        });
        blocks.push(json!({ "type": "actions", "elements": [button] }));
    }
    let context = format!("{} | rule {} | incident {}", words(notice.severity), notice.rule, notice.incident);
    blocks.push(json!({ "type": "context", "elements": [plain(&context, SECTION_MAX)] }));
    let whole = std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n");
    // Shown where blocks are not, as in notifications.
    json!({ "text": escape(&cut(&whole, SECTION_MAX)), "mrkdwn": false, "blocks": blocks })
}

fn words(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

fn plain(text: &str, characters_max: usize) -> Value {
    // Escapes count for Slack's bound.
    let mut text = cut(text, characters_max);
    while escape(&text).chars().count() > characters_max {
        let shorter = text.chars().count() * 9 / 10;
        text = text.chars().take(shorter).collect();
    }
    json!({ "type": "plain_text", "text": escape(&text), "emoji": false })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some(_) => text.chars().take(characters_max - 1).chain(['\u{2026}']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::Timestamp;
    use insighthub_model::alerts::Notice;

    fn letter<'a>(notice: &'a Notice, also: &'a [Notice]) -> Letter<'a> {
        Letter { notice, channel_name: "ops", also, link: "https://hub/?q=a".into(), now: notice.at }
    }

    #[test]
    fn nothing_that_a_record_says_is_markup() {
        let mut notice = Notice::test("ops", Timestamp(0));
        notice.evidence.cause = Some("<!channel> <http://evil|click> *bold* & co".into());
        notice.heading = "<!here> Service".into();
        let text = message(&letter(&notice, &[])).to_string();
        assert!(!text.contains("<!") && !text.contains("<http"), "{text}");
        assert!(text.contains("&lt;!channel&gt; &lt;http://evil|click&gt; *bold* &amp; co"), "{text}");
        let message = message(&letter(&notice, &[]));
        let blocks = message.get("blocks").and_then(Value::as_array).unwrap();
        let texts = blocks.iter().filter_map(|block| block.get("text"));
        assert!(texts.into_iter().all(|text| text["type"] == "plain_text"), "{message}");
    }

    #[test]
    fn slacks_bounds_are_kept() {
        let mut notice = Notice::test("ops", Timestamp(0));
        notice.heading = "<".repeat(5_000);
        notice.evidence.cause = Some("&".repeat(5_000));
        let also: Vec<Notice> = (0..40).map(|_| notice.clone()).collect();
        let message = message(&letter(&notice, &also));
        let length =
            |pointer: &str| message.pointer(pointer).and_then(Value::as_str).unwrap().chars().count();
        assert!(length("/blocks/0/text/text") <= HEADER_MAX);
        assert!(length("/blocks/1/text/text") <= SECTION_MAX);
    }

    #[test]
    fn a_refusal_with_200_is_a_refusal() {
        use insighthub_model::alerts::Failure;
        assert_eq!(taken(r#"{"ok":true}"#), Ok(()));
        assert_eq!(
            taken(r#"{"ok":false,"error":"channel_not_found"}"#).unwrap_err().failure,
            Failure::Refused
        );
        assert_eq!(taken(r#"{"ok":false,"error":"ratelimited"}"#).unwrap_err().failure, Failure::Passing);
        assert!(taken("<html>").is_err());
    }
}
