//! The closed set of commands that change a group's state, and what applying one answers.
//!
//! A command travels as [`Payload`]: its encoded bytes, which the log keeps, and on the node that made
//! it the decoded command, so that the leader never decodes what it has just encoded.

use std::sync::Arc;

use bytes::Bytes;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::detection::DetectionSettings;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::spread_plan::SpreadPlan;
use insighthub_model::{Offset, RecordBatch, Scores, Timestamp, batch};
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::block::BlockId;
use crate::codec::{self, CodecError};
use crate::control::{ControlCommand, ControlReply};
use crate::life::{Deletion, Expiry};

const VERSION: u8 = 4;

/// Everything that can change the state of a group.
#[derive(Clone, Debug)]
pub enum Command {
    /// Stores records and dead letters of a partition.
    Append(Append),
    /// Freezes the head; a block named by this entry's index is built from it.
    Seal,
    /// What the leader's clock says: time passes for detectors also where no records come.
    Tick(Timestamp),
    /// What detectors are told from here on.
    SetDetection(DetectionSettings),
    /// Takes dead letters off the list: they were mended or given up.
    ResolveDeadLetters(Vec<u64>),
    /// Changes users, tokens or settings; control group only.
    Control(ControlCommand),
    /// Decides where the next batches of a producer keep a service's records; at the service's home.
    PlanSpread(PlanSpread),
    /// Makes one block of each of these runs of neighbours, without what is hidden by then.
    Merge(Vec<Vec<BlockId>>),
    /// Hides what is older.
    Expire(Expiry),
    /// Hides what was stored up to here and matches, until no block holds it.
    Delete(Deletion),
    /// No block holds a match of this deletion any more.
    EndDeletion(u64),
}

/// Over how many partitions a producer is to spread a service from here on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanSpread {
    pub producer: String,
    pub service: String,
    /// The batch that is to be sent.
    pub sequence: u64,
    pub partitions: u16,
}

/// The chunks one group commit carries.
#[derive(Clone, Debug)]
pub struct Append {
    /// The leader's clock when it packed the commit: `created_at` of every record in it.
    pub created_at: Timestamp,
    pub chunks: Vec<Chunk>,
}

/// One chunk of a request: stored whole or not at all, once per identity.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub identity: BatchIdentity,
    pub records: EncodedBatch,
    pub scores: Arc<Scores>,
    pub dead_letters: Vec<DeadLetter>,
}

/// A batch beside its compressed bytes: encoded once at the edge, never again.
#[derive(Clone, Debug)]
pub struct EncodedBatch {
    pub batch: Arc<RecordBatch>,
    /// lz4 of `model::batch::encode`, raw length first.
    bytes: Bytes,
}

/// A batch as it is in memory; chunks are closed at half a MiB, or with the one record that is longer.
const RAW_BYTES_MAX: usize = 256 << 20;

impl EncodedBatch {
    pub fn new(batch: RecordBatch) -> EncodedBatch {
        let bytes = lz4_flex::compress_prepend_size(&batch::encode(&batch));
        EncodedBatch { batch: Arc::new(batch), bytes: bytes.into() }
    }

    /// Takes in a batch that was encoded elsewhere, with its bytes.
    pub fn from_bytes(bytes: Bytes) -> Result<EncodedBatch, CodecError> {
        // It says how long it is, and that much is set aside.
        let says = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        if says > RAW_BYTES_MAX {
            return Err(CodecError::Decode(format!("a batch says that it has {says} bytes")));
        }
        let raw = lz4_flex::decompress_size_prepended(&bytes)
            .map_err(|error| CodecError::Decode(error.to_string()))?;
        let batch = batch::decode(&raw).map_err(|error| CodecError::Decode(error.to_string()))?;
        Ok(EncodedBatch { batch: Arc::new(batch), bytes })
    }

    /// As the log keeps it.
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Size in the log, bytes.
    pub fn bytes_encoded(&self) -> usize {
        self.bytes.len()
    }
}

/// What became of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChunkOutcome {
    Stored {
        base_offset: Offset,
        /// Records of it that were stored before, by their keys, and were left out.
        known: u32,
    },
    /// Stored before under the same identity.
    Duplicate,
    /// So old that the state no longer knows whether it was stored; nothing was stored now.
    SequenceTooOld,
    /// An earlier chunk of the request is missing; nothing was stored.
    ChunkOutOfOrder,
    /// A service of the request is spread, and its records of this batch belong into chunks of their own;
    /// nothing was stored.
    Moved,
}

/// What applying a command answers, to the proposer alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Applied {
    Nothing,
    /// One outcome per chunk, in order.
    Append(Vec<ChunkOutcome>),
    Sealed,
    DeadLettersResolved(u64),
    Control(ControlReply),
    SpreadPlanned(SpreadPlan),
    /// False: too many deletions are in force, nothing was hidden.
    Deleting(bool),
}

/// A command on its way through the log; cheap to clone.
#[derive(Clone, Debug)]
pub struct Payload(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: Bytes,
    /// Present on the proposer until applied, so that a payload kept by the log's cache does not
    /// hold the decoded records as well.
    decoded: Mutex<Option<Command>>,
}

impl Payload {
    pub fn new(command: Command) -> Result<Payload, CodecError> {
        let bytes = codec::encode_sized(VERSION, &to_disk(&command), bytes_expected(&command))?.into();
        Ok(Payload(Arc::new(Inner { bytes, decoded: Mutex::new(Some(command)) })))
    }

    pub fn from_bytes(bytes: Bytes) -> Payload {
        Payload(Arc::new(Inner { bytes, decoded: Mutex::new(None) }))
    }

    pub fn to_bytes(&self) -> Bytes {
        self.0.bytes.clone()
    }

    /// The command is here as it was made, and need not be decoded.
    pub(crate) fn is_decoded(&self) -> bool {
        self.0.decoded.lock().is_some()
    }

    /// The command; decoded unless this node made it and has not applied it yet.
    pub fn take_command(&self) -> Result<Command, CodecError> {
        let decoded = self.0.decoded.lock().take();
        match decoded {
            Some(command) => Ok(command),
            None => from_disk(codec::decode(VERSION, &self.0.bytes)?),
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.bytes)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|bytes| Payload::from_bytes(bytes.into()))
    }
}

/// The disk form: batches as compressed bytes.
#[derive(Serialize, Deserialize)]
enum DiskCommand {
    Append { created_at: Timestamp, chunks: Vec<DiskChunk> },
    Seal,
    ResolveDeadLetters(Vec<u64>),
    Control(ControlCommand),
    PlanSpread(PlanSpread),
    Merge(Vec<Vec<BlockId>>),
    Expire(Expiry),
    Delete(Deletion),
    EndDeletion(u64),
    Tick(Timestamp),
    SetDetection(DetectionSettings),
}

#[derive(Serialize, Deserialize)]
struct DiskChunk {
    identity: BatchIdentity,
    records: Bytes,
    scores: Scores,
    dead_letters: Vec<DeadLetter>,
}

/// The size of a command's bytes, nearly and rather too much: small ones grow as they are written.
fn bytes_expected(command: &Command) -> usize {
    const CHUNK_BYTES: usize = 256;
    let Command::Append(append) = command else { return 0 };
    let chunk_bytes = |chunk: &Chunk| {
        let scores = chunk.scores.anomaly_score.len() * size_of::<f32>() + chunk.scores.anomalies.len() * 64;
        chunk.records.bytes_encoded() + scores + CHUNK_BYTES
    };
    append.chunks.iter().map(chunk_bytes).sum()
}

fn to_disk(command: &Command) -> DiskCommand {
    match command {
        Command::Append(append) => DiskCommand::Append {
            created_at: append.created_at,
            chunks: append.chunks.iter().map(chunk_to_disk).collect(),
        },
        Command::Seal => DiskCommand::Seal,
        Command::ResolveDeadLetters(ids) => DiskCommand::ResolveDeadLetters(ids.clone()),
        Command::Control(control) => DiskCommand::Control(control.clone()),
        Command::PlanSpread(plan) => DiskCommand::PlanSpread(plan.clone()),
        Command::Merge(runs) => DiskCommand::Merge(runs.clone()),
        Command::Expire(expiry) => DiskCommand::Expire(expiry.clone()),
        Command::Delete(deletion) => DiskCommand::Delete(deletion.clone()),
        Command::EndDeletion(id) => DiskCommand::EndDeletion(*id),
        Command::Tick(now) => DiskCommand::Tick(*now),
        Command::SetDetection(settings) => DiskCommand::SetDetection(settings.clone()),
    }
}

fn chunk_to_disk(chunk: &Chunk) -> DiskChunk {
    DiskChunk {
        identity: chunk.identity.clone(),
        records: chunk.records.bytes.clone(),
        scores: Scores {
            anomaly_score: chunk.scores.anomaly_score.clone(),
            anomalies: chunk.scores.anomalies.clone(),
            ..Scores::default()
        },
        dead_letters: chunk.dead_letters.clone(),
    }
}

fn from_disk(command: DiskCommand) -> Result<Command, CodecError> {
    Ok(match command {
        DiskCommand::Append { created_at, chunks } => {
            let chunks = chunks.into_iter().map(chunk_from_disk).collect::<Result<_, _>>()?;
            Command::Append(Append { created_at, chunks })
        }
        DiskCommand::Seal => Command::Seal,
        DiskCommand::ResolveDeadLetters(ids) => Command::ResolveDeadLetters(ids),
        DiskCommand::Control(control) => Command::Control(control),
        DiskCommand::PlanSpread(plan) => Command::PlanSpread(plan),
        DiskCommand::Merge(runs) => Command::Merge(runs),
        DiskCommand::Expire(expiry) => Command::Expire(expiry),
        DiskCommand::Delete(deletion) => Command::Delete(deletion),
        DiskCommand::EndDeletion(id) => Command::EndDeletion(id),
        DiskCommand::Tick(now) => Command::Tick(now),
        DiskCommand::SetDetection(settings) => Command::SetDetection(settings),
    })
}

fn chunk_from_disk(chunk: DiskChunk) -> Result<Chunk, CodecError> {
    Ok(Chunk {
        identity: chunk.identity,
        records: EncodedBatch::from_bytes(chunk.records)?,
        scores: Arc::new(chunk.scores),
        dead_letters: chunk.dead_letters,
    })
}
