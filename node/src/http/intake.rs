//! A request between its body and its receipt: read into chunks, stored, and read anew where a service turned out
//! to be spread over other partitions than this node thought.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use insighthub_actors::admission::Permit;
use insighthub_actors::ingest::IngestError;
use insighthub_actors::spreading::Source;
use insighthub_actors::{Delivery, Submission};
use insighthub_model::PartitionId;
use insighthub_model::ids::{BatchIdentity, producer_of_content};
use insighthub_model::spread_plan::producer_of_spread;
use insighthub_storage::command::EncodedBatch;
use tokio::time::Instant;

use super::{ApiError, AppState, Counters, Node, body};
use crate::ingest::{self, ParsedRequest, PartitionChunk, Protocol, RequestContext};

/// Bodies above this are parsed on a blocking thread: it takes milliseconds, not microseconds.
const INLINE_BYTES_MAX: usize = 32 * 1024;
/// Before a request is split anew: what a partition knows reaches this node with the next heartbeat.
const PAUSE: Duration = Duration::from_millis(20);

/// What is to be done with a body.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) protocol: Protocol,
    pub(crate) encoding: Option<String>,
    /// The way in, for dead letters: `http`, `otlp`, `loki` ...
    pub(crate) origin: &'static str,
    /// The service the sender's token is bound to.
    pub(crate) token_service: Option<String>,
    pub(crate) known_by: KnownBy,
    /// Rejections told one by one.
    pub(crate) rejections_max: usize,
}

/// What arrived, kept until it is stored.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) bytes: Vec<u8>,
    pub(crate) arrival: Arrival,
}

/// How a request that is sent again is recognised.
#[derive(Debug)]
pub(crate) enum KnownBy {
    /// Not at all: what is sent twice are two.
    Nothing,
    /// By the producer and the number it gave the batch.
    Source(Source),
    /// By what it holds, where each record says when it happened or has an id: for protocols whose clients send a request again
    /// as it was and give it no number.
    Content,
}

impl KnownBy {
    fn source(&self) -> Option<&Source> {
        match self {
            KnownBy::Source(source) => Some(source),
            KnownBy::Nothing | KnownBy::Content => None,
        }
    }
}

/// What became of a request whose records are all stored.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) request: ParsedRequest,
    /// All of it had been stored before, by another request.
    pub(crate) duplicate: bool,
}

/// Takes in the body of a request: reads it under byte permits, stores its records, counts what is refused.
pub(super) async fn receive(
    node: &AppState,
    headers: &HeaderMap,
    body: Body,
    arrival: Arrival,
) -> Result<Taken, ApiError> {
    let received = async {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let admission = &node.actors.admission;
        let (bytes, permit) = body::read(body, length, node.limits.body_bytes_max, admission).await?;
        Counters::add(&node.counters.bytes, bytes.len() as u64);
        Intake { bytes, arrival }.store(node, permit).await
    };
    let result = received.await;
    if result.as_ref().is_err_and(|error| error.retry_after_secs.is_some()) {
        Counters::add(&node.counters.refused_requests, 1);
    }
    result
}

/// A parsed request, ready to be sent.
struct Reading {
    request: ParsedRequest,
    submissions: Vec<Submission>,
}

impl Intake {
    /// Stores the request. What was stored of one that fails is recognised when it is sent again under the same
    /// identity.
    pub(crate) async fn store(self, node: &AppState, permit: Permit) -> Result<Taken, ApiError> {
        Arc::new(self).attempt(node, permit).await
    }

    /// As [`Intake::store`]; what it holds is there for another attempt.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        node: &AppState,
        mut permit: Permit,
    ) -> Result<Taken, ApiError> {
        let intake = self;
        let deadline = Instant::now() + node.actors.submit_deadline;
        let (mut reading, inflated) = intake.read(node, true).await?;
        if let Some(inflated) = inflated {
            permit.merge(inflated);
        }
        let permit = Arc::new(permit);
        let mut stored = HashSet::new();
        loop {
            let Reading { request, submissions } = reading;
            match intake.arrival.known_by.source() {
                Some(source) if !request.undecided.is_empty() => {
                    node.actors.spreading.decide(source, &request.undecided, deadline).await?;
                }
                source => match submit(node, submissions, &permit, &mut stored).await? {
                    Some(duplicate) => return Ok(Taken { request, duplicate }),
                    None => intake.wait_for_news(node, source, deadline).await?,
                },
            }
            (reading, _) = intake.read(node, false).await?;
        }
    }

    async fn wait_for_news(
        &self,
        node: &Node,
        source: Option<&Source>,
        deadline: Instant,
    ) -> Result<(), ApiError> {
        if let Some((producer, _)) = source {
            node.actors.spreading.forget(producer);
        }
        if Instant::now() + PAUSE >= deadline {
            return Err(ApiError::unavailable("a service is being spread over more partitions; send again"));
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// Reads the body into chunks; the first time with a permit for what it is inflated by.
    async fn read(
        self: &Arc<Self>,
        node: &AppState,
        is_first: bool,
    ) -> Result<(Reading, Option<Permit>), ApiError> {
        if self.bytes.len() <= INLINE_BYTES_MAX {
            return self.parse(node, is_first);
        }
        let (intake, node) = (Arc::clone(self), AppState::clone(node));
        let parsing = tokio::task::spawn_blocking(move || intake.parse(&node, is_first));
        parsing.await.map_err(|error| ApiError::internal(&error))?
    }

    fn parse(&self, node: &Node, is_first: bool) -> Result<(Reading, Option<Permit>), ApiError> {
        let arrival = &self.arrival;
        let body =
            ingest::decompress(arrival.encoding.as_deref(), &self.bytes, node.limits.inflated_bytes_max)?;
        let inflated = body.len().saturating_sub(self.bytes.len());
        let permit = (is_first && inflated > 0).then(|| node.actors.admission.admit(inflated)).transpose()?;
        let token_service = arrival.token_service.as_deref();
        let by_content = matches!(arrival.known_by, KnownBy::Content);
        let digest = by_content.then(|| arrival.protocol.digest(&body, token_service));
        let spreading = &node.actors.spreading;
        let context = RequestContext {
            limits: &node.limits,
            retention: &node.retention(),
            partitions: node.store.identity.partitions,
            routes: &match digest {
                Some(digest) => spreading.routes_of_content(digest),
                None => spreading.routes(arrival.known_by.source()),
            },
            now: node.clock.now(),
            origin: arrival.origin,
            token_service,
            enrich: &node.enrich,
            rejections_max: arrival.rejections_max,
        };
        let mut request = arrival.protocol.parse(&body, &context)?;
        let chunks = std::mem::take(&mut request.chunks);
        let of_content =
            digest.filter(|_| request.nameless == 0).map(|digest| (producer_of_content(digest), 0));
        let submissions = submissions(chunks, of_content.as_ref().or(arrival.known_by.source()));
        Ok((Reading { request, submissions }, permit))
    }
}

/// The chunks of a request under their identities, encoded.
fn submissions(chunks: Vec<PartitionChunk>, source: Option<&Source>) -> Vec<Submission> {
    let mut parts = source.map(|source| Parts::new(source, &chunks));
    let submission = |chunk: PartitionChunk| Submission {
        partition: chunk.partition,
        identity: parts.as_mut().map(|parts| parts.identity(&chunk)),
        records: EncodedBatch::new(chunk.records),
        dead_letters: chunk.dead_letters,
    };
    chunks.into_iter().map(submission).collect()
}

/// The parts of a request that a retry must find again: by partition, and by service where one is apart.
struct Parts<'a> {
    source: &'a Source,
    /// How many chunks each has, and of which services.
    parts: BTreeMap<(PartitionId, Option<String>), (u32, BTreeSet<String>)>,
}

impl Parts<'_> {
    fn new<'a>(source: &'a Source, chunks: &[PartitionChunk]) -> Parts<'a> {
        let mut parts: BTreeMap<_, (u32, BTreeSet<String>)> = BTreeMap::new();
        for chunk in chunks {
            let (count, services) = parts.entry((chunk.partition, chunk.apart.clone())).or_default();
            *count += 1;
            services.extend(chunk.records.services.iter().cloned());
        }
        Parts { source, parts }
    }

    fn identity(&self, chunk: &PartitionChunk) -> BatchIdentity {
        let (producer, sequence) = self.source;
        let part = self.parts.get(&(chunk.partition, chunk.apart.clone()));
        let (chunks, services) = match part {
            Some((chunks, services)) if *chunks > 1 => (*chunks, services.iter().cloned().collect()),
            _ => (1, Vec::new()),
        };
        let producer = match &chunk.apart {
            Some(service) => producer_of_spread(producer, service),
            None => producer.clone(),
        };
        BatchIdentity { producer, sequence: *sequence, chunk: chunk.chunk, chunks, services }
    }
}

/// Submits all parts and fails with the first failure. Answers whether all of them were stored before; `None`
/// where some must be split anew.
async fn submit(
    node: &Node,
    submissions: Vec<Submission>,
    permit: &Arc<Permit>,
    stored: &mut HashSet<BatchIdentity>,
) -> Result<Option<bool>, ApiError> {
    let of = |submission: &Submission| {
        let records = submission.records.batch.len() as u64;
        (submission.identity.clone(), records, submission.dead_letters.len() as u64)
    };
    let sent: Vec<_> = submissions.iter().map(of).collect();
    let outcomes: Result<Vec<_>, IngestError> =
        node.actors.submit(submissions, permit).await.into_iter().collect();
    let outcomes = outcomes?;
    if outcomes.contains(&Delivery::SequenceTooOld) {
        let message = "the sequence is too far behind the newest of this producer to know whether it was \
                       stored; use a new producer id for records that were never acknowledged";
        return Err(ApiError::new(StatusCode::CONFLICT, "sequence_too_old", message));
    }
    let moved = outcomes.contains(&Delivery::Moved);
    if !moved && outcomes.contains(&Delivery::OutOfOrder) {
        return Err(ApiError::unavailable("part of the request overtook another; send it again as it is"));
    }
    // By chunk: of copies that race each other, each may be the first in some partition.
    let mut duplicate = !outcomes.is_empty();
    for ((identity, records, dead_letters), outcome) in sent.into_iter().zip(outcomes) {
        let again = identity.as_ref().is_some_and(|identity| stored.contains(identity));
        match outcome {
            Delivery::Stored { known } => {
                let known = u64::from(known);
                Counters::add(&node.counters.accepted, records.saturating_sub(known));
                Counters::add(&node.counters.duplicates, known);
                Counters::add(&node.counters.rejected, dead_letters);
                stored.extend(identity);
                duplicate = false;
            }
            Delivery::Duplicate if again => duplicate = false,
            Delivery::Duplicate => Counters::add(&node.counters.duplicates, records + dead_letters),
            Delivery::Moved | Delivery::OutOfOrder | Delivery::SequenceTooOld => {}
        }
    }
    Ok((!moved).then_some(duplicate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::RecordBatch;

    fn chunk(partition: u16, apart: Option<&str>, chunk: u32, services: &[&str]) -> PartitionChunk {
        let services = services.iter().map(|service| (*service).to_owned()).collect();
        PartitionChunk {
            partition: PartitionId(partition),
            apart: apart.map(str::to_owned),
            chunk,
            records: RecordBatch { services, ..RecordBatch::default() },
            dead_letters: Vec::new(),
            raw_bytes: 0,
        }
    }

    #[test]
    fn parts_are_numbered_by_themselves_and_say_what_they_hold_together() {
        let source = ("p".to_owned(), 7);
        let chunks = vec![
            chunk(1, None, 0, &["b"]),
            chunk(1, None, 1, &["a", "b"]),
            chunk(1, Some("hot"), 0, &["hot"]),
            chunk(2, None, 0, &["c"]),
        ];
        let sent = submissions(chunks.clone(), Some(&source));
        let identities: Vec<_> = sent.into_iter().filter_map(|submission| submission.identity).collect();
        let both = vec!["a".to_owned(), "b".to_owned()];
        let of_two =
            |chunk, services| BatchIdentity { producer: "p".into(), sequence: 7, chunk, chunks: 2, services };
        assert_eq!(
            identities,
            [
                of_two(0, both.clone()),
                of_two(1, both),
                BatchIdentity::whole("p\0hot", 7),
                BatchIdentity::whole("p", 7)
            ]
        );
        assert!(submissions(chunks, None).iter().all(|submission| submission.identity.is_none()));
    }
}
