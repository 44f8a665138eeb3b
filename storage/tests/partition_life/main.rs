//! The life of stored records: whatever is appended, sealed, merged, expired, deleted, crashed and copied, a replica answers
//! what a plain list answers, and replicas are equal to the byte.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod full_disk;
mod history;
mod plain;
mod replica;
mod steps;

use history::History;
use plain::{PlainRecord, Wanted};
use proptest::prelude::*;
use steps::{Step, steps};

/// Cases of the ordinary run; set `PROPTEST_CASES` for more.
const CASES: u32 = 100;

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

/// Runs a life in simulated time, where the sealer is a task of this thread.
fn in_simulated_time<T>(seed: u64, life: impl Future<Output = T>) -> T {
    let _entered = insighthub_storage::simulation::enter(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(life)
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    in_simulated_time(steps.len() as u64, async {
        let mut history = History::new();
        for step in steps {
            history.take(step).await;
            history.check(&format!("after {step:?}"))?;
        }
        history.finish().await
    })
}

#[test]
fn one_replica_joins_batches_and_the_other_does_not() {
    let record = PlainRecord {
        service: 0,
        minute: 1,
        nanos: 3,
        level: insighthub_model::Level::Info,
        words: (0, 1),
        latency_ms: None,
        is_anomaly: false,
    };
    in_simulated_time(7, async {
        let mut history = History::new();
        for _ in 0..30 {
            history.take(&Step::Append(vec![record.clone(); 3])).await;
            history.take(&Step::Rest).await;
        }
        assert_eq!(history.batches(), [30, 3], "batches of the first and of the second replica");
        history.check("with joined batches")?;
        history.finish().await
    })
    .unwrap();
}

/// Late records are rare in a random life, and rarer those that are asked for by an id.
#[test]
fn a_deletion_by_an_id_takes_the_letter_of_a_late_record() {
    let record = |nanos| PlainRecord {
        service: 0,
        minute: 0,
        nanos,
        level: insighthub_model::Level::Trace,
        words: (0, 0),
        latency_ms: None,
        is_anomaly: false,
    };
    let wanted = Wanted { word: None, service: None, latency_above: None, id: Some(16), minutes: None };
    let expire = Step::Expire { default: Some(1), service: None, floor: 0.0 };
    run(&[expire, Step::Append(vec![record(16), record(17)]), Step::Delete(wanted)]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn replicas_answer_what_a_plain_list_answers(steps in steps()) {
        run(&steps)?;
    }
}
