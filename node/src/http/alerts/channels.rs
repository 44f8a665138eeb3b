//! `GET /api/alerts/channels`, `GET|PUT|DELETE /api/alerts/channels/{name}`, `POST /api/alerts/channels/{name}/test`.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_actors::alerting::delivery::Letter;
use insighthub_model::Timestamp;
use insighthub_model::access::Action;
use insighthub_model::alerts::{Channel, Notice, check_name};
use insighthub_model::api::alerts::{Channels, ListedChannel, Tried};
use insighthub_storage::control::AlertCommand;
use insighthub_storage::control::alerts::{Alerts, ChannelEntry};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::extract::{Json, Path};
use crate::http::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, set, remove)).routes(routes!(test))
}

/// The channels that alerts are sent to, without their secrets.
#[utoipa::path(
    get, path = "/api/alerts/channels",
    responses((status = 200, body = Channels)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(State(node): State<AppState>, _viewer: Viewer) -> Json<Channels> {
    let now = node.clock.now();
    let channels = read(&node, |alerts| {
        alerts.channels.iter().map(|(name, entry)| listed(alerts, name, entry, now)).collect()
    });
    Json(Channels { channels })
}

/// One channel.
#[utoipa::path(
    get, path = "/api/alerts/channels/{name}",
    params(("name" = String, Path)),
    responses((status = 200, body = ListedChannel), (status = 404)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<ListedChannel>, ApiError> {
    found(&node, &name).map(Json).ok_or_else(|| missing(&name))
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no channel {name}"))
}

fn found(node: &AppState, name: &str) -> Option<ListedChannel> {
    let now = node.clock.now();
    read(node, |alerts| alerts.channels.get(name).map(|entry| listed(alerts, name, entry, now)))
}

fn listed(alerts: &Alerts, name: &str, entry: &ChannelEntry, now: Timestamp) -> ListedChannel {
    let tells =
        alerts.rules.iter().filter(|(_, entry)| entry.rule.channels.iter().any(|channel| channel == name));
    ListedChannel {
        name: name.to_owned(),
        channel: entry.channel.clone(),
        receiver: entry.channel.receiver(),
        state: entry.health.breaker.state(now),
        health: entry.health.clone(),
        waiting: alerts.outbox.values().filter(|row| row.channel == name).count(),
        rules: tells.map(|(name, _)| name.clone()).collect(),
    }
}

/// Makes a channel, or replaces it; secrets that come back as `(set)` stay.
#[utoipa::path(
    put, path = "/api/alerts/channels/{name}",
    params(("name" = String, Path)), request_body = Channel,
    responses((status = 200, body = ListedChannel), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Json(channel): Json<Channel>,
) -> Result<Json<ListedChannel>, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    check_name("name", &name)?;
    let before = read(&node, |alerts| alerts.channels.get(&name).map(|entry| entry.channel.clone()));
    let channel = channel.with_secrets_of(before.as_ref())?;
    channel.check()?;
    let at = node.clock.now();
    let doing = Doing { action: "alert.set_channel", target: &name, detail: channel.kind_name().to_owned() };
    let command = AlertCommand::SetChannel { name: name.clone(), channel: Box::new(channel), at };
    change(&node, &viewer, doing, command, "there is no such channel", "the channel was not set").await?;
    let set = found(&node, &name).map(Json);
    set.ok_or_else(|| ApiError::unavailable("the channel was set; this node has not heard of it yet"))
}

/// Removes a channel.
#[utoipa::path(
    delete, path = "/api/alerts/channels/{name}",
    params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    let doing = Doing { action: "alert.remove_channel", target: &name, detail: String::new() };
    let command = AlertCommand::RemoveChannel { name: name.clone() };
    let conflict = "rules tell this channel: take it out of them first";
    change(&node, &viewer, doing, command, "there is no such channel", conflict).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends one message now, from this node, and says what became of it.
#[utoipa::path(
    post, path = "/api/alerts/channels/{name}/test",
    params(("name" = String, Path)),
    responses((status = 200, body = Tried), (status = 404)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn test(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<Tried>, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    let channel = read(&node, |alerts| alerts.channels.get(&name).map(|entry| entry.channel.clone()));
    let channel = channel.ok_or_else(|| missing(&name))?;
    node.write_down(&viewer, Doing { action: "alert.try_channel", target: &name, detail: String::new() })
        .await?;
    let now = node.clock.now();
    let notice = Notice::test(&name, now);
    let letter =
        Letter { notice: &notice, channel_name: &name, also: &[], link: node.outgoing.link(&notice), now };
    let sent = node.outgoing.send(&channel, &letter).await;
    let error = sent.err().map(|failed| failed.to_string());
    Ok(Json(Tried { delivered: error.is_none(), error }))
}
