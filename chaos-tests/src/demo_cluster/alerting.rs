//! A rule, the channel it tells, and the records that make it fire.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::api::Api;
use crate::deadline::wait_until;
use crate::receivers::HttpReceiver;

/// The service whose records make the rule fire.
pub const FAILING_SERVICE: &str = "tills";
/// What people read of the rule.
pub const ALERT_TITLE: &str = "Tills cannot reach the bank";
/// Name of the rule, and of the channel it tells.
pub const ALERT_NAME: &str = "tills-offline";
/// Where the receiver is told.
pub const TOLD_AT: &str = "/tills";
/// Well beyond what the rule asks for.
const RECORDS: usize = 12;

/// Sets channel and rule, sends the records and waits until the receiver was told.
pub(super) async fn fire(admin: &Api, receiver: &HttpReceiver, within: Duration) -> Result<()> {
    let channel = json!({ "kind": { "webhook": { "url": receiver.url(TOLD_AT) } } });
    put(admin, &format!("/api/alerts/channels/{ALERT_NAME}"), &channel).await?;
    // It looks back for an hour, so that it still fires when the last page is looked at.
    let rule = json!({
        "title": ALERT_TITLE, "filter": format!("service:{FAILING_SERVICE} level:error"),
        "condition": { "query": { "value": "count()", "is": ">=", "threshold": 5 } },
        "window_secs": 3600, "severity": "critical", "channels": [ALERT_NAME], "owner": "payments",
    });
    put(admin, &format!("/api/alerts/rules/{ALERT_NAME}"), &rule).await?;
    let line = |number: usize| {
        json!({ "service": FAILING_SERVICE, "level": "error", "message": format!("till {number}: no route to the bank"),
            "till": number, "region": "eu" })
        .to_string()
    };
    let lines: Vec<String> = (0..RECORDS).map(line).collect();
    let answer =
        admin.ingest(&[("content-type", "application/x-ndjson")], lines.join("\n").into_bytes()).await?;
    ensure!(answer.number("accepted") == Some(RECORDS as u64), "{}", answer.text);
    wait_until("the receiver hears of the alert", within, || async { !receiver.taken(TOLD_AT).is_empty() })
        .await
}

async fn put(admin: &Api, path: &str, body: &Value) -> Result<()> {
    let answer = admin.put_json(path, body).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text);
    Ok(())
}
