//! Faults of clocks: the time of one node jumps, and back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use insighthub_model::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Effect, Nemesis};
use crate::chaos_record::now;
use crate::cluster::node::Node;

/// Making a token may have to wait for a leader and for a password hash in a debug build.
const SHOWN_WITHIN: Duration = Duration::from_secs(15);
/// The smallest jump is larger, the answer to an order comes sooner.
const TOLERANCE_MILLIS: u64 = 4_000;
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

/// Waits until what the node dates is off by that much.
///
/// Not by the `Date` header: it is cached and stands still after a jump back.
async fn shows(node: &Node, offset_secs: i64) -> Result<()> {
    let (started, mut last) = (Instant::now(), String::new());
    while started.elapsed() < SHOWN_WITHIN {
        match offset_millis(node).await {
            Ok(offset) if offset.abs_diff(offset_secs * 1_000) <= TOLERANCE_MILLIS => return Ok(()),
            Ok(offset) => last = format!("{offset} ms"),
            Err(error) => last = format!("{error:#}"),
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("the clock of {} is not off by {offset_secs} s: {last}", node.name)
}

/// How far the clock of a node is off, by the date it gives to a token it makes.
async fn offset_millis(node: &Node) -> Result<i64> {
    let made = node.admin().post_json("/api/tokens", &json!({ "service": "clock" })).await?;
    ensure!(made.status == 200, "{} {}", made.status, made.text);
    let asked_at = now();
    let id = made.json.get("id").and_then(Value::as_str).context("a token without an id")?;
    let listed = node.admin().get("/api/tokens", &[]).await?;
    let tokens = listed.json.get("tokens").and_then(Value::as_array).context("no list of tokens")?;
    let ours = tokens.iter().find(|token| token.get("id").and_then(Value::as_str) == Some(id));
    let created_at =
        ours.and_then(|token| token.get("created_at")?.as_str()).context("the token is not listed")?;
    let created_at =
        Timestamp::parse(created_at).map_err(|error| anyhow::anyhow!("{created_at}: {error}"))?;
    // One token more does no harm where this fails.
    drop(node.admin().delete(&format!("/api/tokens/{id}")).await);
    Ok(created_at.millis() - asked_at.millis())
}
