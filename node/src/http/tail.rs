//! `GET /ws/logs`: matching records as they are applied.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use insighthub_actors::tail::{Frame, TailCursor};
use tokio::sync::mpsc::Receiver;

use super::caller::Viewer;
use super::places::Place;
use super::reading::Parameters;
use super::{ApiError, AppState};

/// How soon after a session's end its socket is closed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What a follower may send us: pings and closes are small.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// A follower is asked so often whether it is there, and must have answered, or said anything else, within the second.
const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// A socket that takes no frame for this long is dead.
const SEND_DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/ws/logs", get(follow))
}

async fn follow(
    State(node): State<AppState>,
    viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let cursor: Option<Result<TailCursor, _>> = parameters.take("cursor")?.map(|text| text.parse());
    let cursor = cursor.transpose().map_err(|error| ApiError::bad_parameter("cursor", error.to_string()))?;
    let conditions = parameters.into_conditions(node.clock.now())?;
    let place = node.places.take(viewer.user.as_deref())?;
    let frames = node.actors.follow(conditions, cursor).await;
    let frames = frames.ok_or_else(|| ApiError::unavailable("the live tail is restarting; try again"))?;
    Ok(upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| pump(node, viewer, place, socket, frames)))
}

/// Carries frames to the socket until either side ends, or the follower may no longer look.
async fn pump(
    node: AppState,
    viewer: Viewer,
    _place: Place,
    mut socket: WebSocket,
    mut frames: Receiver<Frame>,
) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut pings = tokio::time::interval(PING_EVERY);
    let mut heard_at = Instant::now();
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else {
                    // The session ended (restart, shutdown): the follower comes back with its cursor.
                    let close = CloseFrame { code: close_code::RESTART, reason: "reconnect with the cursor".into() };
                    drop(socket.send(Message::Close(Some(close))).await);
                    return;
                };
                let Ok(text) = serde_json::to_string(&frame) else { return };
                let sent = tokio::time::timeout(SEND_DEADLINE, socket.send(Message::text(text))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
            _ = looks.tick() => if !viewer.is_still_in(&node) {
                let close = CloseFrame { code: close_code::POLICY, reason: "the session has ended".into() };
                drop(socket.send(Message::Close(Some(close))).await);
                return;
            },
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
