//! What a node says of itself with every beat, bounded in size.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

/// A report's encoded size. Beats share one connection with everything else the nodes tell each other,
/// so that a report of megabytes would delay them. Some 200 replicas fit.
pub const REPORT_BYTES_MAX: usize = 64 * 1_024;
/// Longest text in a report that is too large; an error chain can be long.
const TEXT_CHARS_MAX: usize = 200;
/// Most entries of `waiting_for` in a report that is too large.
const WAITING_FOR_MAX: usize = 16;

/// Part a replica plays in its group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Leader,
    Follower,
    Learner,
    #[default]
    Stopped,
}

/// What a node says of itself. Fields that an older node does not send are read as their default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeReport {
    pub node_id: u64,
    pub name: String,
    pub http: String,
    pub peer: String,
    /// Random for each start of the process.
    pub incarnation: u64,
    /// Grows with every beat of an incarnation; set when the beat is sent.
    pub sequence: u64,
    pub ready: bool,
    pub waiting_for: Vec<String>,
    pub replicas: Vec<ReplicaReport>,
    pub actors_restarted: u64,
    pub disk_free_bytes: u64,
    /// The node leaves in order: it counts as gone from now on, not once it is no longer heard.
    pub stopping: bool,
    /// Replicas that are not listed because the report was too large.
    pub replicas_left_out: u32,
}

/// One replica as its node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaReport {
    pub partition: u16,
    pub role: Role,
    pub term: u64,
    pub leader: Option<u64>,
    pub last_log_index: u64,
    pub applied_index: u64,
    pub snapshot_index: u64,
    pub records: u64,
    pub blocks: u64,
    pub block_bytes: u64,
    pub failure: Option<String>,
    /// The index at which the replica was last checked, and what it was then.
    pub checksum: Option<(u64, String)>,
    pub damaged_blocks: u64,
    /// Services whose detectors this replica keeps, and the memory they take, bytes.
    pub detectors: u64,
    pub detector_bytes: u64,
}

/// Asked for the node's report at every beat: it reads figures that are at hand, and waits for nothing.
pub trait ReportSource: Send + Sync + Debug {
    fn report(&self) -> NodeReport;
}

impl NodeReport {
    /// The report, cut until it fits and saying so.
    pub(crate) fn fitted(mut self) -> NodeReport {
        if encoded_bytes(&self) <= REPORT_BYTES_MAX {
            return self;
        }
        self.shorten_texts();
        let replicas = std::mem::take(&mut self.replicas);
        let listed = replicas.len();
        // What `replicas_left_out` itself may take, should it grow from one digit to many.
        let mut bytes = encoded_bytes(&self) + 10;
        self.replicas = replicas
            .into_iter()
            .take_while(|replica| {
                bytes += encoded_bytes(replica) + 1;
                bytes <= REPORT_BYTES_MAX
            })
            .collect();
        let left_out = u32::try_from(listed - self.replicas.len()).unwrap_or(u32::MAX);
        self.replicas_left_out = self.replicas_left_out.saturating_add(left_out);
        self
    }

    fn shorten_texts(&mut self) {
        let more = self.waiting_for.len().saturating_sub(WAITING_FOR_MAX);
        if more > 0 {
            self.waiting_for.truncate(WAITING_FOR_MAX);
            self.waiting_for.push(format!("and {more} more"));
        }
        let own = [&mut self.name, &mut self.http, &mut self.peer];
        own.into_iter().chain(&mut self.waiting_for).for_each(shorten);
        for replica in &mut self.replicas {
            replica.failure.as_mut().into_iter().for_each(shorten);
            replica.checksum.as_mut().into_iter().for_each(|(_, checksum)| shorten(checksum));
        }
    }
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
}

fn encoded_bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX / 2, |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(partition: u16) -> ReplicaReport {
        ReplicaReport {
            partition,
            role: Role::Follower,
            term: 7,
            leader: Some(u64::MAX),
            last_log_index: 1,
            applied_index: 1,
            snapshot_index: 0,
            records: 5,
            blocks: 2,
            block_bytes: 3,
            failure: None,
            checksum: Some((1, "ab".repeat(16))),
            damaged_blocks: 0,
            detectors: 0,
            detector_bytes: 0,
        }
    }

    #[test]
    fn a_report_that_fits_is_left_as_it_is() {
        let report = NodeReport {
            name: "n1".repeat(150),
            replicas: (0..100).map(replica).collect(),
            ..NodeReport::default()
        };
        assert_eq!(report.clone().fitted(), report);
    }

    #[test]
    fn a_report_that_is_too_large_is_cut_and_says_so() {
        let mut replicas: Vec<_> = (0..2_000).map(replica).collect();
        replicas[0].failure = Some("é".repeat(100_000));
        let waiting_for = (0..5_000).map(|group| format!("group {group}")).collect();
        let report = NodeReport { replicas, waiting_for, ..NodeReport::default() }.fitted();
        let bytes = encoded_bytes(&report);
        assert!(bytes <= REPORT_BYTES_MAX, "{bytes}");
        assert!(bytes > REPORT_BYTES_MAX * 9 / 10, "{bytes}: more would have fitted");
        assert_eq!(report.replicas.len() + report.replicas_left_out as usize, 2_000);
        assert_eq!(report.waiting_for.last().unwrap(), "and 4984 more");
        assert_eq!(report.replicas[0].failure.as_ref().unwrap().chars().count(), TEXT_CHARS_MAX + 1);
    }
}
