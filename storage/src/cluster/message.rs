//! What nodes ask each other beside Raft, and what they answer. Versioned, and not the disk's types.

use bytes::Bytes;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::record::FieldValue;
use insighthub_model::{Level, LogId, Offset, PartitionId, Record, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::LetterCounts;
use crate::block::BlockId;
use crate::codec::{self, CodecError};
use crate::command::{Applied, ChunkOutcome};
use crate::identity::{Identity, Member};
use crate::note::{Note, NoteFilter};
use crate::partition::PartitionDeletion;
use crate::query::Conditions;
use crate::query::exploring::{Seen, Wanted};
use crate::query::pipeline::{Counts, Gathering, Groups};
use crate::raft::NodeId;
use crate::snapshot::StoredSnapshot;

const VERSION: u8 = 3;

/// What a call to a node is; Raft's own are 1 to 4.
pub(crate) mod kind {
    /// Of [`super::Request`]; answered by [`super::Response`].
    pub(crate) const REQUEST: u8 = 16;
    /// Of [`super::Hello`], from a node that is not yet a member.
    pub(crate) const HELLO: u8 = 17;
}

/// The first words of a node without an identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Its node id is 0.
    pub member: Member,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HelloAnswer {
    /// The asked node has no identity either.
    AlsoNew { member: Member },
    /// The asker belongs to this cluster.
    Welcome { identity: Identity },
    /// The asked node cannot say now: its cluster has no leader.
    Later { reason: String },
    /// The asker must not come in as it is.
    Refused { reason: String },
}

/// Asked of a member by a member.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Confirms leadership of each group and says up to where a reader must have applied it.
    ReadIndex {
        groups: Vec<u16>,
    },
    /// Puts a command (its encoded bytes) through the group this node leads.
    Propose {
        group: u16,
        command: Bytes,
    },
    /// Stores chunks of one request in the partition this node leads.
    Append {
        partition: PartitionId,
        chunks: Vec<ChunkMessage>,
    },
    Search {
        partitions: Vec<PartitionId>,
        conditions: Conditions,
        limit: u32,
        after: Option<(Timestamp, LogId)>,
        deadline_ms: u32,
    },
    /// What a query with stages needs of these partitions.
    Gather {
        partitions: Vec<PartitionId>,
        conditions: Conditions,
        gathering: Gathering,
        deadline_ms: u32,
    },
    /// What the records of these partitions look like.
    Explore {
        partitions: Vec<PartitionId>,
        conditions: Conditions,
        wanted: Wanted,
        deadline_ms: u32,
    },
    /// Matching records of one partition from an offset on, in offset order; waits up to `wait_ms` for the first.
    After {
        partition: PartitionId,
        conditions: Conditions,
        from: Offset,
        limit: u32,
        wait_ms: u32,
    },
    Minutes {
        partitions: Vec<PartitionId>,
        service: Option<String>,
        from_minute: i64,
        to_minute: i64,
        deadline_ms: u32,
    },
    DeadLetters {
        partition: PartitionId,
        before: u64,
        limit: u32,
    },
    /// The next offset of each.
    Ends {
        partitions: Vec<PartitionId>,
    },
    /// Part of a block file.
    ReadBlock {
        partition: PartitionId,
        file_name: String,
        offset: u64,
        bytes: u32,
    },
    /// Checksums of a replica's state, for comparison.
    Checksums {
        partition: PartitionId,
    },
    /// The newest snapshot of a replica that is on disk.
    Snapshot {
        partition: PartitionId,
    },
    /// How far a deletion is in a replica.
    Deletion {
        partition: PartitionId,
        id: u64,
    },
    /// Tries to become the leader of a group whose leader has stepped back.
    Elect {
        group: u16,
    },
    /// Gives up leadership of a group in favour of a peer.
    StepDown {
        group: u16,
        to: NodeId,
    },
    /// Seals a partition and copies its state, for a backup.
    CopyPartition {
        partition: PartitionId,
    },
    /// What was found out about services.
    Notes {
        partitions: Vec<PartitionId>,
        filter: NoteFilter,
        deadline_ms: u32,
    },
    /// How many records were refused, of whom and why.
    CountLetters {
        partitions: Vec<PartitionId>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        deadline_ms: u32,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    ReadIndex(Vec<Result<Option<u64>, Failure>>),
    /// What applying answered, and the index it was applied at.
    Propose {
        applied: Applied,
        index: u64,
    },
    Append(Vec<Result<ChunkOutcome, AppendFailure>>),
    Search(Found),
    Gather {
        part: GatheredMessage,
        counts: Counts,
        stale: Vec<PartitionId>,
    },
    Explore {
        seen: Box<Seen>,
        counts: Counts,
        stale: Vec<PartitionId>,
    },
    After {
        records: Vec<RecordMessage>,
        next: Offset,
    },
    Minutes {
        minutes: Vec<(MinuteKey, MinuteAggregate)>,
        stale: Vec<PartitionId>,
    },
    DeadLetters(Vec<(u64, DeadLetter)>),
    Ends(Vec<(PartitionId, Offset)>),
    Block(Bytes),
    Checksums(ReplicaChecksums),
    Snapshot(Option<Box<StoredSnapshot>>),
    /// `None`: the replica has not heard of it.
    Deletion(Option<PartitionDeletion>),
    Done,
    Failed(Failure),
    /// A snapshot's file.
    Copy(Bytes),
    Notes {
        notes: Vec<(PartitionId, Note)>,
        stale: Vec<PartitionId>,
    },
    LetterCounts {
        counts: LetterCounts,
        stale: Vec<PartitionId>,
    },
}

/// Why a member did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    #[error("this node does not lead the group")]
    NotLeader { leader: Option<NodeId> },
    #[error("this node has no replica of partition {0}")]
    NotHosted(PartitionId),
    /// Nothing was done.
    #[error("{0}")]
    Unavailable(String),
    /// It may have been done.
    #[error("{0}")]
    Unknown(String),
    /// Asking again does not help.
    #[error("{0}")]
    Invalid(String),
}

impl Failure {
    /// The replica lacks something it should have; another may have it.
    pub(super) fn damaged(partition: PartitionId) -> Failure {
        Failure::Unavailable(format!(
            "the replica of partition {partition} on this node is damaged or not complete"
        ))
    }
}

/// A chunk on its way to its leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChunkMessage {
    pub identity: BatchIdentity,
    /// As the log keeps it: lz4 of the encoded batch.
    pub records: Bytes,
    pub dead_letters: Vec<DeadLetter>,
}

/// Why a chunk was not stored, as its leader says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppendFailure {
    #[error("service {service:?} sends more than its limit; send again in {retry_after_secs} s")]
    RateLimited { service: String, retry_after_secs: u64 },
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("service {service:?} is one of more than {services_max} different ones within an hour")]
    TooManyServices { service: String, services_max: usize, retry_after_secs: u64 },
}

/// Part of the answer to a query with stages.
#[derive(Debug, Serialize, Deserialize)]
pub enum GatheredMessage {
    Records(Vec<RecordMessage>),
    Groups(Groups),
}

/// Part of a search's answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    pub records: Vec<RecordMessage>,
    pub more: bool,
    pub scanned_records: u64,
    pub matched_records: u64,
    pub matched_is_lower_bound: bool,
    pub pruned_sources: u64,
    /// Partitions whose replica could not confirm that it holds everything acknowledged.
    pub stale: Vec<PartitionId>,
}

/// What a replica's content adds up to, at an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaChecksums {
    /// Name and content checksum of each block.
    pub blocks: Vec<(BlockId, u64)>,
    /// Blocks that are damaged here.
    pub damaged: Vec<BlockId>,
}

/// A record as the wire carries it; the API's form is flat and cannot be read back by this codec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordMessage {
    partition: PartitionId,
    offset: Offset,
    timestamp: Timestamp,
    service: String,
    level: Level,
    message: String,
    latency_ms: Option<f64>,
    anomaly_score: Option<f32>,
    is_anomaly: bool,
    anomaly_reason: Option<String>,
    created_at: Timestamp,
    fields: Vec<(String, FieldValue)>,
}

impl From<Record> for RecordMessage {
    fn from(record: Record) -> RecordMessage {
        RecordMessage {
            partition: record.log_id.partition,
            offset: record.log_id.offset,
            timestamp: record.timestamp,
            service: record.service,
            level: record.level,
            message: record.message,
            latency_ms: record.latency_ms,
            anomaly_score: record.anomaly_score,
            is_anomaly: record.is_anomaly,
            anomaly_reason: record.anomaly_reason,
            created_at: record.created_at,
            fields: record.fields,
        }
    }
}

impl From<RecordMessage> for Record {
    fn from(message: RecordMessage) -> Record {
        Record {
            log_id: LogId { partition: message.partition, offset: message.offset },
            timestamp: message.timestamp,
            service: message.service,
            level: message.level,
            message: message.message,
            latency_ms: message.latency_ms,
            anomaly_score: message.anomaly_score,
            is_anomaly: message.is_anomaly,
            anomaly_reason: message.anomaly_reason,
            created_at: message.created_at,
            fields: message.fields,
        }
    }
}

pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Bytes, CodecError> {
    Ok(codec::encode(VERSION, message)?.into())
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    codec::decode(VERSION, bytes)
}
