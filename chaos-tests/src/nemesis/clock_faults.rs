//! Faults of clocks: the time of one node jumps, and back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::time::sleep;

use super::{Effect, Nemesis};
use crate::cluster::clock::{DATE_WITHIN, offset_of};
use crate::cluster::node::Node;

/// `Date` has whole seconds and the answer takes a moment.
const TOLERANCE_SECS: u64 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Nemesis {
    pub(super) async fn jump(&self, target: usize, offset_secs: i64, length: Duration) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let clock = node.clock.as_ref().context("the node has no clock of its own")?;
        clock.set(offset_secs)?;
        let jumped = shows(node, offset_secs).await;
        sleep(length).await;
        clock.set(0)?;
        jumped?;
        shows(node, 0).await.context("the clock did not jump back")?;
        Ok(Effect::seen(format!("{offset_secs:+} s for {length:?}")))
    }
}

/// Waits until the node's own `Date` header is off by that much.
async fn shows(node: &Node, offset_secs: i64) -> Result<()> {
    let (started, mut last) = (Instant::now(), None);
    while started.elapsed() < DATE_WITHIN {
        if let Ok(answer) = node.api().get("/healthz", &[]).await {
            let date = answer.headers.get("date").and_then(|date| date.to_str().ok());
            last = date.and_then(offset_of);
            if last.is_some_and(|offset| offset.abs_diff(offset_secs) <= TOLERANCE_SECS) {
                return Ok(());
            }
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("the clock of {} is off by {last:?} s instead of {offset_secs}", node.name)
}
