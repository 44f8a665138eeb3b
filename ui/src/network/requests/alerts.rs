//! Alerts: rules, channels, silences, incidents.

use serde_json::{Value, json};

use crate::api::alerts::{
    Channels, Deliveries, Incident, Incidents, ListedChannel, ListedRule, ListedSilence, Preview, Rule,
    Rules, Silence, Silences, Tried,
};
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::range::Span;

/// As many as the node gives at once.
const INCIDENTS_MAX: u32 = 500;
/// Several screens.
const DELIVERIES_MAX: u32 = 200;

pub async fn rules() -> Result<Vec<ListedRule>, ApiError> {
    fetch::get::<Rules>("/api/alerts/rules", &[]).await.map(|answer| answer.rules)
}

pub async fn set_rule(name: String, rule: Rule) -> Result<(), ApiError> {
    fetch::put(&path("rules", &name), &rule).await.map(drop)
}

pub async fn remove_rule(name: String) -> Result<(), ApiError> {
    fetch::delete(&path("rules", &name)).await.map(drop)
}

pub async fn preview(rule: Rule, span: Span) -> Result<Preview, ApiError> {
    let question = json!({ "rule": rule, "from": span.from(), "to": span.to() });
    fetch::ask("/api/alerts/rules/preview", &question).await
}

pub async fn channels() -> Result<Vec<ListedChannel>, ApiError> {
    fetch::get::<Channels>("/api/alerts/channels", &[]).await.map(|answer| answer.channels)
}

/// The channel as JSON: the type for it hides secrets, which is what must be sent here.
pub async fn set_channel(name: String, channel: Value) -> Result<(), ApiError> {
    fetch::put(&path("channels", &name), &channel).await.map(drop)
}

pub async fn remove_channel(name: String) -> Result<(), ApiError> {
    fetch::delete(&path("channels", &name)).await.map(drop)
}

pub async fn test_channel(name: String) -> Result<Tried, ApiError> {
    fetch::post(&format!("{}/test", path("channels", &name)), &json!({})).await
}

pub async fn silences() -> Result<Vec<ListedSilence>, ApiError> {
    fetch::get::<Silences>("/api/alerts/silences", &[]).await.map(|answer| answer.silences)
}

pub async fn set_silence(name: String, silence: Silence) -> Result<(), ApiError> {
    fetch::put(&path("silences", &name), &silence).await.map(drop)
}

pub async fn remove_silence(name: String) -> Result<(), ApiError> {
    fetch::delete(&path("silences", &name)).await.map(drop)
}

pub async fn incidents() -> Result<Incidents, ApiError> {
    fetch::get("/api/alerts/incidents", &[("limit", INCIDENTS_MAX.to_string())]).await
}

pub async fn incident(id: u64) -> Result<Incident, ApiError> {
    fetch::get(&format!("/api/alerts/incidents/{id}"), &[]).await
}

pub async fn acknowledge(id: u64, note: String) -> Result<(), ApiError> {
    let path = format!("/api/alerts/incidents/{id}/acknowledge");
    fetch::post_text(&path, &json!({ "note": note })).await.map(drop)
}

/// The newest messages to channels; empty texts mean all.
pub async fn deliveries(channel: &str, state: &str) -> Result<Deliveries, ApiError> {
    let mut pairs = vec![("limit", DELIVERIES_MAX.to_string())];
    for (name, value) in [("channel", channel), ("state", state)] {
        if !value.is_empty() {
            pairs.push((name, value.to_owned()));
        }
    }
    fetch::get("/api/alerts/deliveries", &pairs).await
}

fn path(kind: &str, name: &str) -> String {
    format!("/api/alerts/{kind}/{}", crate::state::url::segment(name))
}
