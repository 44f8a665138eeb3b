//! `GET /ws/logs`: matching records as they are applied.

use std::pin::pin;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use insighthub_actors::tail::{Frame, TailCursor};
use tokio::sync::mpsc::Receiver;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::document::parameters;
use super::extract::Query;
use super::places::Place;
use super::reading::Parameters;
use super::{ApiError, AppState};

/// What a follower may send us: pings and closes are small.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
const SESSION_ENDED: &str = "the session has ended";
/// A follower is asked so often whether it is there, and must have answered, or said anything else, within the second.
const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// A socket that takes no frame for this long is dead.
const SEND_DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Matching records as they are stored, over a WebSocket.
#[utoipa::path(
    get, path = "/ws/logs",
    params(parameters::FilterParameters, parameters::RangeParameters, parameters::TailParameters, parameters::FieldConditions),
    responses((status = 101, description = "A WebSocket, over which matching records come."), (status = 426)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn follow(
    State(node): State<AppState>,
    viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade =
        upgrade.map_err(|refused| ApiError::new(refused.status(), "no_websocket", refused.body_text()))?;
    let mut parameters = Parameters::new(pairs);
    let cursor: Option<Result<TailCursor, _>> = parameters.take("cursor")?.map(|text| text.parse());
    let cursor = cursor.transpose().map_err(|error| ApiError::bad_parameter("cursor", error.to_string()))?;
    let conditions = parameters.into_conditions(node.clock.now())?;
    let place = node.places.take(viewer.user.as_deref())?;
    let frames = node.actors.follow(conditions, cursor).await;
    let frames = frames.ok_or_else(|| ApiError::unavailable("the live tail is restarting; try again"))?;
    let follower = Follower { node, viewer, place, frames, first: None };
    Ok(upgraded(upgrade, follower, |frame| serde_json::to_string(&frame).ok()))
}

/// Who follows, and what there is to carry.
pub(super) struct Follower {
    pub(super) node: AppState,
    pub(super) viewer: Viewer,
    pub(super) place: Place,
    pub(super) frames: Receiver<Frame>,
    /// What is sent before the first frame.
    pub(super) first: Option<String>,
}

/// The answer that opens the socket. `show` makes the text of a frame; `None`: there is nothing to say.
pub(super) fn upgraded(
    upgrade: WebSocketUpgrade,
    follower: Follower,
    show: impl FnMut(Frame) -> Option<String> + Send + 'static,
) -> Response {
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| pump(follower, socket, show))
}

/// Carries frames to the socket until either side ends, or the follower may no longer look.
async fn pump(
    follower: Follower,
    mut socket: WebSocket,
    mut show: impl FnMut(Frame) -> Option<String> + Send + 'static,
) {
    let Follower { node, viewer, place: _place, mut frames, first } = follower;
    if let Some(text) = first
        && !is_sent(&mut socket, text).await
    {
        return;
    }
    let mut out = pin!(viewer.is_out(&node));
    let mut pings = tokio::time::interval(PING_EVERY);
    let mut heard_at = Instant::now();
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else {
                    // The session ended (restart, shutdown): the follower comes back with its cursor.
                    return close(socket, close_code::RESTART, "reconnect with the cursor").await;
                };
                // Nothing is shown to somebody of whom this node does not know that they may see it.
                if !viewer.is_in(&node).await {
                    return close(socket, close_code::POLICY, SESSION_ENDED).await;
                }
                let Some(text) = show(frame) else { continue };
                if !is_sent(&mut socket, text).await {
                    return;
                }
            }
            () = &mut out => return close(socket, close_code::POLICY, SESSION_ENDED).await,
            _ = pings.tick() => {
                let is_silent = heard_at.elapsed() > SILENCE_MAX;
                let ping = tokio::time::timeout(SEND_DEADLINE, socket.send(Message::Ping(Bytes::new())));
                if is_silent || !matches!(ping.await, Ok(Ok(()))) {
                    return;
                }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => heard_at = Instant::now(),
            },
        }
    }
}

async fn is_sent(socket: &mut WebSocket, text: String) -> bool {
    let sent = tokio::time::timeout(SEND_DEADLINE, socket.send(Message::text(text))).await;
    matches!(sent, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let close = CloseFrame { code, reason: reason.into() };
    drop(socket.send(Message::Close(Some(close))).await);
}
