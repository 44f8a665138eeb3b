//! What was sent and what was promised: the truth the checker compares a node with.

use std::collections::HashMap;

use serde_json::Value;

use crate::api::Answer;
use crate::chaos_record::ChaosRecord;

/// What is known of a record that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Sent; no answer came. It may be stored or not.
    Unknown,
    /// The node said it has it: it must be there, once.
    Acknowledged,
    /// The node said it is broken: it must be a dead letter, once.
    Rejected,
}

/// One record that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub hash: u64,
    pub fate: Fate,
    pub is_broken: bool,
}

/// What an answer means for the batch that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// All of it is kept: so many good records, the broken ones as dead letters.
    Promised { good: u64 },
    /// It may be sent again.
    Later,
    /// An answer that must not be, and that another attempt will not change.
    Refused,
}

/// Everything that was sent in one test.
#[derive(Debug, Default)]
pub struct Ledger {
    pub records: HashMap<String, Sent>,
    pub acknowledged: u64,
    pub rejected: u64,
    /// Batches that were sent again under the same identity.
    pub retries: u64,
    /// Batches the node recognised as sent before.
    pub duplicates: u64,
    /// Why the last attempt was not acknowledged; for the message of a failed test.
    pub last_trouble: String,
    /// Answers a node must never give, such as a 400 for a good batch.
    pub violations: Vec<String>,
}

impl Ledger {
    /// Notes a batch before it is sent: from now on it may be stored.
    pub fn sending(&mut self, batch: &[ChaosRecord]) {
        for record in batch {
            let sent = Sent { hash: record.hash, fate: Fate::Unknown, is_broken: record.is_broken };
            self.records.insert(record.id.clone(), sent);
        }
    }

    /// Notes the node's promise for a whole batch: good records stored, broken ones kept as dead letters.
    pub fn promised(&mut self, batch: &[ChaosRecord]) {
        for record in batch {
            let Some(sent) = self.records.get_mut(&record.id) else {
                self.violations.push(format!("{} was promised but never sent", record.id));
                continue;
            };
            if record.is_broken {
                sent.fate = Fate::Rejected;
                self.rejected += 1;
            } else {
                sent.fate = Fate::Acknowledged;
                self.acknowledged += 1;
            }
        }
    }

    /// Notes what the node answered to a batch.
    pub fn judge(&mut self, answer: &Answer, batch: &[ChaosRecord]) -> Judgement {
        let broken = batch.iter().filter(|record| record.is_broken).count() as u64;
        let good = batch.len() as u64 - broken;
        if matches!(answer.status, 429 | 503) {
            if !answer.says_when_to_retry() {
                self.violations.push(format!("{} without Retry-After: {}", answer.status, answer.text));
            }
            return Judgement::Later;
        }
        // A batch of broken records only is answered with 400 and kept all the same.
        let is_expected = answer.status == 200 || (answer.status == 400 && good == 0);
        if !is_expected {
            self.violations.push(format!("{} for a good batch: {}", answer.status, answer.text));
            return if answer.status < 500 { Judgement::Refused } else { Judgement::Later };
        }
        if answer.json.get("duplicate").and_then(Value::as_bool) == Some(true) {
            self.duplicates += 1;
        } else if batch.len() > 1
            && (answer.number("accepted"), answer.number("rejected")) != (Some(good), Some(broken))
        {
            self.violations.push(format!("{good} good and {broken} broken sent, answered {}", answer.text));
        }
        self.promised(batch);
        Judgement::Promised { good }
    }
}
