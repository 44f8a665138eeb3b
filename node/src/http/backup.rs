//! What `insighthub backup` fetches, for admins: `GET /api/backup`, `GET /api/backup/control`,
//! `POST /api/backup/partitions/{number}`, `GET /api/backup/partitions/{number}/blocks/{name}`.
//!
//! Any node answers for every partition; what it does not have it fetches from a peer, piece by piece.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use insighthub_model::PartitionId;
use insighthub_model::access::Action;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::extract::{Json, Path};
use super::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(describe))
        .routes(routes!(control))
        .routes(routes!(partition))
        .routes(routes!(block))
}

/// What there is to fetch.
#[derive(Serialize, ToSchema)]
struct Described {
    cluster_id: String,
    partitions: u16,
}

/// Begins a backup: says what there is to fetch.
#[utoipa::path(
    get, path = "/api/backup",
    responses((status = 200, body = Described)),
    extensions(("x-insighthub-access" = json!("take_backup"))),
)]
async fn describe(State(node): State<AppState>, viewer: Viewer) -> Result<Json<Described>, ApiError> {
    viewer.require(Action::TakeBackup)?;
    let identity = &node.store.identity;
    node.write_down(&viewer, Doing { action: "backup.take", target: "", detail: String::new() }).await?;
    Ok(Json(Described { cluster_id: identity.cluster_id.clone(), partitions: identity.partitions }))
}

/// The control state.
///
/// Users, tokens and settings.
#[utoipa::path(
    get, path = "/api/backup/control",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
    extensions(("x-insighthub-access" = json!("take_backup"))),
)]
async fn control(State(node): State<AppState>, viewer: Viewer) -> Result<Response, ApiError> {
    viewer.require(Action::TakeBackup)?;
    Ok(octets(node.cluster.copy_control().await?.into()))
}

/// Seals the partition; answers its state, which names its blocks.
#[utoipa::path(
    post, path = "/api/backup/partitions/{number}",
    params(("number" = u16, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404)),
    extensions(("x-insighthub-access" = json!("take_backup"))),
)]
async fn partition(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(number): Path<u16>,
) -> Result<Response, ApiError> {
    viewer.require(Action::TakeBackup)?;
    let copy = node.cluster.copy_partition(known(&node, number)?).await?;
    Ok(octets(copy.into()))
}

/// A block file on its way.
struct Sending {
    node: AppState,
    partition: PartitionId,
    file_name: String,
    /// The piece that was read to know whether there is anything to send.
    first: Option<Bytes>,
    sent: u64,
}

/// The file of a block. One that breaks off was merged or has expired meanwhile.
#[utoipa::path(
    get, path = "/api/backup/partitions/{number}/blocks/{name}",
    params(("number" = u16, Path), ("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404)),
    extensions(("x-insighthub-access" = json!("take_backup"))),
)]
async fn block(
    State(node): State<AppState>,
    viewer: Viewer,
    Path((number, file_name)): Path<(u16, String)>,
) -> Result<Response, ApiError> {
    viewer.require(Action::TakeBackup)?;
    let partition = known(&node, number)?;
    let first = node.cluster.copy_block_piece(partition, &file_name, 0).await;
    let gone = || ApiError::not_found("no replica that answers has this block now: list the partition again");
    let first = Some(first.ok_or_else(gone)?);
    let sending = Sending { node, partition, file_name, first, sent: 0 };
    let pieces = stream::unfold(sending, |mut sending| async move {
        let piece = sending.next_piece().await;
        let is_over = piece.as_ref().is_ok_and(Bytes::is_empty);
        (!is_over).then_some((piece, sending))
    });
    Ok(octets(Body::from_stream(pieces)))
}

impl Sending {
    /// The next piece, empty at the end. An error ends the body early, which every client notices.
    async fn next_piece(&mut self) -> Result<Bytes, std::io::Error> {
        let piece = match self.first.take() {
            Some(piece) => Some(piece),
            None => self.node.cluster.copy_block_piece(self.partition, &self.file_name, self.sent).await,
        };
        let gone = || std::io::Error::other("the block is gone");
        let piece = piece.ok_or_else(gone)?;
        self.sent += piece.len() as u64;
        Ok(piece)
    }
}

fn known(node: &AppState, number: u16) -> Result<PartitionId, ApiError> {
    let partitions = node.store.identity.partitions;
    if number < partitions {
        return Ok(PartitionId(number));
    }
    Err(ApiError::not_found(format!("the cluster has {partitions} partitions, none of them {number}")))
}

fn octets(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response()
}
