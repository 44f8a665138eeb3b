//! What must hold of what syslog, journals and clients of Splunk's collector send, whatever it is. Shared by the fuzz targets and the
//! test that replays mutated seeds.

use std::collections::BTreeSet;

use insighthub_model::Timestamp;
use insighthub_model::batch::{decode, encode};
use insighthub_model::limits::IngestLimits;
use insighthub_model::retention::Retention;
use insighthub_model::routing::HomeRoutes;
use insighthub_node::ingest::journal::EntryEnd;
use insighthub_node::ingest::splunk::{SplunkBody, SplunkForm};
use insighthub_node::ingest::syslog::{End, Framer, Messages, SyslogClock};
use insighthub_node::ingest::{ParsedRequest, Protocol, RequestContext};
use jiff::tz::TimeZone;

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);
const PARTITIONS: u16 = 3;
/// Each has a column of its own: a field of the same name would be there twice in an answer.
const FIXED_FIELDS: [&str; 5] = ["timestamp", "service", "level", "message", "latency_ms"];

fn limits(choice: u8) -> IngestLimits {
    match choice & 1 {
        0 => IngestLimits::default(),
        _ => IngestLimits {
            record_bytes_max: 200,
            fields_max: 8,
            depth_max: 3,
            field_name_bytes_max: 16,
            service_bytes_max: 8,
            ..IngestLimits::default()
        },
    }
}

/// A stream, whose first byte chooses limits and how it comes. It is cut into the same messages however it comes.
pub(crate) fn check_syslog(input: &[u8]) {
    let Some((choice, stream)) = input.split_first() else { return };
    let limits = limits(*choice);
    let zone = if choice & 2 == 0 { TimeZone::UTC } else { TimeZone::get("Europe/Berlin").expect("a zone") };
    let protocol = Protocol::Syslog(SyslogClock { zone, received: NOW });
    let pieces = usize::from(choice >> 2).max(1);
    let body = cut(stream, pieces, &limits);
    if limits.record_bytes_max > stream.len() {
        assert!(
            body == cut(stream, stream.len().max(1), &limits),
            "a stream is cut alike in pieces of {pieces}"
        );
    }
    let parsed = check(&protocol, &body, &limits);
    if limits.record_bytes_max > 2 * stream.len() && !stream.is_empty() && stream.len() < 400 {
        let refused: Vec<_> = parsed.rejections.iter().map(|rejection| &rejection.reason).collect();
        let is_known = |reason: &String| {
            [
                "ended inside",
                "in the future",
                "before 1970",
                "service",
                "empty name",
                "nested",
                "is longer than",
            ]
            .iter()
            .any(|known| reason.contains(known))
        };
        assert!(refused.iter().all(|reason| is_known(reason)), "nothing else is refused: {refused:?}");
    }
    let mut datagram = Messages::new(&limits);
    datagram.push_datagram(stream, "192.0.2.7");
    check(&protocol, &datagram.into_bytes(), &limits);
}

fn cut(stream: &[u8], pieces: usize, limits: &IngestLimits) -> Vec<u8> {
    let (mut framer, mut messages) = (Framer::new(limits), Messages::new(limits));
    for piece in stream.chunks(pieces) {
        framer.buffer().extend_from_slice(piece);
        framer.take(&mut messages, "192.0.2.7");
        if messages.is_full() {
            return messages.into_bytes();
        }
    }
    framer.finish(End::Closed, &mut messages, "192.0.2.7");
    messages.into_bytes()
}

/// Entries of a journal. Their ends are found in the same places however they come.
pub(crate) fn check_journal(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let mut end = EntryEnd::default();
    if let Some(found) = EntryEnd::default().find(body) {
        let first = (0..=body.len()).find_map(|length| end.find(&body[..length]));
        assert_eq!(first, Some(found), "an entry ends where it does");
    }
    check(&Protocol::Journal, body, &limits(*choice));
}

pub(crate) fn check_splunk(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let form = if choice & 2 == 0 { SplunkForm::Events } else { SplunkForm::Raw };
    let about = [(choice & 4 != 0).then(|| "asked".to_owned()), None, None, None];
    let time = (choice & 8 != 0).then(|| "1764670000.5".to_owned());
    check(&Protocol::Splunk(SplunkBody { form, about, time }), body, &limits(*choice));
}

fn check(protocol: &Protocol, body: &[u8], limits: &IngestLimits) -> ParsedRequest {
    let context = RequestContext {
        retention: &Retention::default(),
        limits,
        partitions: PARTITIONS,
        routes: &HomeRoutes { partitions: PARTITIONS },
        now: NOW,
        origin: "test",
        token_service: None,
        enrich: &[],
        rejections_max: 1_000,
    };
    let parsed = protocol.parse(body, &context).expect("each is read record by record");
    let again = protocol.parse(body, &context).expect("a retry is read alike");
    let cut = |parsed: &ParsedRequest| -> Vec<_> {
        let chunks = parsed.chunks.iter();
        chunks
            .map(|chunk| (chunk.partition, chunk.chunk, encode(&chunk.records), chunk.dead_letters.clone()))
            .collect()
    };
    assert!(cut(&parsed) == cut(&again), "a retry is cut alike");
    let rows: usize = parsed.chunks.iter().map(|chunk| chunk.records.len()).sum();
    let letters: usize = parsed.chunks.iter().map(|chunk| chunk.dead_letters.len()).sum();
    assert_eq!(
        (rows as u64, letters as u64),
        (parsed.accepted, parsed.rejected),
        "nothing is lost or invented"
    );
    for chunk in &parsed.chunks {
        let bytes = encode(&chunk.records);
        let read = decode(&bytes).expect("a batch reads back");
        assert!(encode(&read) == bytes, "a batch reads back what was written");
        for row in 0..chunk.records.len() {
            let record = chunk.records.view(row).expect("every row is a record");
            assert!((1..=limits.service_bytes_max).contains(&record.service().len()));
            assert!(record.timestamp().0 >= 0);
            let mut names = BTreeSet::from(FIXED_FIELDS);
            assert!(
                record.fields().all(|(name, _)| !name.is_empty() && names.insert(name)),
                "no field is there twice"
            );
        }
    }
    parsed
}
