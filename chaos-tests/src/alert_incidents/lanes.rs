//! Lanes: rules of several kinds, each with a channel of its own, and the services whose incidents they see.
//!
//! Incidents are to be independent of each other: each has a service of its own, and a message that shares no word with
//! any other, as incidents of one service, or with one kind of message as their cause, are told as one.

use insighthub_model::Timestamp;
use serde_json::{Value, json};

use crate::chaos_record::{ChaosRecord, content_hash};
use crate::receivers::{HttpReceiver, MailServer};

/// What a lane's rule looks at, and through what kind of channel it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    pub name: &'static str,
    sees: Sees,
    pub tells: Tells,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    ErrorRate,
    Count,
    Latency,
    Ratio,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    Webhook,
    Slack,
    Mail,
}

pub const LANES: [Lane; 6] = [
    Lane { name: "amber", sees: Sees::ErrorRate, tells: Tells::Webhook },
    Lane { name: "birch", sees: Sees::Count, tells: Tells::Webhook },
    Lane { name: "cedar", sees: Sees::Latency, tells: Tells::Webhook },
    Lane { name: "delta", sees: Sees::Ratio, tells: Tells::Webhook },
    Lane { name: "ember", sees: Sees::ErrorRate, tells: Tells::Slack },
    Lane { name: "fjord", sees: Sees::Count, tells: Tells::Mail },
];

/// Records of a burst: so many cross every lane's threshold, one less would not cross that of counts.
pub const BURST_RECORDS: u64 = 30;
/// A service is known for so long before: less than ten minutes would not be judged.
const HISTORY_MINUTES: i64 = 14;

impl Lane {
    pub fn of(incident: u64) -> Lane {
        let place = usize::try_from(incident).unwrap_or(0) % LANES.len();
        LANES.get(place).copied().unwrap_or(LANES[0])
    }

    pub fn path(&self) -> String {
        format!("/{}", self.name)
    }

    pub fn channel(&self, http: &HttpReceiver, mail: &MailServer) -> Value {
        match self.tells {
            Tells::Webhook => json!({ "kind": { "webhook": { "url": http.url(&self.path()) } } }),
            Tells::Slack => json!({ "kind": { "slack": { "webhook_url": http.url(&self.path()) } } }),
            Tells::Mail => json!({ "kind": { "email": {
                "host": "127.0.0.1", "port": mail.address.port(), "security": "plain",
                "from": "hub@example.com", "to": ["ops@example.com"] } } }),
        }
    }

    pub fn rule(&self, window_secs: u64, tells_end: bool) -> Value {
        let condition = match self.sees {
            Sees::ErrorRate => json!({ "error_rate": {} }),
            Sees::Count => {
                json!({ "query": { "value": "count()", "is": ">=", "threshold": BURST_RECORDS } })
            }
            Sees::Latency => json!({ "latency": { "statistic": "p95", "threshold_ms": 1_000 } }),
            Sees::Ratio => json!({ "ratio": { "of": "level:error", "is": ">", "threshold": 0.5 } }),
        };
        json!({
            "title": format!("lane {}", self.name), "filter": format!("service:{}-*", self.name),
            "condition": condition, "window_secs": window_secs, "resolve_after_secs": 5, "repeat_secs": 0,
            "severity": "critical", "channels": [self.name], "notify_resolved": tells_end,
        })
    }
}

/// The service of an incident: words without digits, which would be taken for variable parts of messages.
pub fn service(incident: u64) -> String {
    let syllables = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"];
    let syllable = |digit: u64| syllables.get(usize::try_from(digit % 10).unwrap_or(0)).unwrap_or(&"ba");
    let word: String = [incident / 100, incident / 10, incident].map(syllable).into_iter().copied().collect();
    format!("{}-{word}", Lane::of(incident).name)
}

/// `amber-bacedi` is told of as the `Amber Bacedi Service`.
pub fn title(service: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    let words: Vec<String> = service.split('-').map(capital).collect();
    format!("{} Service", words.join(" "))
}

/// A quiet quarter of an hour before now.
pub fn history(incident: u64, now: Timestamp) -> Vec<ChaosRecord> {
    let service = service(incident);
    let record = |minute: i64, second: i64| {
        let (level, latency_ms) = if second == 0 { ("ERROR", 80) } else { ("INFO", 40) };
        let at = Timestamp::from_millis(now.millis() - minute * 60_000 + second * 1_000);
        let message = format!("{service} did what it always does");
        record(
            &format!("alert-{incident}/normal-{minute}-{second}"),
            &service,
            at,
            level,
            &message,
            latency_ms,
        )
    };
    (2..2 + HISTORY_MINUTES)
        .flat_map(|minute| (0..3).map(move |second| (minute, second)))
        .map(|(m, s)| record(m, s))
        .collect()
}

/// What an incident is: errors, and slow, all at once.
pub fn burst(incident: u64, now: Timestamp) -> Vec<ChaosRecord> {
    let service = service(incident);
    let message = format!("{service}-fails {service}-again {service}-sorry");
    let record = |number: u64| {
        let at = Timestamp::from_millis(now.millis() - i64::try_from(number).unwrap_or(0));
        record(&format!("alert-{incident}/burst-{number}"), &service, at, "ERROR", &message, 5_000)
    };
    (0..BURST_RECORDS).map(record).collect()
}

fn record(
    id: &str,
    service: &str,
    at: Timestamp,
    level: &str,
    message: &str,
    latency_ms: u64,
) -> ChaosRecord {
    let json = json!({
        "chaos_id": id, "timestamp": at.to_string(), "service": service, "level": level, "message": message,
        "latency_ms": latency_ms,
    });
    ChaosRecord { id: id.to_owned(), hash: content_hash(&json), json, is_broken: false }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_incident_has_a_service_of_its_lane_and_a_message_of_its_own() {
        let services: BTreeSet<String> = (0..600).map(service).collect();
        assert_eq!(services.len(), 600);
        assert!(services.iter().all(|service| !service.contains(|char: char| char.is_ascii_digit())));
        assert_eq!((service(7), title(&service(7))), ("birch-babaki".into(), "Birch Babaki Service".into()));
        let burst = burst(7, Timestamp(0));
        assert_eq!(burst.len() as u64, BURST_RECORDS);
        assert!(burst.iter().all(|record| record.json["message"].to_string().contains("birch-babaki-fails")));
    }
}
