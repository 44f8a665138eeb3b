//! Queries with stages against a plain reading of the same query over all records at once.

use insighthub_model::query::pipeline::GroupKey;
use insighthub_model::query::{Query, Stage, TimeSpan, parse};
use insighthub_model::table::Value;
use proptest::prelude::*;

use super::plain_stages::plainly;
use super::source::{TestSource, sources_strategy};
use super::{conditions, dynamic, expected};
use crate::codec;
use crate::column_source::ColumnSource;
use crate::query::pipeline::{Counts, Gathered, Gathering, Groups, Plan, Rows, finish, gather};
use crate::query::{Budget, Conditions, Filter};

const STAGES: [&str; 31] = [
    "stats count()",
    "stats count() as n by service",
    "stats count(), count() if (level:error) as errors by service, time(2ms)",
    "stats sum(n), avg(n), min(n), max(n), distinct(n) by host",
    "stats min(timestamp), max(timestamp), min(level), max(level) by service",
    "stats p50(latency_ms), p99(latency_ms), median(n) by service",
    "stats first(n), last(n), first(message), last(log_id) by level",
    "stats distinct(host), distinct(service), distinct(message), distinct(latency_ms)",
    "stats rate() by time(3ms)",
    "stats rate()",
    "stats sum(latency_ms) if (is_anomaly:true) as s, max(anomaly_score) by n, host, level",
    "stats count() by absent",
    "stats count() by is_anomaly, anomaly_reason",
    "stats count() as n by service | where n > 2",
    "stats count() as c by service, level | sort c desc, level | limit 3",
    "stats count() as c by host | where host:web* OR c > 1 | sort host desc | offset 1",
    "stats max(latency_ms) as m by service | sort m, service desc | fields m",
    "top 2 host",
    "top 3 service, level by sum(n)",
    "uniq by host, n",
    "uniq by service",
    "limit 3",
    "offset 2 | limit 4",
    "where latency_ms > 50 | limit 5",
    "limit 6 | where level:>=warn",
    "sort latency_ms desc, n | limit 4",
    "sort host",
    "fields timestamp, host, n, absent | limit 5",
    "limit 7 | stats count(), sum(n) by service",
    "limit 5 | sort n desc | fields -message, -stack*",
    "fields service, level | uniq by level",
];

/// The stages of a text; a millisecond is a nanosecond here, as in the records.
fn read(stages: &str) -> Vec<Stage> {
    let mut stages = parse(&format!("* | {stages}")).unwrap().stages;
    for stage in &mut stages {
        let Stage::Stats(stats) = stage else { continue };
        for group in &mut stats.groups {
            if let GroupKey::Time(length) = &mut group.key {
                *length = TimeSpan::from_nanos(length.nanos() / 1_000_000);
            }
        }
    }
    stages
}

/// Gathers per partition, sends every part over the wire, merges and finishes.
pub(super) fn answer(sources: &[TestSource], conditions: &Conditions) -> (Rows, Counts) {
    let plan = Plan::new(&conditions.query, 10_000);
    let asked = Conditions { query: Query::of(plan.filter.clone()), ..conditions.clone() };
    let filter = Filter::new(&asked).unwrap();
    let mut counts = Counts::default();
    let parts = (0..2).map(|partition| {
        let of_partition = |source: &&&dyn ColumnSource| source.partition().0 == partition;
        let all = dynamic(sources);
        let sources: Vec<&dyn ColumnSource> = all.iter().filter(of_partition).copied().collect();
        let (part, cost) = gather(&sources, &filter, &plan.gathering, &Budget::UNBOUNDED).unwrap();
        counts.add(cost);
        match part {
            Gathered::Groups(groups) => {
                let bytes = codec::encode(1, &groups).unwrap();
                Gathered::Groups(codec::decode::<Groups>(1, &bytes).unwrap())
            }
            records => records,
        }
    });
    let parts = parts.collect();
    let whole = Gathered::merge(&plan.gathering, parts).unwrap();
    let range = match (conditions.from, conditions.to) {
        (Some(from), Some(to)) => Some(to.0 - from.0),
        _ => None,
    };
    (finish(&plan, whole, counts.matched_records, range).unwrap(), counts)
}

/// Equal, but for what a sketch or another order of additions may change.
fn is_close(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            (left - right).abs() <= right.abs().max(left.abs()) * 0.0101 + 1e-9
        }
        (left, right) => left == right,
    }
}

pub(super) fn assert_same(
    found: &Rows,
    expected: &Rows,
    conditions: &Conditions,
) -> Result<(), TestCaseError> {
    match (found, expected) {
        (Rows::Records(found), Rows::Records(expected)) => {
            prop_assert_eq!(found, expected, "{}", conditions.query);
        }
        (Rows::Table(found), Rows::Table(expected)) => {
            prop_assert_eq!(&found.columns, &expected.columns, "{}", conditions.query);
            let same = found.rows.len() == expected.rows.len()
                && found
                    .rows
                    .iter()
                    .zip(&expected.rows)
                    .all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_close(a, b)));
            prop_assert!(same, "{}\n{:#?}\n{:#?}", conditions.query, found.rows, expected.rows);
        }
        _ => prop_assert!(false, "{}: one gives records, the other a table", conditions.query),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn stages_are_what_they_are_described_as(
        sources in sources_strategy(),
        conditions in conditions(),
        stages in prop::sample::select(STAGES.to_vec()),
    ) {
        let query = Query { filter: conditions.query.filter.clone(), stages: read(stages) };
        let conditions = Conditions { query, ..conditions };
        let (found, _) = answer(&sources, &conditions);
        assert_same(&found, &plainly(&sources, &conditions), &conditions)?;
    }

    #[test]
    fn a_smaller_sample_is_part_of_a_larger_one(sources in sources_strategy(), conditions in conditions(), size in 1u32..8) {
        let sample = |size: u32| {
            let query = Query { filter: conditions.query.filter.clone(), stages: vec![Stage::Sample(size)] };
            match answer(&sources, &Conditions { query, ..conditions.clone() }) {
                (Rows::Records(records), counts) => (records, counts.matched_records),
                other => panic!("{other:?}"),
            }
        };
        let all = expected(&sources, &Conditions { query: Query::of(conditions.query.filter.clone()), ..conditions.clone() });
        let ((few, matched), (more, _)) = (sample(size), sample(size + 1));
        prop_assert_eq!(matched, all.len() as u64);
        prop_assert_eq!(few.len(), all.len().min(size as usize));
        prop_assert!(few.iter().all(|record| more.contains(record) && all.contains(record)));
        prop_assert!(few.is_sorted_by_key(|record| std::cmp::Reverse((record.timestamp, record.log_id))));
    }
}

#[test]
fn patterns_are_counted_and_shared_out() {
    let sources: Vec<TestSource> = (0..10)
        .map(|at| {
            let message = if at < 7 { format!("order {at} paid") } else { "stock is low".to_owned() };
            super::RecordsOfSource::of_message(at, &message).source(0, at as u64)
        })
        .collect();
    let conditions = Conditions { query: parse("* | patterns 5").unwrap(), ..Conditions::default() };
    let (Rows::Table(table), _) = answer(&sources, &conditions) else { panic!("no table") };
    assert_eq!(table.rows.len(), 2);
    assert_eq!(table.rows[0][..3], [Value::Text("order <*> paid".into()), Value::Int(7), Value::Float(0.7)]);
    assert_eq!(table.rows[0][5], Value::Text("0000-000000000006".into()));
    assert_eq!(table.rows[1][0], Value::Text("stock is low".into()));
}

#[test]
fn gatherings_say_what_they_are() {
    let plan = Plan::new(&parse("* | sample 4").unwrap(), 10);
    assert_eq!(plan.gathering, Gathering::Sample(4));
}
