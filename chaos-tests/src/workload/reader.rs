//! A reader that asks one node for what another has just acknowledged: it must be found, unless the
//! answer itself says that it is incomplete or stale.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use insighthub_model::Timestamp;
use serde_json::Value;

use super::{Acked, Shared};
use crate::api::{Answer, Api};
use crate::dice::Dice;

/// A node that hangs must not hold up the questions to others.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(80);
/// Timestamps of one writer lie 7 ms apart.
const WINDOW_MILLIS: i64 = 7;
/// Of the records acknowledged last; older ones prove less.
const NEWEST: usize = 8;

/// A reader with clients to every node.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    nodes: Vec<Api>,
    dice: Dice,
}

/// What an answer says of a record that was acknowledged before the question.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Found,
    /// It says itself that something may be missing.
    Incomplete,
    Unanswered,
    Missing,
}

impl Reader {
    pub fn new(shared: Arc<Shared>, dice: Dice) -> Result<Reader> {
        let nodes = shared.cluster.nodes.iter().map(|node| Api::patient(&node.url(), ANSWER_WITHIN));
        Ok(Reader { nodes: nodes.collect::<Result<_>>()?, shared, dice })
    }

    pub async fn run(mut self) {
        while !self.shared.is_over() {
            tokio::time::sleep(PAUSE).await;
            if let Some((acked, node)) = self.choose() {
                self.ask(&acked, node).await;
            }
        }
    }

    /// Something just acknowledged, and a node that did not answer it if there is one.
    fn choose(&mut self) -> Option<(Acked, usize)> {
        let acked = {
            let recent = self.shared.recent();
            let newest: Vec<&Acked> = recent.iter().rev().take(NEWEST).collect();
            (*self.dice.pick(&newest)?).clone()
        };
        let up = self.shared.cluster.up();
        let others: Vec<usize> = up.iter().copied().filter(|node| *node != acked.node).collect();
        let node = *self.dice.pick(if others.is_empty() { &up } else { &others })?;
        Some((acked, node))
    }

    async fn ask(&self, acked: &Acked, node: usize) {
        let Some(api) = self.nodes.get(node) else { return };
        let was_calm = self.shared.tally.is_calm();
        let from = acked.timestamp.to_string();
        let to = Timestamp::from_millis(acked.timestamp.millis() + WINDOW_MILLIS).to_string();
        let parameters =
            [("service", acked.service.as_str()), ("from", &from), ("to", &to), ("limit", "1000")];
        let answer = api.get("/api/logs", &parameters).await;
        let reading = read(&answer, &acked.id);
        let tally = &self.shared.tally;
        tally.attempt(was_calm, reading == Reading::Found);
        tally.reads.fetch_add(1, Ordering::Relaxed);
        match reading {
            Reading::Found => {}
            Reading::Incomplete => drop(tally.reads_incomplete.fetch_add(1, Ordering::Relaxed)),
            Reading::Unanswered => drop(tally.reads_unanswered.fetch_add(1, Ordering::Relaxed)),
            Reading::Missing => {
                let name =
                    |number: usize| self.shared.cluster.nodes.get(number).map_or("", |node| &node.name);
                let coverage = answer.ok().and_then(|answer| answer.json.get("coverage").cloned());
                self.shared.ledger().violations.push(format!(
                    "{} was acknowledged by {} and then not found on {}, which claims to be complete: {}",
                    acked.id,
                    name(acked.node),
                    name(node),
                    coverage.unwrap_or_default()
                ));
            }
        }
    }
}

fn read(answer: &Result<Answer>, id: &str) -> Reading {
    let Ok(answer) = answer else { return Reading::Unanswered };
    if answer.status != 200 {
        return Reading::Unanswered;
    }
    let records = answer.json.get("records").and_then(Value::as_array);
    let is_it = |record: &Value| record.get("chaos_id").and_then(Value::as_str) == Some(id);
    if records.is_some_and(|records| records.iter().any(is_it)) {
        return Reading::Found;
    }
    let says = |name: &str| answer.json.get("coverage").and_then(|coverage| coverage.get(name)?.as_bool());
    if says("complete") == Some(true) && says("stale") != Some(true) {
        Reading::Missing
    } else {
        Reading::Incomplete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reading(status: u16, json: Value) -> Reading {
        let answer = Answer { status, headers: Default::default(), text: json.to_string(), json };
        read(&Ok(answer), "w1/7")
    }

    #[test]
    fn a_record_may_be_missing_only_from_answers_that_say_so() {
        let coverage = |complete, stale| json!({"complete": complete, "stale": stale});
        let answer = |id, coverage| json!({"records": [{"chaos_id": id}], "coverage": coverage});
        assert_eq!(reading(200, answer("w1/7", coverage(true, false))), Reading::Found);
        assert_eq!(reading(200, answer("w1/8", coverage(true, false))), Reading::Missing);
        assert_eq!(reading(200, answer("w1/8", json!({"complete": true}))), Reading::Missing);
        assert_eq!(reading(200, answer("w1/8", coverage(true, true))), Reading::Incomplete);
        assert_eq!(reading(200, answer("w1/8", coverage(false, false))), Reading::Incomplete);
        assert_eq!(reading(503, json!({})), Reading::Unanswered);
    }
}
