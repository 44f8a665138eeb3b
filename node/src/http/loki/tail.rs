//! `tail`: lines as their records are stored, over a WebSocket.

use std::collections::HashSet;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use insighthub_actors::tail::Frame;
use insighthub_model::{LogId, Timestamp};
use insighthub_storage::query::Conditions;
use serde_json::json;

use super::super::caller::Viewer;
use super::super::tail::{Follower, upgraded};
use super::answer::Streams;
use super::asked::{Asked, Span};
use super::asking::Asking;
use super::error::LokiError;
use super::limits::{LINES_DEFAULT, LINES_MAX};
use super::lines::{Found, Lines, Way, streams};
use super::parameters;
use super::{ApiError, AppState};
use crate::logql::line::Line;

const DELAY_SECS_MAX: usize = 5;

/// Lines as their records are stored, over a WebSocket.
#[utoipa::path(
    get, path = "/loki/api/v1/tail",
    params(parameters::TailParameters),
    responses((status = 101, description = "A WebSocket, over which lines come."), (status = 422), (status = 426)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn follow(
    State(node): State<AppState>,
    viewer: Viewer,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    asked: Asked,
) -> Result<Response, LokiError> {
    let upgrade =
        upgrade.map_err(|refused| ApiError::new(refused.status(), "no_websocket", refused.body_text()))?;
    asked.query()?;
    let query = asked.records("query")?;
    if asked.text("delay_for").is_some_and(|text| text != "0") {
        // What is stored late is shown late: there is nothing to be put in order by waiting.
        asked.number("delay_for", 1, DELAY_SECS_MAX)?;
    }
    let limit = asked.number("limit", LINES_DEFAULT, LINES_MAX)?;
    let now = node.clock.now();
    let from = asked.moment("start")?.unwrap_or(now.0);
    // Timestamps may lie ahead of this node's clock.
    let lines = Lines::of(&query, Span { from, to: i64::MAX })?;
    if lines.pipeline.remembers() {
        return Err(LokiError::bad_query(
            "distinct remembers what came before, and the live tail has no end: expected none in it",
        ));
    }
    let place = node.places.take(viewer.user.as_deref())?;
    let live = Conditions { from: None, to: None, ..lines.conditions.clone() };
    // First the live end, then the past: what is stored in between comes twice and is known by its id.
    let frames = node.actors.follow(live, None).await;
    let frames = frames.ok_or_else(|| ApiError::unavailable("the live tail is restarting; try again"))?;
    let mut past = Vec::new();
    if from < now.0 {
        past = lines.first(&mut Asking::begin(node.clone()), Way::NewestFirst, limit).await?;
        past.reverse();
    }
    let shown = past.iter().map(|found| found.log_id).collect();
    let first = (!past.is_empty()).then(|| text_of(&streams(past, false), None));
    let mut shower = Shower { lines, shown, newest: now };
    let follower = Follower { node, viewer, place, frames, first };
    Ok(upgraded(upgrade, follower, move |frame| shower.show(&frame)))
}

/// Makes the text of each frame.
struct Shower {
    lines: Lines,
    /// Of the past, and not to be shown again.
    shown: HashSet<LogId>,
    /// The newest moment shown: where records were left out.
    newest: Timestamp,
}

impl Shower {
    /// `None` where there is nothing to say.
    fn show(&mut self, frame: &Frame) -> Option<String> {
        let records = frame.records.iter().flatten().filter(|record| !self.shown.contains(&record.log_id));
        let found = records.filter_map(|record| {
            let mut line = Line::of(record);
            let is_kept = self.lines.pipeline.run(&mut line);
            is_kept.then_some(Found { at: record.timestamp.0, log_id: record.log_id, line })
        });
        let found: Vec<Found> = found.collect();
        self.newest = found.iter().map(|found| Timestamp(found.at)).fold(self.newest, Timestamp::max);
        if found.is_empty() && frame.skipped.is_none() {
            return None;
        }
        Some(text_of(&streams(found, false), frame.skipped.map(|_| self.newest)))
    }
}

/// `{"streams": [...], "dropped_entries": [...]}`; of records that were left out only the moment is known.
fn text_of(streams: &Streams, skipped_at: Option<Timestamp>) -> String {
    let mut message = json!({ "streams": streams.shown(false) });
    if let Some(at) = skipped_at {
        message["dropped_entries"] = json!([{ "labels": {}, "timestamp": at.0.to_string() }]);
    }
    message.to_string()
}
