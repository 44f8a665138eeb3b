//! Storing what its sender will not send again: try after try, each under the same identity, so that nothing is stored twice.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::intake::Taken;
use super::{ApiError, AppState, Intake};

/// Between one try and the next.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Failures for which nobody can wait: errors of this node. One may still be an accident.
const FAILURES_MAX: u32 = 3;
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Returns once it is stored. Fails where waiting does not help, or did not `within` that time.
pub(crate) async fn insist(
    node: &AppState,
    intake: &Arc<Intake>,
    within: Duration,
) -> Result<Taken, ApiError> {
    let began = Instant::now();
    let (mut pause, mut failures, mut said) = (PAUSE_MIN, 0, began);
    loop {
        let error = match attempt(node, intake).await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        let is_of_client = error.status.is_client_error() && error.retry_after_secs.is_none();
        failures += u32::from(error.retry_after_secs.is_none());
        if is_of_client || failures >= FAILURES_MAX || began.elapsed() >= within {
            return Err(error);
        }
        if said.elapsed() >= LOG_INTERVAL {
            said = Instant::now();
            tracing::warn!(
                origin = intake.arrival.origin,
                reason = error.message,
                "records wait to be stored"
            );
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn attempt(node: &AppState, intake: &Arc<Intake>) -> Result<Taken, ApiError> {
    let permit = node.actors.admission.admit(intake.bytes.len())?;
    Box::pin(intake.attempt(node, permit)).await
}
