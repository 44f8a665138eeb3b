//! What receivers were told, whatever the channel: of which incident, whether it began or ended, and under which key.

use std::time::Instant;

use serde_json::Value;

use super::lanes::{LANES, Lane, Tells};
use crate::receivers::{HttpReceiver, Mail, MailServer, Received};

/// One message that a receiver took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `Amber Bacedi Service`.
    pub title: String,
    /// `fired`, `resolved`, or what else there is to tell.
    pub kind: String,
    /// The same for every attempt at one message.
    pub key: String,
    pub at: Instant,
}

/// Everything, in the order of arrival.
pub fn all(http: &HttpReceiver, mail: &MailServer) -> Vec<Told> {
    let by_http = LANES.iter().flat_map(|lane| {
        let told = http.taken(&lane.path()).into_iter();
        told.flat_map(|received| of_request(lane, &received))
    });
    let mut told: Vec<Told> = by_http.chain(mail.mails().iter().flat_map(of_mail)).collect();
    told.sort_by_key(|told| told.at);
    told
}

fn of_request(lane: &Lane, received: &Received) -> Vec<Told> {
    let (body, at) = (received.json(), received.at);
    match lane.tells {
        Tells::Slack => of_text(body["text"].as_str().unwrap_or_default(), &incident_of(&body), at),
        _ => {
            let also = body["also"].as_array().cloned().unwrap_or_default();
            std::iter::once(&body).chain(&also).map(|notice| of_notice(notice, at)).collect()
        }
    }
}

fn of_notice(notice: &Value, at: Instant) -> Told {
    Told {
        title: title_of(notice["heading"].as_str().unwrap_or_default()),
        kind: notice["kind"].as_str().unwrap_or_default().to_owned(),
        key: format!("{}-{}", notice["incident"], notice["transition"]),
        at,
    }
}

/// `... | rule ember | incident 7`: a Slack message has no other key.
fn incident_of(body: &Value) -> String {
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    let context = blocks.iter().find_map(|block| block["elements"][0]["text"].as_str());
    let context =
        context.into_iter().chain(blocks.iter().rev().find_map(|block| {
            block["elements"][0]["text"].as_str().filter(|text| text.contains("| incident "))
        }));
    let last = context.last().unwrap_or_default();
    last.rsplit(' ').next().unwrap_or_default().to_owned()
}

fn of_mail(mail: &Mail) -> Vec<Told> {
    let text = mail.data.replace("=\r\n", "").replace("\r\n", "\n");
    let also: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    let lines = format!("{}\n{}", mail.header("Subject"), also.join("\n"));
    of_text(&lines, &mail.header("Message-ID"), mail.at)
}

/// `InsightHub Alert: Amber Bacedi Service ERROR SPIKE`, and `- ...` for each that a message of a storm stands for.
fn of_text(text: &str, key: &str, at: Instant) -> Vec<Told> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let (prefix, heading) = first.split_once(": ").unwrap_or(("", first));
    let kind = match prefix {
        "InsightHub Alert" => "fired",
        "InsightHub Resolved" => "resolved",
        other => other,
    };
    let also = lines.filter_map(|line| line.strip_prefix("- "));
    let headings = std::iter::once(heading).chain(also).map(title_of).filter(|title| !title.is_empty());
    let told =
        |title: String| Told { key: format!("{key}-{kind}-{title}"), title, kind: kind.to_owned(), at };
    headings.map(told).collect()
}

/// Who, of who and what.
fn title_of(heading: &str) -> String {
    heading.split_once(" Service").map(|(name, _)| format!("{name} Service")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_message_says_of_what_it_is() {
        let at = Instant::now();
        let said = |told: &[Told]| -> Vec<(String, String)> {
            told.iter().map(|told| (told.title.clone(), told.kind.clone())).collect()
        };
        let pair = |title: &str, kind: &str| (title.to_owned(), kind.to_owned());
        let text = "InsightHub Alert: Ember Babace Service ERROR SPIKE\nErrors/min: 30\n- Ember Ku Service ERROR SPIKE";
        let told = of_text(text, "7", at);
        assert_eq!(said(&told), [pair("Ember Babace Service", "fired"), pair("Ember Ku Service", "fired")]);
        assert_ne!(told[0].key, told[1].key);
        let notice =
            json!({ "heading": "Amber Ba Service LANE", "kind": "resolved", "incident": 4, "transition": 2 });
        let told = of_notice(&notice, at);
        assert_eq!((told.title.as_str(), told.key.as_str()), ("Amber Ba Service", "4-2"));
        let slack = json!({ "blocks": [
            { "type": "actions", "elements": [{ "text": { "text": "Show" } }] },
            { "type": "context", "elements": [{ "text": "critical | rule ember | incident 12" }] } ] });
        assert_eq!(incident_of(&slack), "12");
        let mail = Mail {
            data: "Subject: InsightHub Resolved: Fjord Ba\r\n Service LANE\r\nMessage-ID: <k>\r\n\r\n- x\r\n"
                .into(),
            ..Mail::default()
        };
        assert_eq!(said(&of_mail(&mail)), [pair("Fjord Ba Service", "resolved")]);
    }
}
