//! Column-wise answers against a plain reading of the same query record by record, over random
//! records, queries, partitions and cuts into sources.

mod comparing;
mod exploring;
mod minutes;
mod plain;
mod plain_stages;
mod source;
mod stages;

use std::sync::atomic::{AtomicUsize, Ordering};

use insighthub_model::query::{
    Comparison, Expression, LetterCase, Query, RangeEnd, Regex, Test, Text, parse,
};
use insighthub_model::{Level, Record, Timestamp};
use proptest::prelude::*;

use self::source::{RecordsOfSource, TestSource, Value, sources_strategy};
use super::*;
use crate::column_source::ColumnSource;

fn words() -> impl Strategy<Value = Text> {
    let exact = prop::sample::select(vec![
        "timeout",
        "READ",
        "read timeout",
        "10.0.0.1",
        "user-id",
        "größe",
        "7",
        "1.5",
        "true",
        "a",
        "null",
        "web-1",
    ]);
    let parts = prop::sample::select(vec![
        vec!["time", ""],
        vec!["", "out"],
        vec!["", "e", ""],
        vec!["web-", ""],
        vec!["w", "1"],
        vec!["1", ""],
        vec!["", "ö", "e"],
    ]);
    prop_oneof![
        2 => exact.prop_map(|text| Text::Exact(text.to_owned())),
        1 => parts.prop_map(|parts| Text::Wildcard(parts.into_iter().map(str::to_owned).collect())),
    ]
}

fn bound() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["7", "1.5", "-3", "web-1", "T", "9007199254740993"]).prop_map(str::to_owned)
}

fn pattern() -> impl Strategy<Value = Regex> {
    let pattern = prop::sample::select(vec![
        "time(out|d)",
        "^read",
        "10\\.0",
        "\\d+",
        "(?i)GRÖSSE|GRÖßE",
        "[tT]",
        "e?",
        "^web-1$",
        "true",
        "^[0-9.]+$",
        "x_r?ead",
    ]);
    let case = prop::sample::select(vec![LetterCase::Counts, LetterCase::Ignored]);
    (pattern, case).prop_map(|(pattern, case)| Regex::new(pattern, case).unwrap())
}

fn some_test() -> impl Strategy<Value = Test> {
    let comparison = prop::sample::select(vec![
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let end = || {
        prop_oneof![
            Just(RangeEnd::Open),
            bound().prop_map(RangeEnd::Included),
            bound().prop_map(RangeEnd::Excluded)
        ]
    };
    prop_oneof![
        1 => Just(Test::Exists),
        4 => words().prop_map(Test::Is),
        1 => words().prop_map(Test::Contains),
        1 => prop::collection::vec(bound(), 2..4).prop_map(Test::In),
        1 => pattern().prop_map(Test::Matches),
        2 => (comparison, bound()).prop_map(|(comparison, bound)| Test::Compare(comparison, bound)),
        1 => (end(), end()).prop_map(|(from, to)| Test::Between(from, to)),
    ]
}

fn system_condition() -> impl Strategy<Value = Expression> {
    let conditions = vec![
        "service:api",
        "service:*-web",
        "service:in(api, db)",
        "level:in(error, fatal)",
        "level:err",
        "level:>=warn",
        "latency_ms:>100",
        "latency_ms:250",
        "latency_ms:*",
        "anomaly_score:[20 TO 60}",
        "is_anomaly:true",
        "is_anomaly:false",
        "anomaly_reason:~usual",
        "timestamp:>=1970-01-01T00:00:00.000000005Z",
        "timestamp:{* TO 1970-01-01T00:00:00.000000003Z]",
        "log_id:0000-000000000003",
    ];
    prop::sample::select(conditions).prop_map(|text| parse(text).unwrap().filter)
}

fn expression() -> impl Strategy<Value = Expression> {
    let name = prop::sample::select(vec!["n", "host", "absent"]);
    let leaf = prop_oneof![
        1 => Just(Expression::All),
        4 => words().prop_map(Expression::Message),
        2 => pattern().prop_map(|pattern| Expression::field("message", Test::Matches(pattern))),
        4 => (name, some_test()).prop_map(|(name, test)| Expression::field(name, test)),
        3 => system_condition(),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expression::negated),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::all_of),
            prop::collection::vec(inner, 1..4).prop_map(Expression::any_of),
        ]
    })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let services =
        prop::sample::subsequence(vec!["api".to_owned(), "shop-web".to_owned(), "API".to_owned()], 0..2);
    let levels = prop::sample::subsequence(Level::ALL.to_vec(), 0..3);
    let moment = || prop::option::weighted(0.2, (-2i64..12).prop_map(Timestamp));
    (expression(), services, levels, moment(), moment()).prop_map(|(filter, services, levels, from, to)| {
        Conditions { query: Query::of(filter), services, levels, from, to }
    })
}

fn dynamic(sources: &[TestSource]) -> Vec<&dyn ColumnSource> {
    sources.iter().map(|source| source as &dyn ColumnSource).collect()
}

/// Every record that meets the conditions, newest first, found the plain way.
fn expected(sources: &[TestSource], conditions: &Conditions) -> Vec<Record> {
    let mut records: Vec<Record> = sources.iter().flat_map(TestSource::all_records).collect();
    records.retain(|record| plain::is_meant(record, conditions));
    records.sort_by_key(|record| std::cmp::Reverse(Cursor::after(record)));
    records
}

fn page_after(after: Option<Cursor>, limit: usize) -> Page {
    Page { limit, after }
}

proptest! {
    #[test]
    fn pages_show_every_match_once_newest_first(
        sources in sources_strategy(),
        conditions in conditions(),
        limit in 1usize..7,
    ) {
        let filter = Filter::new(&conditions).unwrap();
        let expected = expected(&sources, &conditions);
        let sources = dynamic(&sources);
        let mut seen: Vec<Record> = Vec::new();
        let mut after = None;
        loop {
            let page = search(&sources, &filter, &page_after(after, limit), &Budget::UNBOUNDED).unwrap();
            let left = (expected.len() - seen.len()) as u64;
            match page.matched_records {
                Matched::Exactly(count) => prop_assert_eq!(count, left),
                Matched::AtLeast(count) => prop_assert!(count <= left),
            }
            prop_assert!(page.records.len() <= limit);
            seen.extend(page.records);
            match page.next_cursor {
                None => break,
                // Through its text, as clients do.
                Some(cursor) => after = Some(cursor.to_string().parse::<Cursor>().unwrap()),
            }
            prop_assert!(seen.len() <= expected.len(), "the pages never end");
        }
        prop_assert_eq!(seen, expected, "{}", conditions.query);
    }

    #[test]
    fn count_and_row_matches_agree_with_the_plain_reading(sources in sources_strategy(), conditions in conditions()) {
        let filter = Filter::new(&conditions).unwrap();
        for source in &sources {
            let records = source.all_records();
            let meant: Vec<u32> = (0..records.len() as u32)
                .filter(|row| plain::is_meant(&records[*row as usize], &conditions))
                .collect();
            prop_assert_eq!(filter.matches(source).unwrap(), meant, "{}", conditions.query);
        }
        let counted = count(&dynamic(&sources), &filter, &Budget::UNBOUNDED).unwrap();
        prop_assert_eq!(counted.matched_records, expected(&sources, &conditions).len() as u64);
    }

    #[test]
    fn what_follows_an_offset_comes_in_offset_order(
        sources in sources_strategy(),
        conditions in conditions(),
        from in 0u64..40,
        limit in 1usize..9,
    ) {
        let filter = Filter::new(&conditions).unwrap();
        let mut sources = sources;
        // The offsets of one partition.
        let partition = sources[0].partition();
        sources.retain(|source| source.partition() == partition);
        let mut expected = expected(&sources, &conditions);
        expected.retain(|record| record.log_id.offset >= from);
        expected.sort_by_key(|record| record.log_id);
        expected.truncate(limit);
        prop_assert_eq!(after_offset(&dynamic(&sources), &filter, from, limit).unwrap(), expected);
    }
}

/// `count` sources of one record each, timestamps ascending.
fn tiny_sources(count: usize) -> Vec<TestSource> {
    let record = |at: usize| RecordsOfSource::of_message(at as i64, &format!("step {at} done"));
    (0..count).map(|at| record(at).source(0, at as u64)).collect()
}

#[test]
fn a_full_page_stops_at_sources_that_are_older() {
    let sources = tiny_sources(5_000);
    let filter = Filter::new(&Conditions::default()).unwrap();
    let page = search(&dynamic(&sources), &filter, &page_after(None, 10), &Budget::UNBOUNDED).unwrap();
    let newest: Vec<u64> = page.records.iter().map(|record| record.log_id.offset).collect();
    assert_eq!(newest, (4_990..5_000).rev().collect::<Vec<_>>());
    assert_eq!(page.scanned_records, 10);
    assert_eq!(page.matched_records, Matched::AtLeast(10));
}

#[test]
fn sources_without_the_word_are_not_read() {
    let sources = tiny_sources(100);
    let query = parse("\"step 42\"").unwrap();
    let filter = Filter::new(&Conditions { query, ..Conditions::default() }).unwrap();
    let page = search(&dynamic(&sources), &filter, &page_after(None, 10), &Budget::UNBOUNDED).unwrap();
    assert_eq!((page.records.len(), page.scanned_records, page.pruned_sources), (1, 1, 99));
    assert_eq!((page.matched_records, page.next_cursor), (Matched::Exactly(1), None));
}

#[test]
fn a_query_over_its_budget_ends_with_the_reason() {
    let sources = tiny_sources(100);
    let filter =
        Filter::new(&Conditions { query: parse("absent*").unwrap(), ..Conditions::default() }).unwrap();
    let run = |budget: &Budget<'_>| search(&dynamic(&sources), &filter, &page_after(None, 10), budget);
    let error = run(&Budget { scanned_records_max: 20, ..Budget::UNBOUNDED }).unwrap_err();
    assert!(matches!(error, QueryError::TooManyRecords { scanned_records_max: 20 }), "{error}");
    let asked = AtomicUsize::new(0);
    let after_five = || (asked.fetch_add(1, Ordering::Relaxed) == 5).then_some(Stop::OutOfTime);
    let error = run(&Budget { stop: &after_five, ..Budget::UNBOUNDED }).unwrap_err();
    assert!(matches!(error, QueryError::OutOfTime { scanned_records: 5 }), "{error}");
    let error = run(&Budget { stop: &|| Some(Stop::Cancelled), ..Budget::UNBOUNDED }).unwrap_err();
    assert!(matches!(error, QueryError::Cancelled { scanned_records: 0 }), "{error}");
}

#[test]
fn a_query_that_reads_too_many_bytes_ends_with_the_reason() {
    let sources = tiny_sources(100);
    let filter =
        Filter::new(&Conditions { query: parse("/absent/").unwrap(), ..Conditions::default() }).unwrap();
    let budget = Budget { scanned_bytes_max: 45, ..Budget::UNBOUNDED };
    let error = search(&dynamic(&sources), &filter, &page_after(None, 10), &budget).unwrap_err();
    assert!(matches!(error, QueryError::TooManyBytes { scanned_bytes_max: 45 }), "{error}");
}

#[test]
fn what_a_search_took_is_said_by_partition() {
    let source = |at: i64, partition: u16| {
        RecordsOfSource::of_message(at, &format!("step {at} done")).source(partition, at as u64)
    };
    let sources = [source(1, 0), source(2, 1), source(3, 0), source(4, 0)];
    let query = parse("\"step 2\" OR \"step 3\" timestamp:<=1970-01-01T00:00:00.000000003Z").unwrap();
    let filter = Filter::new(&Conditions { query, ..Conditions::default() }).unwrap();
    let page = search(&dynamic(&sources), &filter, &page_after(None, 10), &Budget::UNBOUNDED).unwrap();
    assert_eq!(page.records.len(), 2);
    let efforts: Vec<(u16, &Effort)> = page.efforts.iter().map(|(at, effort)| (at.0, effort)).collect();
    let [(0, first), (1, second)] = efforts.as_slice() else { panic!("{efforts:?}") };
    assert_eq!((first.sources, first.scanned_records, second.sources), (1, 1, 1));
    // Both ways of being meant are ruled out, the second one by time.
    assert_eq!(first.pruned.values().sum::<u64>(), 2);
    assert_eq!(first.columns.get("message"), Some(&ColumnReads { reads: 1, bytes: 10 }));
    assert!(first.nanos.is_empty(), "batches as small as these are not timed");
}

#[test]
fn a_value_is_found_whatever_its_type_and_spelling() {
    let found = |query: &str, value: &Value| {
        let query = parse(query).unwrap();
        let filter = Filter::new(&Conditions { query, ..Conditions::default() }).unwrap();
        filter.matches(&RecordsOfSource::of_value(value.clone()).source(0, 0)).unwrap() == [0]
    };
    for (query, value) in [
        ("n:1932", Value::Int(1932)),
        ("n:1932", Value::Float(1932.0)),
        ("n:1932", Value::Text("1932")),
        ("n:1e3", Value::Int(1000)),
        ("n:1e3", Value::Json("[1000]")),
        ("n:\"read timeout\"", Value::Text("Read Timeout")),
        ("n:read-timeout", Value::Json("[[\"read-timeout\"]]")),
        ("n:~timeout", Value::Text("read timeout, retry")),
        ("n:größe", Value::Json("[\"gr\\u00f6\\u00dfe\"]")),
        ("n:\"a<b\"", Value::Json("[\"a\\u003cb\"]")),
        ("n:\"a\nb\"", Value::Json("[\"a\\nb\"]")),
        ("n:TRUE", Value::Bool(true)),
        ("n:5*", Value::Int(503)),
        ("n:>=v2", Value::Text("V3")),
        ("n:>5", Value::Text("7")),
        ("n:null", Value::Json("null")),
        ("n:*", Value::Json("null")),
    ] {
        assert!(found(query, &value), "{query} and {value:?}");
    }
    for (query, value) in [
        ("n:prod", Value::Text("non-prod")),
        ("n:read", Value::Text("read timeout")),
        ("n:1932", Value::Text("1932.0")),
        ("n:>5", Value::Text("seven")),
        ("n:>a", Value::Int(7)),
        ("n:>0", Value::Bool(true)),
        ("n:8", Value::Json("[{\"id\":8}]")),
    ] {
        assert!(!found(query, &value), "{query} and {value:?}");
    }
}

#[test]
fn a_condition_without_meaning_is_refused_with_its_field() {
    let query = Query::of(Expression::field_is("level", "loud"));
    let error = Filter::new(&Conditions { query, ..Conditions::default() }).unwrap_err();
    assert_eq!(error.name, "level");
    assert!(error.to_string().contains("is no level"), "{error}");
    let query = Query::of(Expression::field_is("message", ""));
    assert!(Filter::new(&Conditions { query, ..Conditions::default() }).is_err());
    // More than a regular expression may take, but no more than its syntax may say.
    let query = parse("host:/(\\pL{40}){40}/").unwrap();
    let error = Filter::new(&Conditions { query, ..Conditions::default() }).unwrap_err();
    assert!(error.reason.contains("too large"), "{error}");
}
