//! What a stranger writes into any field of a message stays text: in Slack, in the head and body of a mail, in a webhook.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Notice, TransitionKind};
use serde_json::Value;

use super::{Letter, email, slack, webhook};

const PAYLOADS: [&str; 14] = [
    "a\r\nBcc: evil@example.com\r\nX-Evil: 1",
    "a\nSubject: other\n\nanother body",
    "end\r\n.\r\nMAIL FROM:<evil@example.com>\r\n",
    ".\r\n..\r\n.",
    "<!channel> <!here> <!everyone>",
    "<@U012AB3CD> <#C123> <http://evil.example|click here>",
    "*bold* _italic_ ~struck~ `code` ```block``` > quote",
    "# heading\n- item\n[click](http://evil.example) ![x](http://evil.example/x.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><a href=\"javascript:alert(1)\">x</a>",
    "&lt;!channel&gt; &amp;lt;",
    "=?utf-8?B?QmNjOiBldmls?=",
    "\u{202e}gnp.exe \u{0}\u{7}\u{1b}[31m \u{2028}next",
    "{{owner}} {{ link }} ${jndi:ldap://evil} %0d%0aBcc:%20evil",
];

/// A notice that says the payload wherever a person or a record can.
fn notice(payload: &str, template: Option<&str>) -> Notice {
    let mut notice = Notice::test("ops", Timestamp(1_764_670_202_000_000_000));
    notice.kind = TransitionKind::Fired;
    notice.heading = format!("{payload} Service");
    notice.rule = payload.to_owned();
    notice.owner = Some(payload.to_owned());
    notice.labels = BTreeMap::from([("team".to_owned(), payload.to_owned())]);
    notice.group = vec![("service".to_owned(), payload.to_owned()), (payload.to_owned(), "x".to_owned())];
    notice.evidence.measure = payload.to_owned();
    notice.evidence.cause = Some(payload.to_owned());
    notice.evidence.because = payload.to_owned();
    notice.evidence.query = payload.to_owned();
    notice.template = template.map(str::to_owned);
    notice
}

fn letters(check: impl Fn(&Letter<'_>, &str)) {
    for payload in PAYLOADS {
        let of_template =
            format!("{payload}\n{{{{heading}}}} {{{{cause}}}} {{{{owner}}}} {{{{labels.team}}}}");
        for template in [None, Some(of_template.as_str())] {
            let notice = notice(payload, template);
            let also = [notice.clone()];
            let link = "https://hub.example/?q=a%20b".to_owned();
            let letter = Letter { notice: &notice, channel_name: "ops", also: &also, link, now: notice.at };
            check(&letter, payload);
        }
    }
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

#[test]
fn slack_is_told_text() {
    letters(|letter, payload| {
        let message = slack::message(letter);
        let mut texts = Vec::new();
        strings(&message, &mut texts);
        for text in texts {
            assert!(!text.contains(['<', '>']), "{payload:?}: {text}");
            // Every ampersand begins one of the three escapes.
            let escapes = ["amp;", "lt;", "gt;"];
            let is_escape = |rest: &str| escapes.iter().any(|escape| rest.starts_with(escape));
            assert!(text.split('&').skip(1).all(is_escape), "{payload:?}: {text}");
        }
        assert_eq!(message["mrkdwn"], false);
        let kinds: BTreeSet<&str> = message["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|block| {
                let own = block["text"]["type"].as_str();
                let of_elements = block["elements"].as_array().into_iter().flatten();
                own.into_iter().chain(of_elements.filter_map(|element| element["type"].as_str()))
            })
            .collect();
        assert!(kinds.is_subset(&BTreeSet::from(["plain_text", "button"])), "{kinds:?}");
    });
}

#[test]
fn a_mail_has_the_headers_it_should_and_its_body_is_text() {
    let channel = r#"{"host":"mail","from":"hub@example.com","to":["ops@example.com"]}"#;
    let channel = serde_json::from_str(channel).unwrap();
    let known = [
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "Date",
        "MIME-Version",
        "Content-Type",
    ];
    letters(|letter, payload| {
        let mail = email::message(&channel, letter).unwrap();
        let envelope: Vec<String> = mail.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(envelope, ["ops@example.com"], "{payload:?}");
        let text = String::from_utf8(mail.formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut names: Vec<&str> = Vec::new();
        for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
            names.push(line.split_once(':').unwrap_or_else(|| panic!("{payload:?}: {line}")).0);
        }
        assert!(names.iter().all(|name| known.contains(name)), "{payload:?}: {names:?}");
        let distinct: BTreeSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{payload:?}: {names:?}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{payload:?}: a bare line end");
        let html = body.split("text/html").nth(1).unwrap().replace("=\r\n", "");
        for tag in ["<script", "<img", "<a href=\"javascript", "<a href=3D\"javascript"] {
            assert!(!html.contains(tag), "{payload:?}: {html}");
        }
    });
}

#[test]
fn a_webhook_is_told_the_very_text_and_its_headers_are_its_own() {
    let channel: insighthub_model::alerts::Webhook =
        serde_json::from_str(r#"{"url":"https://a","secret":"s"}"#).unwrap();
    letters(|letter, payload| {
        let bytes = webhook::body(letter).to_string().into_bytes();
        assert!(!bytes.contains(&b'\n') && !bytes.contains(&b'\r') && !bytes.contains(&0));
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["evidence"]["cause"], payload);
        assert_eq!((&body["owner"], &body["labels"]["team"]), (&payload.into(), &payload.into()));
        let headers = webhook::headers(&channel, letter, &bytes).unwrap();
        let names: BTreeSet<&str> = headers.keys().map(|name| name.as_str()).collect();
        let due = ["content-type", "idempotency-key", "x-insighthub-signature", "x-insighthub-timestamp"];
        assert_eq!(names, BTreeSet::from(due), "{payload:?}");
    });
}
