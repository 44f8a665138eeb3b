//! A batch of a service that becomes spread is stored once, whichever nodes it is sent to, whatever they know, and
//! in whatever order their chunks and plans reach the partitions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken assumption must fail loudly")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::ids::BatchIdentity;
use insighthub_model::routing::{partition_of, partitions_of};
use insighthub_model::spread_plan::{SpreadPlan, producer_of_spread};
use insighthub_model::{Level, PartitionId, Scores, Timestamp};
use insighthub_storage::command::{Append, Applied, Chunk, ChunkOutcome, Command, EncodedBatch, PlanSpread};
use insighthub_storage::partition::PartitionState;
use proptest::prelude::*;

const PARTITIONS: u16 = 4;
const HOT: &str = "hot";

/// A row of a request: its service, and what it is counted by.
type Row = (&'static str, String);

struct World {
    partitions: Vec<PartitionState>,
    index: u64,
    stored: BTreeMap<String, u32>,
    spread: u16,
}

/// A node that takes requests: how wide it believes the service to be spread, and plans it remembers.
#[derive(Default)]
struct Edge {
    spread: u16,
    plans: HashMap<String, SpreadPlan>,
}

/// Chunks of one request on their way, sent one by one.
struct Sending {
    chunks: Vec<(PartitionId, Chunk)>,
}

impl World {
    fn new() -> World {
        let partitions = (0..PARTITIONS).map(|partition| PartitionState::new(PartitionId(partition)));
        World { partitions: partitions.collect(), index: 0, stored: BTreeMap::new(), spread: 1 }
    }

    fn apply(&mut self, partition: PartitionId, command: Command) -> Applied {
        self.index += 1;
        let (applied, effects) = self.partitions[usize::from(partition.0)].apply(self.index, command);
        for batch in effects.stored {
            for row in 0..batch.records.len() {
                *self.stored.entry(batch.records.message.get(row).to_owned()).or_default() += 1;
            }
        }
        applied
    }

    fn plan(&mut self, edge: &mut Edge, producer: &str, sequence: u64) {
        let (producer, service) = (producer.to_owned(), HOT.to_owned());
        let plan = PlanSpread { producer: producer.clone(), service, sequence, partitions: edge.spread };
        match self.apply(partition_of(HOT, PARTITIONS), Command::PlanSpread(plan)) {
            Applied::SpreadPlanned(plan) => drop(edge.plans.insert(producer, plan)),
            other => panic!("{other:?}"),
        }
    }

    /// Splits a request as an edge does; plans first where it must.
    fn split(&mut self, edge: &mut Edge, producer: &str, sequence: u64, rows: &[Row]) -> Sending {
        let is_decided = |edge: &Edge| edge.plans.get(producer).is_some_and(|plan| plan.is_decided(sequence));
        if edge.spread > 1 && !is_decided(edge) {
            self.plan(edge, producer, sequence);
        }
        let plan = edge.plans.get(producer).filter(|_| edge.spread > 1);
        let apart = plan.and_then(|plan| plan.partition_at(sequence, HOT, PARTITIONS));
        let mut parts: BTreeMap<(PartitionId, bool), Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let part = match apart {
                Some(partition) if row.0 == HOT => (partition, true),
                _ => (partition_of(row.0, PARTITIONS), false),
            };
            parts.entry(part).or_default().push(row);
        }
        let chunks = parts.into_iter().flat_map(|((partition, is_apart), rows)| {
            let producer = if is_apart { producer_of_spread(producer, HOT) } else { producer.to_owned() };
            cut(&producer, sequence, &rows).into_iter().map(move |chunk| (partition, chunk))
        });
        Sending { chunks: chunks.collect() }
    }

    /// Sends a request until all of it is stored, as an edge does that hears of every outcome.
    fn store(&mut self, edge: &mut Edge, producer: &str, sequence: u64, rows: &[Row]) {
        for _ in 0..10 {
            let sending = self.split(edge, producer, sequence, rows);
            let outcomes: Vec<_> =
                sending.chunks.into_iter().map(|(partition, chunk)| self.send(partition, chunk)).collect();
            if !outcomes.contains(&ChunkOutcome::Moved) {
                assert!(!outcomes.contains(&ChunkOutcome::ChunkOutOfOrder), "{outcomes:?}");
                return;
            }
            edge.plans.clear();
            edge.spread = self.spread;
        }
        panic!("the request is moved for ever");
    }

    fn send(&mut self, partition: PartitionId, chunk: Chunk) -> ChunkOutcome {
        let append = Append { created_at: Timestamp(0), chunks: vec![chunk] };
        match self.apply(partition, Command::Append(append)) {
            Applied::Append(outcomes) => outcomes[0],
            other => panic!("{other:?}"),
        }
    }
}

/// Two rows a chunk, so that requests have several.
fn cut(producer: &str, sequence: u64, rows: &[&Row]) -> Vec<Chunk> {
    let mut services: Vec<String> = rows.iter().map(|row| row.0.to_owned()).collect();
    services.sort();
    services.dedup();
    let chunks = rows.chunks(2).count() as u32;
    let identity = |chunk: usize| BatchIdentity {
        chunk: chunk as u32,
        chunks,
        services: if chunks > 1 { services.clone() } else { Vec::new() },
        ..BatchIdentity::whole(producer, sequence)
    };
    let chunk = |(number, rows): (usize, &[&Row])| {
        let mut builder = BatchBuilder::default();
        for row in rows {
            builder.record().finish(FixedFields {
                service: row.0,
                timestamp: Timestamp(1),
                level: Level::Info,
                message: &row.1,
                latency_ms: None,
                raw_bytes: row.1.len(),
            });
        }
        let records = EncodedBatch::new(builder.take());
        let scores = Arc::new(Scores { anomaly_score: vec![f32::NAN; rows.len()], ..Scores::default() });
        Chunk { identity: identity(number), records, scores, dead_letters: Vec::new() }
    };
    rows.chunks(2).enumerate().map(chunk).collect()
}

/// A service whose home is that of the hot one, and one whose home is not.
fn others() -> (&'static str, &'static str) {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let home = partition_of(HOT, PARTITIONS);
    let beside = NAMES.iter().find(|name| partition_of(name, PARTITIONS) == home).unwrap();
    let target = partitions_of(HOT, PARTITIONS, 2)[1];
    let there = NAMES.iter().find(|name| partition_of(name, PARTITIONS) == target).unwrap();
    (beside, there)
}

/// Rows of the batch of a sequence: always the same, as a client that retries sends the same.
fn rows_of(producer: &str, sequence: u64) -> Vec<Row> {
    let (beside, there) = others();
    let service = |row: u64| match (sequence * 5 + row * 3) % 7 {
        0 | 1 => HOT,
        2..=5 => beside,
        _ => there,
    };
    (0..sequence % 12 + 1).map(|row| (service(row), format!("{producer} {sequence} {row}"))).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// A batch is sent through an edge until it is stored.
    Store {
        edge: usize,
        sequence: u64,
    },
    /// An edge sends some chunks of a batch and dies.
    Part {
        edge: usize,
        sequence: u64,
        chunks: usize,
    },
    /// An edge splits a batch now and its chunks arrive later.
    Delay {
        edge: usize,
        sequence: u64,
    },
    /// One delayed chunk arrives.
    Arrive {
        which: usize,
    },
    Widen {
        spread: u16,
    },
    /// An edge hears how wide the service is spread.
    Hear {
        edge: usize,
    },
    /// An edge loses its memory.
    Restart {
        edge: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (edge, sequence) = (0usize..3, 1u64..40);
    let step = prop_oneof![
        4 => (edge.clone(), sequence.clone()).prop_map(|(edge, sequence)| Step::Store { edge, sequence }),
        3 => (edge.clone(), sequence.clone(), 0usize..4)
            .prop_map(|(edge, sequence, chunks)| Step::Part { edge, sequence, chunks }),
        3 => (edge.clone(), sequence).prop_map(|(edge, sequence)| Step::Delay { edge, sequence }),
        6 => any::<usize>().prop_map(|which| Step::Arrive { which }),
        1 => (2u16..=PARTITIONS).prop_map(|spread| Step::Widen { spread }),
        2 => edge.clone().prop_map(|edge| Step::Hear { edge }),
        1 => edge.prop_map(|edge| Step::Restart { edge }),
    ];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_row_is_stored_once(steps in steps()) {
        let (mut world, producer) = (World::new(), "p");
        let mut edges = [Edge::default(), Edge::default(), Edge::default()];
        let mut delayed: Vec<(PartitionId, Chunk)> = Vec::new();
        for step in steps {
            match step {
                Step::Store { edge, sequence } => {
                    world.store(&mut edges[edge], producer, sequence, &rows_of(producer, sequence));
                }
                Step::Part { edge, sequence, chunks } => {
                    let sending = world.split(&mut edges[edge], producer, sequence, &rows_of(producer, sequence));
                    for (partition, chunk) in sending.chunks.into_iter().take(chunks) {
                        world.send(partition, chunk);
                    }
                }
                Step::Delay { edge, sequence } => {
                    let sending = world.split(&mut edges[edge], producer, sequence, &rows_of(producer, sequence));
                    delayed.extend(sending.chunks);
                }
                Step::Arrive { which } => {
                    if !delayed.is_empty() {
                        let (partition, chunk) = delayed.swap_remove(which % delayed.len());
                        world.send(partition, chunk);
                    }
                }
                Step::Widen { spread } => world.spread = world.spread.max(spread),
                Step::Hear { edge } => edges[edge].spread = world.spread,
                Step::Restart { edge } => edges[edge].plans.clear(),
            }
        }
        let expected: BTreeMap<String, u32> = (1..40)
            .flat_map(|sequence| rows_of(producer, sequence))
            .map(|(_, message)| (message, 1))
            .collect();
        for sequence in 1..40 {
            let edge = &mut edges[sequence as usize % 3];
            world.store(edge, producer, sequence, &rows_of(producer, sequence));
        }
        for (partition, chunk) in delayed {
            world.send(partition, chunk);
        }
        prop_assert_eq!(world.stored, expected);
    }
}

#[test]
fn a_wider_spread_is_used() {
    let (mut world, mut edge) = (World::new(), Edge { spread: 2, ..Edge::default() });
    for sequence in 1..600 {
        edge.spread = if sequence < 10 { 2 } else { 4 };
        world.store(&mut edge, "p", sequence, &[(HOT, sequence.to_string())]);
    }
    let counts: Vec<u64> = partitions_of(HOT, PARTITIONS, 4)
        .into_iter()
        .map(|partition| world.partitions[usize::from(partition.0)].next_offset)
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 599);
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}
