//! `POST /upload`: the journals of other machines, as systemd-journal-upload sends them. A body may go on for ever: its entries are
//! stored as they come, and the answer is given at its end.
//!
//! An entry is known by its journal and its number there, so that an upload that begins again stores none twice.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use insighthub_actors::admission::Permit;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use xxhash_rust::xxh3::xxh3_128;

use super::super::caller::Sender;
use super::super::insisting::insist;
use super::super::{ApiError, AppState, Arrival, Counters, Intake, KnownBy};
use crate::ingest::Protocol;
use crate::ingest::journal::{self, EntryEnd};
use crate::serving::Patience;

/// Where uploads go; their bodies keep no pace.
pub(in crate::http) const PATH: &str = "/upload";
const MEDIA_TYPE: &str = "application/vnd.fdo.journal";
/// What comes within this time of each other is stored together.
const GATHER: Duration = Duration::from_millis(20);
/// So many bytes of entries are stored before more is read.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Entries under way at once: far fewer than the numbers that are remembered of a journal.
const ENTRIES_AT_ONCE: usize = 128;
/// How long an upload waits where its entries cannot be stored; then it is to come again.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Permits are taken in steps of this size.
const STEP_BYTES: usize = 256 * 1024;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload_journal))
}

/// Takes in entries of journals, in systemd's export format, for as long as they come; the answer comes once all are stored.
#[utoipa::path(
    post, path = "/upload",
    request_body(content = String, content_type = "application/vnd.fdo.journal"),
    responses((status = 202, body = String, content_type = "text/plain"), (status = 400), (status = 413), (status = 415)),
    extensions(("x-insighthub-access" = json!("send_records"))),
)]
async fn upload_journal(
    State(node): State<AppState>,
    sender: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type.is_none_or(|media_type| media_type.split(';').next().map(str::trim) != Some(MEDIA_TYPE)) {
        let message = format!("the body must be a journal: Content-Type {MEDIA_TYPE}");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let patience = parts.extensions.get::<Patience>();
    let mut upload = Upload::new(node, sender.service);
    let mut pieces = body.into_data_stream();
    loop {
        let piece = match upload.has_whole_entries() {
            false => patiently(&mut pieces, patience).await,
            true => match timeout(GATHER, pieces.next()).await {
                Ok(piece) => piece,
                Err(_) => {
                    upload.store().await?;
                    continue;
                }
            },
        };
        match piece {
            None => break,
            Some(Ok(piece)) => upload.take(&piece).await?,
            Some(Err(error)) => {
                upload.store().await?;
                let message = format!("the upload ended early: {error}");
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "broken_body", message));
            }
        }
    }
    upload.finish().await?;
    Ok((StatusCode::ACCEPTED, "OK.\n").into_response())
}

/// What comes next, however long that takes: a journal is quiet when nothing happens.
async fn patiently<S: Stream + Unpin>(pieces: &mut S, patience: Option<&Patience>) -> Option<S::Item> {
    loop {
        match timeout(Patience::EVERY, pieces.next()).await {
            Ok(piece) => return piece,
            Err(_) => patience.into_iter().for_each(Patience::ask),
        }
    }
}

/// One upload under way.
struct Upload {
    node: AppState,
    token_service: Option<String>,
    /// What has come and is not stored.
    buffer: Vec<u8>,
    /// For the buffer.
    permit: Option<Permit>,
    paid_bytes: usize,
    /// Entries of the buffer that are whole.
    entries: Vec<Range<usize>>,
    /// Of the one that is not.
    end: EntryEnd,
}

impl Upload {
    fn new(node: AppState, token_service: Option<String>) -> Upload {
        Upload {
            node,
            token_service,
            buffer: Vec::new(),
            permit: None,
            paid_bytes: 0,
            entries: Vec::new(),
            end: EntryEnd::default(),
        }
    }

    fn has_whole_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    fn whole_bytes(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.end)
    }

    async fn take(&mut self, piece: &Bytes) -> Result<(), ApiError> {
        Counters::add(&self.node.counters.bytes, piece.len() as u64);
        self.buffer.extend_from_slice(piece);
        loop {
            let start = self.whole_bytes();
            let rest = self.buffer.get(start..).unwrap_or_default();
            let Some(length) = self.end.find(rest) else { break };
            self.entries.push(start..start + length);
        }
        let waiting = self.buffer.len() - self.whole_bytes();
        if waiting > self.node.limits.body_bytes_max {
            let message = format!("an entry is larger than {} bytes", self.node.limits.body_bytes_max);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message));
        }
        if self.whole_bytes() >= BATCH_BYTES_MAX {
            self.store().await?;
        }
        self.pay()
    }

    /// Takes permits for what waits, beyond a first step.
    fn pay(&mut self) -> Result<(), ApiError> {
        while self.buffer.len() > self.paid_bytes + STEP_BYTES {
            let step = self.node.actors.admission.admit(STEP_BYTES)?;
            match &mut self.permit {
                Some(permit) => permit.merge(step),
                None => self.permit = Some(step),
            }
            self.paid_bytes += STEP_BYTES;
        }
        Ok(())
    }

    /// Stores all whole entries.
    async fn store(&mut self) -> Result<(), ApiError> {
        let stored = self.whole_bytes();
        let (numbered, others): (Vec<_>, Vec<_>) = self
            .entries
            .drain(..)
            .map(|entry| self.buffer.get(entry).unwrap_or_default())
            .partition(|entry| journal::place(entry).is_some());
        let mut intakes: Vec<_> = numbered.into_iter().map(|entry| self.intake(entry)).collect();
        if !others.is_empty() {
            intakes.push(self.intake(&others.concat()));
        }
        let node = &self.node;
        let storing = intakes.into_iter().map(|intake| async move { store(node, &Arc::new(intake)).await });
        stream::iter(storing).buffer_unordered(ENTRIES_AT_ONCE).try_collect::<()>().await?;
        self.buffer.drain(..stored);
        (self.permit, self.paid_bytes) = (None, 0);
        Ok(())
    }

    /// What comes behind the last empty line is an entry where its lines are whole.
    async fn finish(mut self) -> Result<(), ApiError> {
        let rest = self.whole_bytes()..self.buffer.len();
        let is_empty =
            self.buffer.get(rest.clone()).is_none_or(|rest| rest.iter().all(|byte| *byte == b'\n'));
        if !is_empty {
            self.entries.push(rest);
        }
        self.store().await
    }

    fn intake(&self, entries: &[u8]) -> Intake {
        let known_by = match journal::place(entries) {
            Some((journal, number)) => {
                // A sender that may write one service alone cannot pass for another's.
                let whose = xxh3_128(format!("{:?} {journal}", self.token_service).as_bytes());
                KnownBy::Source((format!("node:journal:{whose:032x}"), number))
            }
            None => KnownBy::Content,
        };
        Intake {
            bytes: entries.to_vec(),
            arrival: Arrival {
                protocol: Protocol::Journal,
                encoding: None,
                origin: "journald",
                token_service: self.token_service.clone(),
                known_by,
                rejections_max: 0,
            },
        }
    }
}

async fn store(node: &AppState, intake: &Arc<Intake>) -> Result<(), ApiError> {
    match insist(node, intake, WAIT_MAX).await {
        Ok(_) => Ok(()),
        // Entries come in the order of their numbers: one that lies so far behind was stored before.
        Err(error) if error.code == "sequence_too_old" => Ok(()),
        Err(error) => Err(error),
    }
}
