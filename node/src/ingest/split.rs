//! Sends each record of a request to the columns of its partition and closes chunks.
//!
//! Where a chunk ends depends on the bytes sent and on decided routes alone, so that a retry of the request is
//! cut alike and its chunks carry the same identities.

use std::collections::{BTreeSet, HashMap};

use insighthub_model::batch::BatchBuilder;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::limits::{CHUNK_BYTES_TARGET, DEAD_LETTER_RAW_BYTES_MAX, IngestLimits};
use insighthub_model::retention::Retention;
use insighthub_model::routing::{Route, Routes, partition_of};
use insighthub_model::{PartitionId, RecordBatch, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::builders;
use super::fixed::{self, FixedRules};
use super::framing::{self, BodyFormat, Frames};
use super::key::Key;
use super::protocols::elasticsearch::Item;
use super::reader;
use super::record::Draft;
use super::records::{Piece, Records};
use super::rejection::{Read, RecordError, Rejection, RequestError};

/// Dead letters of one chunk: they are replicated like records, and each is a key of its own.
const CHUNK_DEAD_LETTERS_MAX: usize = 1_000;

/// Services whose partition a request remembers: weighing a thousand partitions for each record would show.
const KNOWN_SERVICES: usize = 256;

/// Columns (a field of one type in one chunk) a request may bring whatever its size, and per partition.
/// A column costs about 700 bytes where its field may have cost six: 4,000 bytes of short fields in an
/// object of a long name would otherwise take 350 KB.
const COLUMNS_FREE: usize = 16_384;
const COLUMNS_FREE_PER_PARTITION: usize = 64;
/// Bytes of the body that pay for one more column; usual logs send a thousand and more.
const BYTES_PER_COLUMN: usize = 512;

/// What a request is read with.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    pub limits: &'a IngestLimits,
    /// What is older is refused.
    pub retention: &'a Retention,
    /// Partitions of the cluster, at least 1.
    pub partitions: u16,
    /// Where services are; what has no service is at home.
    pub routes: &'a dyn Routes,
    /// The time of arrival.
    pub now: Timestamp,
    /// The way in, for dead letters: `http`.
    pub origin: &'a str,
    /// The service the sender's token is bound to, if any.
    pub token_service: Option<&'a str>,
    /// Fields every record gets that lacks them: `env`, `region`.
    pub enrich: &'a [(String, String)],
    /// Rejections told one by one: a protocol may want to hear of each.
    pub rejections_max: usize,
}

/// What goes to one partition as one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionChunk {
    pub partition: PartitionId,
    /// The service whose records alone this is, where it is spread; its chunks are counted by themselves.
    pub apart: Option<String>,
    /// Number of the chunk within its partition and request, from 0.
    pub chunk: u32,
    pub records: RecordBatch,
    pub dead_letters: Vec<DeadLetter>,
    /// Bytes the records and dead letters had as they were sent.
    pub raw_bytes: usize,
}

/// A request, read to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedRequest {
    /// Chunks of one partition stand in their order.
    pub chunks: Vec<PartitionChunk>,
    /// Spread services whose route must be decided before the request is read again; then the chunks are not
    /// to be stored.
    pub undecided: BTreeSet<String>,
    pub accepted: u64,
    /// Accepted records that do not say themselves when they happened and have no id: sent again, they are others.
    pub nameless: u64,
    /// What an Elasticsearch client asked for each record, in their order; empty for other protocols.
    pub items: Vec<Item>,
    /// All refused records; each is a dead letter of some chunk.
    pub rejected: u64,
    /// The first of them, at most [`RequestContext::rejections_max`].
    pub rejections: Vec<Rejection>,
}

/// Reads the (decompressed) body of a request: our own JSON.
pub fn parse_request(
    body: &[u8],
    format: BodyFormat,
    context: &RequestContext<'_>,
) -> Result<ParsedRequest, RequestError> {
    if framing::is_empty(body) {
        return Err(RequestError::Empty);
    }
    let mut splitter = Splitter::new(body, context);
    let mut draft = Draft::default();
    for (position, frame) in Frames::new(body, format).enumerate() {
        if position >= context.limits.records_max {
            return Err(RequestError::TooManyRecords { records_max: context.limits.records_max });
        }
        let (offset, raw) = (frame.offset, frame.raw);
        let read = splitter.admit(offset, raw.len()).and_then(|()| match frame.broken {
            Some(problem) => Err(RecordError::whole(problem)),
            None => reader::read_bytes(&mut draft, raw, context.limits),
        });
        if let Err(error) = read.and_then(|()| splitter.put(&mut draft, raw.len(), Key::None)) {
            let service = splitter.service_of(raw);
            splitter.refuse(Refused { offset, raw, service, position: position as u64 }, *error);
        }
    }
    Ok(splitter.finish())
}

/// Reads the (decompressed) body of a request of another protocol, record by record.
pub(super) fn parse_records<'a>(
    body: &'a [u8],
    records: &mut impl Records<'a>,
    context: &'a RequestContext<'a>,
) -> Result<ParsedRequest, RequestError> {
    let (records_max, expanded_max) = (context.limits.records_max, context.limits.inflated_bytes_max);
    let mut splitter = Splitter::new(body, context);
    let mut draft = Draft::default();
    let (mut position, mut expanded) = (0, 0);
    loop {
        draft.clear();
        let Some(Piece { offset, raw, shared_bytes, key, read }) = records.next(&mut draft) else { break };
        if position >= records_max {
            return Err(RequestError::TooManyRecords { records_max });
        }
        let raw_bytes = raw.len() + shared_bytes;
        expanded += raw_bytes;
        if expanded > expanded_max {
            return Err(RequestError::TooMuchShared { bytes_max: expanded_max });
        }
        let is_read = read.is_ok();
        let put = read.and_then(|()| splitter.admit(offset, raw_bytes));
        if let Err(error) = put.and_then(|()| splitter.put(&mut draft, raw_bytes, key)) {
            // What could be read is kept in the form in which it can be mended and sent again.
            let json = if is_read { draft.to_json() } else { String::new() };
            let raw = if is_read { json.as_bytes() } else { raw };
            let service = splitter.service_of_draft(&draft);
            splitter.refuse(Refused { offset, raw, service, position: position as u64 }, *error);
        }
        position += 1;
    }
    Ok(splitter.finish())
}

/// A record that is refused.
struct Refused<'r> {
    offset: usize,
    /// As it is kept.
    raw: &'r [u8],
    service: Option<String>,
    position: u64,
}

/// The open chunk of one partition, or of a service apart.
#[derive(Debug)]
struct OpenChunk {
    partition: PartitionId,
    apart: Option<String>,
    builder: BatchBuilder,
    dead_letters: Vec<DeadLetter>,
    dead_letter_bytes: usize,
    chunk: u32,
}

impl OpenChunk {
    fn new(partition: PartitionId, apart: Option<String>, builder: BatchBuilder) -> OpenChunk {
        OpenChunk { partition, apart, builder, dead_letters: Vec::new(), dead_letter_bytes: 0, chunk: 0 }
    }
}

struct Splitter<'a> {
    context: &'a RequestContext<'a>,
    body: &'a [u8],
    /// One of each partition, at its number; behind them those of services apart.
    open: Vec<OpenChunk>,
    /// Services seen lately and where in `open` their records go, each at the place its hash says.
    known: Vec<Option<(String, usize)>>,
    parsed: ParsedRequest,
    /// How often each content has come so far.
    repeated: HashMap<u128, u128>,
    /// Columns of all chunks so far.
    columns: usize,
    /// Up to where the lines of the body are counted, and how many there are.
    counted: (usize, u64),
}

impl<'a> Splitter<'a> {
    fn new(body: &'a [u8], context: &'a RequestContext<'a>) -> Splitter<'a> {
        let partitions = (0..context.partitions.max(1)).map(PartitionId);
        let builders = builders::take(partitions.len());
        let open = partitions.zip(builders);
        let open = open.map(|(partition, builder)| OpenChunk::new(partition, None, builder)).collect();
        let known = vec![None; KNOWN_SERVICES];
        Splitter {
            context,
            body,
            open,
            known,
            parsed: ParsedRequest::default(),
            repeated: HashMap::new(),
            columns: 0,
            counted: (0, 1),
        }
    }

    /// Whether a record of this size may be read, behind so many bytes of the body.
    fn admit(&self, offset: usize, raw_bytes: usize) -> Read<()> {
        let limit = self.context.limits.record_bytes_max;
        if raw_bytes > limit {
            let reason = format!("the record is {raw_bytes} bytes long, the limit is {limit}");
            return Err(RecordError::whole(reason));
        }
        self.check_columns(offset)
    }

    /// Makes a draft a row of its chunk.
    fn put(&mut self, draft: &mut Draft<'a>, raw_bytes: usize, key: Key) -> Read<()> {
        let rules = FixedRules {
            limits: self.context.limits,
            retention: self.context.retention,
            now: self.context.now,
            token_service: self.context.token_service,
        };
        let fixed = fixed::check(draft, &rules)?;
        let digest = self.digest(key);
        let place = self.place(draft.text(fixed.service));
        let Some(open) = self.open.get_mut(place) else {
            return Err(RecordError::whole("the cluster has no partition for this service"));
        };
        let columns_before = open.builder.columns();
        let written = draft.write(&mut open.builder, &fixed, raw_bytes, digest);
        self.columns += open.builder.columns() - columns_before;
        // Also after a refusal: the columns it brought count against the chunk.
        if open.builder.is_full() {
            self.close(place);
        }
        written?;
        self.parsed.accepted += 1;
        self.parsed.nameless += u64::from(!fixed.is_dated && !matches!(key, Key::Id(_)));
        Ok(())
    }

    /// What a record is known by, 0 where by nothing.
    fn digest(&mut self, key: Key) -> u128 {
        match key {
            Key::None => 0,
            Key::Id(digest) => digest,
            Key::Content(digest) => {
                let before = self.repeated.entry(digest).or_default();
                let digest = digest.wrapping_add(*before).max(1);
                *before += 1;
                digest
            }
        }
    }

    /// Refuses records once those before brought more different fields than the body so far pays for.
    fn check_columns(&self, bytes_before: usize) -> Read<()> {
        let free = COLUMNS_FREE + usize::from(self.context.partitions) * COLUMNS_FREE_PER_PARTITION;
        if self.columns <= free + bytes_before / BYTES_PER_COLUMN {
            return Ok(());
        }
        Err(RecordError::whole(
            "the request has too many different field names for its size: put what varies into values, or send \
             fewer records at once",
        ))
    }

    /// Where in `open` the records of a service go.
    fn place(&mut self, service: &str) -> usize {
        let slot = xxh3_64(service.as_bytes()) as usize % KNOWN_SERVICES;
        if let Some(Some((known, place))) = self.known.get(slot)
            && known == service
        {
            return *place;
        }
        let place = match self.context.routes.route(service) {
            Route::Shared(partition) => usize::from(partition.0),
            Route::Apart(partition) => self.place_apart(service, partition),
            Route::Undecided => {
                self.parsed.undecided.insert(service.to_owned());
                self.home(service)
            }
        };
        if let Some(known) = self.known.get_mut(slot) {
            *known = Some((service.to_owned(), place));
        }
        place
    }

    fn place_apart(&mut self, service: &str, partition: PartitionId) -> usize {
        // There are few: spread services of one request.
        let open = self.open.iter().position(|open| open.apart.as_deref() == Some(service));
        open.unwrap_or_else(|| {
            let builder = BatchBuilder::default();
            self.open.push(OpenChunk::new(partition, Some(service.to_owned()), builder));
            self.open.len() - 1
        })
    }

    fn home(&self, service: &str) -> usize {
        usize::from(partition_of(service, self.context.partitions).0)
    }

    /// Counts a refused record, lists it while the list has room, and keeps it as a dead letter.
    fn refuse(&mut self, refused: Refused<'_>, error: RecordError) {
        let Refused { offset, raw, service, position } = refused;
        self.parsed.rejected += 1;
        let home = self.home(service.as_deref().unwrap_or_default());
        if self.parsed.rejections.len() < self.context.rejections_max {
            let line = self.line_of(offset);
            let (field, reason) = (error.field.clone(), error.reason.clone());
            self.parsed.rejections.push(Rejection { position, line, field, reason });
        }
        let kept = raw.get(..DEAD_LETTER_RAW_BYTES_MAX).unwrap_or(raw);
        let Some(open) = self.open.get_mut(home) else { return };
        open.dead_letter_bytes += kept.len();
        open.dead_letters.push(DeadLetter {
            received_at: self.context.now,
            origin: self.context.origin.to_owned(),
            service,
            field: error.field,
            reason: error.reason,
            position,
            raw: kept.to_vec(),
            raw_bytes_total: raw.len() as u64,
        });
        if open.dead_letters.len() >= CHUNK_DEAD_LETTERS_MAX || open.dead_letter_bytes >= CHUNK_BYTES_TARGET {
            self.close(home);
        }
    }

    /// The service a refused record belongs to. A bound token answers for its own service alone, or
    /// it could fill another's dead letters.
    fn service_of(&self, raw: &[u8]) -> Option<String> {
        let readable = || raw.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        self.answering_service(|| reader::service_of_refused(readable(), self.context.limits))
    }

    fn service_of_draft(&self, draft: &Draft<'_>) -> Option<String> {
        self.answering_service(|| draft.service().map(str::to_owned))
    }

    fn answering_service(&self, named: impl FnOnce() -> Option<String>) -> Option<String> {
        if let Some(bound) = self.context.token_service {
            return Some(bound.to_owned());
        }
        let limit = self.context.limits.service_bytes_max;
        named().filter(|service| fixed::service_problem(service, limit).is_none())
    }

    /// The line of an offset, from 1. Offsets come in ascending order, so the body is counted once.
    fn line_of(&mut self, offset: usize) -> u64 {
        let (counted, lines) = self.counted;
        let between = self.body.get(counted..offset).unwrap_or_default();
        self.counted = (offset.max(counted), lines + memchr::memchr_iter(b'\n', between).count() as u64);
        self.counted.1
    }

    fn close(&mut self, place: usize) {
        let Some(open) = self.open.get_mut(place) else { return };
        for (name, value) in self.context.enrich {
            open.builder.fill_missing(name, value);
        }
        let raw_bytes = open.builder.raw_bytes() + std::mem::take(&mut open.dead_letter_bytes);
        let (records, dead_letters) = (open.builder.take(), std::mem::take(&mut open.dead_letters));
        if records.is_empty() && dead_letters.is_empty() {
            return;
        }
        let (partition, apart, chunk) = (open.partition, open.apart.clone(), open.chunk);
        open.chunk += 1;
        self.parsed.chunks.push(PartitionChunk { partition, apart, chunk, records, dead_letters, raw_bytes });
    }

    fn finish(mut self) -> ParsedRequest {
        for place in 0..self.open.len() {
            self.close(place);
        }
        builders::give_back(self.open.into_iter().map(|open| open.builder));
        self.parsed
    }
}
