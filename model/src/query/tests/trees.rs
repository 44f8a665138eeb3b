//! Any tree the language has, in normal form, with nasty text wherever there is text.

use proptest::prelude::*;

use super::super::pipeline::{
    self, Aggregate, Context, Direction, Function, Group, GroupKey, Projection, SortKey, Statistic, Stats,
    Top,
};
use super::super::*;
use crate::{LogId, PartitionId};

/// Text with every character that has a meaning.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,4}",
        1 => "(AND|OR|NOT|TO|\\*|-|!)",
        2 => "([a-z():\"\\\\*|!<>~{} \\-\\[\\]]|\\PC){1,6}",
    ]
}

pub(super) fn field_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        3 => any_text().prop_map(Text::Exact),
        1 => proptest::collection::vec(any_text(), 2..4).prop_map(Text::Wildcard),
    ]
}

fn message_text() -> impl Strategy<Value = Text> {
    field_text().prop_filter("a wildcard of a message has no spaces", |text| match text {
        Text::Exact(_) => true,
        Text::Wildcard(parts) => !parts.iter().any(|part| part.contains(char::is_whitespace)),
    })
}

fn range_end() -> impl Strategy<Value = RangeEnd> {
    prop_oneof![
        Just(RangeEnd::Open),
        any_text().prop_map(RangeEnd::Included),
        any_text().prop_map(RangeEnd::Excluded),
    ]
}

fn any_test() -> impl Strategy<Value = Test> {
    let comparison = prop_oneof![
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
    ];
    prop_oneof![
        1 => Just(Test::Exists),
        3 => field_text().prop_map(Test::Is),
        1 => field_text().prop_map(Test::Contains),
        2 => (comparison, any_text()).prop_map(|(comparison, bound)| Test::Compare(comparison, bound)),
        1 => (range_end(), range_end()).prop_map(|(from, to)| Test::Between(from, to)),
        1 => regex().prop_map(Test::Matches),
        1 => proptest::collection::vec(any_text(), 2..5).prop_map(Test::In),
    ]
}

fn regex() -> impl Strategy<Value = Regex> {
    let case = prop_oneof![Just(LetterCase::Counts), Just(LetterCase::Ignored)];
    let pattern = "([a-z/ |.*+?()\\[\\]{}0-9\"\\\\^$#-]|\\(\\?x\\)|\\\\[dsw/]|\\PC){1,12}";
    (pattern, case).prop_filter_map("its syntax is right", |(pattern, case)| Regex::new(&pattern, case).ok())
}

pub(super) fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => Just(Expression::All),
        4 => message_text().prop_map(Expression::Message),
        1 => regex().prop_map(|regex| Expression::field("message", Test::Matches(regex))),
        1 => timestamp_test().prop_map(|test| Expression::field("timestamp", test)),
        // No name of a system field has five letters.
        4 => ("([a-z]{5}|\\PC{5})", any_test()).prop_map(|(name, test)| Expression::field(&name, test)),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expression::negated),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Expression::all_of),
            proptest::collection::vec(inner, 1..4).prop_map(Expression::any_of),
        ]
    })
}

fn timestamp_test() -> impl Strategy<Value = Test> {
    let text =
        || prop::sample::select(vec!["-15m", "now", "now-1h30m", "2026-01-02", "2026-01", "1764670202"]);
    prop_oneof![
        text().prop_map(|text| Test::Is(Text::Exact(text.to_owned()))),
        text().prop_map(|text| Test::Compare(Comparison::Less, text.to_owned())),
        (text(), text()).prop_map(|(from, to)| {
            Test::Between(RangeEnd::Excluded(from.to_owned()), RangeEnd::Included(to.to_owned()))
        }),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{5}",
        1 => prop::sample::select(vec!["by", "As", "if", "desc", "time", "5", "in", "a.b", "-x", "message", "level"]).prop_map(str::to_owned),
        1 => "([a-z():\"\\\\*|!<>=~{},/ \\-\\[\\]]|\\PC){1,6}",
    ]
}

/// Names no system field has, each once.
fn new_names(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    let own = name().prop_filter("a name of our own", |name| !system_field::NAMES.contains(&name.as_str()));
    proptest::collection::btree_set(own, count).prop_map(|names| names.into_iter().collect())
}

fn function() -> impl Strategy<Value = Function> {
    let statistic = prop_oneof![
        prop::sample::select(vec![
            Statistic::Sum,
            Statistic::Min,
            Statistic::Max,
            Statistic::Avg,
            Statistic::Distinct,
            Statistic::First,
            Statistic::Last,
        ]),
        (1u32..1_000_000).prop_filter_map("a quantile", |millionths| {
            // At most four digits behind the point can be typed.
            pipeline::Quantile::from_millionths(millionths).map(Statistic::Quantile)
        }),
    ];
    prop_oneof![
        1 => Just(Function::Count),
        1 => Just(Function::Rate),
        3 => (statistic, name()).prop_map(|(statistic, name)| Function::Of(statistic, name)),
    ]
}

fn stats() -> impl Strategy<Value = Stats> {
    let condition = || proptest::option::weighted(0.2, expression());
    let key = prop_oneof![
        2 => name().prop_map(GroupKey::Field),
        1 => (1_000_000i64..).prop_map(|nanos| GroupKey::Time(TimeSpan::from_nanos(nanos))),
    ];
    let aggregates = proptest::collection::vec((function(), condition()), 1..4);
    (aggregates, proptest::collection::vec(key, 0..3), new_names(6..7)).prop_map(
        |(functions, keys, names)| {
            let mut names = names.into_iter();
            let mut fresh = || names.next().unwrap();
            let groups = keys.into_iter().map(|key| Group { key, column: fresh() }).collect();
            let aggregates = functions
                .into_iter()
                .map(|(function, condition)| Aggregate { function, condition, column: fresh() })
                .collect();
            Stats { aggregates, groups }
        },
    )
}

fn where_condition() -> impl Strategy<Value = Stage> {
    expression().prop_map(Stage::Where)
}

fn projection() -> impl Strategy<Value = Stage> {
    let text = || prop_oneof![3 => name().prop_map(Text::Exact), 1 => proptest::collection::vec("[a-z.,=]{1,3}", 2..4).prop_map(Text::Wildcard)];
    (proptest::collection::hash_set(text(), 1..5), 0usize..5)
        .prop_map(|(texts, kept)| {
            let texts: Vec<Text> = texts.into_iter().collect();
            let (keep, drop) = texts.split_at(kept.min(texts.len()));
            Stage::Fields(Projection { keep: keep.to_vec(), drop: drop.to_vec() })
        })
        .prop_filter("something is left", |stage| match stage {
            Stage::Fields(projection) => {
                Output::Records.after(stage).columns().is_none_or(|columns| !columns.is_empty())
                    && (projection.keep.len() + projection.drop.len() > 0)
            }
            _ => true,
        })
}

fn record_stage() -> impl Strategy<Value = Stage> {
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    let key = (name(), direction).prop_map(|(column, direction)| SortKey { column, direction });
    prop_oneof![
        2 => where_condition(),
        1 => proptest::collection::vec(key, 1..4).prop_map(Stage::Sort),
        1 => (1u32..=10_000).prop_map(Stage::Limit),
        1 => (0u32..=100_000).prop_map(Stage::Offset),
        1 => (1u32..=10_000).prop_map(Stage::Sample),
    ]
}

fn last_stage() -> impl Strategy<Value = Stage> {
    let top = (1u32..=10_000, new_names(2..5), any::<bool>(), name()).prop_map(
        |(rows, mut fields, is_sum, field)| {
            let column = fields.pop().unwrap();
            let function = if is_sum { Function::Of(Statistic::Sum, field) } else { Function::Count };
            Stage::Top(Top { rows, fields, by: Aggregate { function, condition: None, column } })
        },
    );
    prop_oneof![
        4 => stats().prop_map(Stage::Stats),
        1 => top,
        1 => new_names(1..4).prop_map(Stage::Uniq),
        2 => projection(),
        1 => (1u32..=10_000).prop_map(Stage::Patterns),
    ]
}

/// Stages behind a table, made of its columns.
fn with_table_stages(mut stages: Vec<Stage>) -> Vec<Stage> {
    let output = stages.iter().fold(Output::Records, Output::after);
    if let Some([first, ..]) = output.columns() {
        let first = first.clone();
        let plain = if system_field::NAMES.contains(&first.as_str()) {
            Test::Exists
        } else {
            Test::Compare(Comparison::Greater, "10".into())
        };
        stages.push(Stage::Where(Expression::field(&first, plain)));
        stages.push(Stage::Sort(vec![SortKey { column: first, direction: Direction::Descending }]));
        stages.push(Stage::Limit(20));
    }
    stages
}

pub(super) fn query() -> impl Strategy<Value = Query> {
    let context = ((0u16.., 0u64..), 0u32..=1_000, 0u32..=1_000, name()).prop_map(
        |((partition, offset), before, after, by)| {
            Stage::Context(Context {
                log_id: LogId { partition: PartitionId(partition), offset },
                before,
                after,
                by,
            })
        },
    );
    let stages = (
        proptest::option::weighted(0.1, context),
        proptest::collection::vec(record_stage(), 0..3),
        proptest::option::weighted(0.6, last_stage()),
    );
    (expression(), stages).prop_map(|(filter, (first, middle, last))| {
        let stages = first.into_iter().chain(middle).chain(last).collect();
        Query { filter, stages: with_table_stages(stages) }
    })
}
