//! Waiting for a fact instead of for time to pass.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks: far below every time that is measured here.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until the condition holds; fails with its name when it does not in time.
pub async fn wait_until<Condition, Answer>(what: &str, within: Duration, condition: Condition) -> Result<()>
where
    Condition: Fn() -> Answer,
    Answer: Future<Output = bool>,
{
    let started = Instant::now();
    while !condition().await {
        if started.elapsed() > within {
            bail!("not within {within:?}: {what}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
