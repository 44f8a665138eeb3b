//! The replicated state: the same log gives the same bytes, however it was cut and whoever applies it.

#![allow(clippy::unwrap_used, reason = "a wrong sample or checkout must fail loudly")]

use std::sync::Arc;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{Level, PartitionId, Scores, Timestamp};
use insighthub_storage::block::write_block;
use insighthub_storage::codec;
use insighthub_storage::command::{Append, Applied, Chunk, ChunkOutcome, Command, EncodedBatch, Payload};
use insighthub_storage::fs::RealFs;
use insighthub_storage::partition::{Content, PartitionState};
use proptest::prelude::*;

const SEAL_INDEX: u64 = 1_000;

#[derive(Clone, Debug)]
struct Row {
    service: u8,
    minute: i64,
    level: u8,
    message: String,
    latency_ms: Option<f64>,
    field: Option<i64>,
    is_anomaly: bool,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0u8..4,
        0i64..5,
        0u8..6,
        "[a-z ]{0,12}",
        proptest::option::of(0.0..5_000.0),
        proptest::option::of(any::<i64>()),
        any::<bool>(),
    );
    let row = row.prop_map(|(service, minute, level, message, latency_ms, field, is_anomaly)| Row {
        service,
        minute,
        level,
        message,
        latency_ms,
        field,
        is_anomaly,
    });
    proptest::collection::vec(row, 1..60)
}

fn chunk(rows: &[Row], sequence: u64) -> Chunk {
    let mut builder = BatchBuilder::default();
    let mut scores = Scores::default();
    for (at, row) in rows.iter().enumerate() {
        let mut record = builder.record();
        if let Some(value) = row.field {
            record.int("value", value).unwrap();
        }
        record.finish(FixedFields {
            service: &format!("service-{}", row.service),
            timestamp: Timestamp::from_minute(row.minute),
            level: Level::from_number(row.level).unwrap(),
            message: &row.message,
            latency_ms: row.latency_ms,
            raw_bytes: 1,
        });
        scores.anomaly_score.push(1.5);
        if row.is_anomaly {
            scores.anomalies.push((at as u32, "odd".into()));
        }
    }
    Chunk {
        identity: BatchIdentity::whole("p", sequence),
        records: EncodedBatch::new(builder.take()),
        scores: Arc::new(scores),
        dead_letters: Vec::new(),
    }
}

fn append(chunks: Vec<Chunk>) -> Command {
    Command::Append(Append { created_at: Timestamp(7), chunks })
}

/// Applies the rows cut at `cuts`, seals, and gives the bytes of the block.
fn block_of(rows: &[Row], cuts: &[usize]) -> Vec<u8> {
    let mut state = PartitionState::new(PartitionId(3));
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % rows.len()).chain([0, rows.len()]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    for (sequence, part) in cuts.windows(2).enumerate() {
        let command = append(vec![chunk(&rows[part[0]..part[1]], sequence as u64 + 1)]);
        let (applied, _) = state.apply(sequence as u64 + 1, command);
        let Applied::Append(outcomes) = applied else { panic!("{applied:?}") };
        assert_eq!(outcomes, [ChunkOutcome::Stored { base_offset: part[0] as u64, known: 0 }]);
    }
    let (_, effects) = state.apply(SEAL_INDEX, Command::Seal);
    let directory = tempfile::tempdir().unwrap();
    let meta = write_block(&RealFs, directory.path(), &effects.sealed.unwrap()).unwrap();
    std::fs::read(directory.path().join(meta.file_name)).unwrap()
}

/// A replica's whole answer to a log: replies and the bytes of what it would snapshot.
fn replica(log: &[Payload]) -> (Vec<String>, Vec<u8>) {
    let mut state = PartitionState::new(PartitionId(3));
    let mut replies = Vec::new();
    for (index, payload) in log.iter().enumerate() {
        let (applied, _) = state.apply(index as u64 + 1, payload.take_command().unwrap());
        replies.push(format!("{applied:?}"));
    }
    state.apply(SEAL_INDEX, Command::Seal);
    (replies, codec::encode(1, &state.snapshot(Content::default())).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_block_is_the_same_however_its_records_were_cut(
        rows in rows(),
        one in proptest::collection::vec(any::<usize>(), 0..6),
        other in proptest::collection::vec(any::<usize>(), 0..6),
    ) {
        prop_assert_eq!(block_of(&rows, &one), block_of(&rows, &other));
    }

    #[test]
    fn the_proposer_and_a_replica_that_decodes_agree(
        rows in rows(),
        sequences in proptest::collection::vec(0u64..2_000, 1..20),
    ) {
        let proposed: Vec<_> =
            sequences.iter().map(|sequence| Payload::new(append(vec![chunk(&rows, *sequence)])).unwrap()).collect();
        let received: Vec<_> =
            proposed.iter().map(|payload| Payload::from_bytes(payload.to_bytes())).collect();
        prop_assert_eq!(replica(&proposed), replica(&received));
    }
}

fn letter(reason: &str) -> DeadLetter {
    DeadLetter {
        received_at: Timestamp(1),
        origin: "http".into(),
        service: None,
        field: None,
        reason: reason.into(),
        position: 0,
        raw: b"{".to_vec(),
        raw_bytes_total: 1,
    }
}

#[test]
fn a_repeated_chunk_stores_neither_its_records_nor_its_dead_letters_again() {
    let mut state = PartitionState::new(PartitionId(0));
    let row = Row {
        service: 0,
        minute: 0,
        level: 2,
        message: "m".into(),
        latency_ms: None,
        field: None,
        is_anomaly: false,
    };
    let sent = Chunk { dead_letters: vec![letter("broken")], ..chunk(&[row], 9) };
    for expected in [ChunkOutcome::Stored { base_offset: 0, known: 0 }, ChunkOutcome::Duplicate] {
        let (applied, _) = state.apply(1, append(vec![sent.clone()]));
        let Applied::Append(outcomes) = applied else { panic!("{applied:?}") };
        assert_eq!(outcomes, [expected]);
    }
    assert_eq!((state.next_offset, state.next_dead_letter), (1, 1));
    assert_eq!(state.head.minutes.values().map(|minute| minute.count).sum::<u64>(), 1);
}

/// Records of these keys, each with its key as its message, and scores that say which they are.
fn keyed(keys: &[u128], sequence: u64) -> Payload {
    let mut builder = BatchBuilder::default();
    for key in keys {
        let mut record = builder.record();
        record.key(*key);
        record.finish(FixedFields {
            service: "service",
            timestamp: Timestamp(0),
            level: Level::Info,
            message: &key.to_string(),
            latency_ms: None,
            raw_bytes: 1,
        });
    }
    let scores = Scores {
        anomaly_score: keys.iter().map(|key| *key as f32).collect(),
        anomalies: (0..).zip(keys).map(|(row, key)| (row, key.to_string())).collect(),
        ..Scores::default()
    };
    let records = EncodedBatch::new(builder.take());
    let sent = append(vec![Chunk { records, scores: Arc::new(scores), ..chunk(&[], sequence) }]);
    // As a replica reads it.
    Payload::from_bytes(Payload::new(sent).unwrap().to_bytes())
}

/// What an append stores: each record's message and what its scores say.
fn stored(state: &mut PartitionState, sent: &Payload) -> (ChunkOutcome, Vec<String>) {
    let (applied, effects) = state.apply(1, sent.take_command().unwrap());
    let Applied::Append(outcomes) = applied else { panic!("{applied:?}") };
    let records =
        effects.stored.iter().flat_map(|batch| (0..batch.len()).filter_map(|row| batch.record(row)));
    let told = records.map(|record| {
        assert_eq!(record.anomaly_score, record.message.parse().ok());
        record.message
    });
    (outcomes[0], told.collect())
}

#[test]
fn a_record_that_comes_again_with_another_request_is_left_out() {
    let mut state = PartitionState::new(PartitionId(0));
    let outcome = |base_offset, known| ChunkOutcome::Stored { base_offset, known };
    assert_eq!(
        stored(&mut state, &keyed(&[1, 2, 0], 1)),
        (outcome(0, 0), vec!["1".into(), "2".into(), "0".into()])
    );
    assert_eq!(stored(&mut state, &keyed(&[2, 3, 0, 1], 2)), (outcome(3, 2), vec!["3".into(), "0".into()]));
    assert_eq!(stored(&mut state, &keyed(&[1, 2, 3], 3)), (outcome(5, 3), vec![]));
    // Also after a restart.
    state.apply(4, Command::Seal);
    let snapshot = codec::encode(1, &state.snapshot(Content::default())).unwrap();
    let mut state = PartitionState::from_snapshot(&codec::decode(1, &snapshot).unwrap());
    assert_eq!(stored(&mut state, &keyed(&[3, 4], 5)), (outcome(5, 1), vec!["4".into()]));
}

#[test]
fn a_dead_letter_is_resolved_once_before_and_after_a_seal() {
    let mut state = PartitionState::new(PartitionId(0));
    let sent = Chunk { dead_letters: vec![letter("a"), letter("b")], ..chunk(&[], 1) };
    state.apply(1, append(vec![sent]));
    let resolved = |state: &mut PartitionState, number| match state
        .apply(2, Command::ResolveDeadLetters(vec![number]))
        .0
    {
        Applied::DeadLettersResolved(count) => count,
        other => panic!("{other:?}"),
    };
    assert_eq!(resolved(&mut state, 0), 1);
    state.apply(3, Command::Seal);
    assert_eq!(resolved(&mut state, 1), 1);
    assert_eq!(resolved(&mut state, 1), 0);
    assert_eq!(resolved(&mut state, 99), 0);
}

#[test]
fn a_flood_of_new_services_seals_the_head_before_a_block_could_overflow() {
    let mut state = PartitionState::new(PartitionId(0));
    let mut sealed = 0;
    for sequence in 1..=4 {
        let mut builder = BatchBuilder::default();
        for number in 0..8_000 {
            builder.record().finish(FixedFields {
                service: &format!("service-{sequence}-{number}"),
                timestamp: Timestamp(0),
                level: Level::Info,
                message: "",
                latency_ms: None,
                raw_bytes: 1,
            });
        }
        let sent = Chunk { records: EncodedBatch::new(builder.take()), ..chunk(&[], sequence) };
        let (_, effects) = state.apply(sequence, append(vec![sent]));
        if let Some(head) = effects.sealed {
            let directory = tempfile::tempdir().unwrap();
            assert_eq!(write_block(&RealFs, directory.path(), &head).unwrap().rows, 24_000);
            sealed += 1;
        }
    }
    assert_eq!((sealed, state.head.records), (1, 8_000));
}
