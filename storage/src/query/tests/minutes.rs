//! What minute aggregates answer is what the records answer, for time ranges that cut minutes as well.

use insighthub_model::Timestamp;
use insighthub_model::query::{Query, TimeSpan, parse};
use proptest::prelude::*;

use super::dynamic;
use super::plain_stages::plainly;
use super::source::{RecordsOfSource, TestSource, stretched_sources_strategy};
use super::stages::{answer, assert_same};
use crate::query::exploring::{Wanted, explore};
use crate::query::{Budget, Conditions, Filter};

/// Records lie so far apart that a minute holds a few.
const STEP: i64 = 20_000_000_000;

/// Filters that minutes can decide, and two that they cannot.
const FILTERS: [&str; 12] = [
    "*",
    "level:error",
    "level:>=warn service:api",
    "service:*-web",
    "NOT service:api",
    "service:in(api, db) OR level:fatal",
    "is_anomaly:true",
    "NOT (is_anomaly:false level:info)",
    "timestamp:>=1970-01-01T00:00:40Z",
    "timestamp:[1970-01-01T00:00:20.000000001Z TO 1970-01-01T00:02:00Z} level:error",
    "latency_ms:>100",
    "host:web-1 level:warn",
];

const STAGES: [&str; 12] = [
    "stats count()",
    "stats count() as n by service, time(1m)",
    "stats count(), count() if (level:error) as errors by time(2m), service",
    "stats count() if (is_anomaly:true AND service:api) as n by level",
    "stats rate() by time(3m)",
    "stats p50(latency_ms), p99(latency_ms) by service, time(1m)",
    "stats p95(latency_ms) if (level:>=warn) as p by level",
    "stats min(latency_ms), max(latency_ms), count() by service",
    "stats p90(latency_ms) if (is_anomaly:true) as p",
    "stats count() by time(90s)",
    "stats avg(latency_ms), count() by service",
    "top 3 service, level",
];

fn conditions() -> impl Strategy<Value = Conditions> {
    let moment = || {
        let millis =
            prop_oneof![(-1i64..12).prop_map(|at| at * STEP), (-1i64..5).prop_map(|at| at * 3 * STEP)];
        prop::option::weighted(0.5, millis.prop_map(Timestamp))
    };
    let text = (prop::sample::select(FILTERS.to_vec()), prop::sample::select(STAGES.to_vec()));
    (text, moment(), moment()).prop_map(|((filter, stages), from, to)| {
        let query = parse(&format!("{filter} | {stages}")).unwrap();
        Conditions { query, from, to, ..Conditions::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn minutes_answer_as_records_do(
        sources in stretched_sources_strategy(STEP),
        are_counted in prop::collection::vec(prop::bool::weighted(0.8), 7),
        conditions in conditions(),
    ) {
        let counted = |(source, is_counted): (TestSource, bool)| match is_counted {
            true => source.with_minutes(),
            false => source,
        };
        let sources: Vec<TestSource> = sources.into_iter().zip(are_counted).map(counted).collect();
        let (found, counts) = answer(&sources, &conditions);
        assert_same(&found, &plainly(&sources, &conditions), &conditions)?;
        let filter = Conditions { query: Query::of(conditions.query.filter.clone()), ..conditions.clone() };
        prop_assert_eq!(counts.matched_records, super::expected(&sources, &filter).len() as u64);
    }

    #[test]
    fn heatmaps_of_minutes_are_those_of_records(
        sources in stretched_sources_strategy(STEP),
        are_counted in prop::collection::vec(prop::bool::weighted(0.8), 7),
        conditions in conditions(),
        length in 1i64..4,
    ) {
        let wanted = Wanted { heat: Some(TimeSpan::from_nanos(length * 60_000_000_000)), ..Wanted::default() };
        let filter = Filter::new(&conditions).unwrap();
        let seen = |sources: &[TestSource]| explore(&dynamic(sources), &filter, &wanted, &Budget::UNBOUNDED).unwrap().0;
        let by_records = seen(&sources);
        let counted = |(source, is_counted): (TestSource, bool)| match is_counted {
            true => source.with_minutes(),
            false => source,
        };
        let sources: Vec<TestSource> = sources.into_iter().zip(are_counted).map(counted).collect();
        let by_minutes = seen(&sources);
        prop_assert_eq!(by_minutes.records, by_records.records);
        prop_assert_eq!(by_minutes.heat.counts, by_records.heat.counts);
        prop_assert_eq!(by_records.heat.by_minutes, 0);
    }
}

#[test]
fn a_heatmap_of_whole_minutes_asks_no_record() {
    let sources: Vec<TestSource> = (0..12)
        .map(|at| RecordsOfSource::of_message(at, "").stretched(STEP).source(0, at as u64).with_minutes())
        .collect();
    let wanted = Wanted { heat: Some(TimeSpan::from_nanos(60_000_000_000)), ..Wanted::default() };
    let filter = Filter::new(&Conditions::default()).unwrap();
    let (seen, counts) = explore(&dynamic(&sources), &filter, &wanted, &Budget::UNBOUNDED).unwrap();
    assert_eq!((seen.records, counts.scanned_records), (12, 0));
    assert_eq!(seen.heat.by_minutes, seen.heat.counts.values().sum::<u64>());
}

#[test]
fn whole_minutes_are_answered_without_a_record_and_cut_ones_by_theirs() {
    let sources: Vec<TestSource> = (0..12)
        .map(|at| RecordsOfSource::of_message(at, "").stretched(STEP).source(0, at as u64).with_minutes())
        .collect();
    let scanned = |text: &str, to: i64| {
        let to = Some(Timestamp(to));
        let conditions = Conditions { query: parse(text).unwrap(), to, ..Conditions::default() };
        let (_, counts) = answer(&sources, &conditions);
        (counts.matched_records, counts.scanned_records)
    };
    assert_eq!(scanned("level:info | stats count() by service, time(1m)", 12 * STEP), (12, 0));
    assert_eq!(scanned("* | stats p95(latency_ms) by time(2m)", 6 * STEP), (6, 0));
    assert_eq!(scanned("* | stats count() by time(1m)", 5 * STEP), (5, 0));
    assert_eq!(scanned("* | stats count() by host", 12 * STEP), (12, 12));
}
