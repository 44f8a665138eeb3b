//! Reading a request's body: bounded in size and time, paid for with byte permits as it comes.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures::StreamExt;
use insighthub_actors::admission::{Admission, Permit};

use super::ApiError;

/// A body that takes longer is an attack or a dead client.
const READ_DEADLINE: Duration = Duration::from_secs(60);
/// Permits are taken in steps of this size where the length is not told beforehand.
const STEP_BYTES: usize = 256 * 1024;

/// The body and the permit for its bytes.
pub(super) async fn read(
    body: Body,
    length_told: Option<usize>,
    bytes_max: usize,
    admission: &Admission,
) -> Result<(Vec<u8>, Permit), ApiError> {
    if length_told.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let mut paid_bytes = length_told.unwrap_or(STEP_BYTES);
    let mut permit = admission.admit(paid_bytes)?;
    let mut bytes = Vec::with_capacity(length_told.unwrap_or(0));
    let mut stream = body.into_data_stream();
    let reading = async {
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| {
                ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "broken_body",
                    format!("the body ended early: {error}"),
                )
            })?;
            if bytes.len() + piece.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            while bytes.len() + piece.len() > paid_bytes {
                permit.merge(admission.admit(STEP_BYTES)?);
                paid_bytes += STEP_BYTES;
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(())
    };
    let late =
        || ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "the body did not arrive in 60 s");
    tokio::time::timeout(READ_DEADLINE, reading).await.map_err(|_| late())??;
    Ok((bytes, permit))
}

fn too_large(bytes_max: usize) -> ApiError {
    let message = format!("the body is larger than {bytes_max} bytes: send it in several requests");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}
