//! Trees drawn at random: each is printed and read back as it was.

use proptest::prelude::*;

use crate::logql::ast::{
    Binary, BinaryOp, Bound, Comparison, Conversion, Expr, Extraction, FormatValue, Grouping, GroupingKind,
    LabelFilter, LabelPick, LabelReplace, LineFilter, LineOp, LogQuery, Many, MatchOp, Matcher, Matching,
    MatchingKind, Metric, Position, RangeAggregation, RangeFunction, Side, Stage, Unwrap, VectorAggregation,
    VectorFunction,
};
use crate::logql::parse;

/// Words that mean something else where a label's name may stand.
const TAKEN: [&str; 15] = [
    "json",
    "logfmt",
    "regexp",
    "pattern",
    "unpack",
    "line_format",
    "label_format",
    "drop",
    "keep",
    "decolorize",
    "distinct",
    "unwrap",
    "ip",
    "and",
    "or",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z_][a-zA-Z0-9_]{0,6}", 1 => Just("by".to_owned()), 1 => Just("sum".to_owned())]
        .prop_filter("taken", |name| !TAKEN.contains(&name.as_str()))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z \"\\\\\n\t`ü#{}|]{0,8}",
        any::<String>().prop_map(|text| text.chars().take(6).collect())
    ]
}

fn regex() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z.]{1,4}[+*]?", Just("a|b\\d{2}".to_owned())]
}

fn match_op() -> impl Strategy<Value = MatchOp> {
    prop_oneof![
        Just(MatchOp::Equal),
        Just(MatchOp::NotEqual),
        Just(MatchOp::Matches),
        Just(MatchOp::NotMatches)
    ]
}

fn condition() -> impl Strategy<Value = (MatchOp, String)> {
    match_op().prop_flat_map(|op| {
        let value = match op {
            MatchOp::Equal | MatchOp::NotEqual => text().boxed(),
            _ => regex().boxed(),
        };
        value.prop_map(move |value| (op, value))
    })
}

fn matcher() -> impl Strategy<Value = Matcher> {
    (name(), condition()).prop_map(|(name, (op, value))| Matcher { name, op, value })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    prop_oneof![
        Just(Equal),
        Just(NotEqual),
        Just(Less),
        Just(LessOrEqual),
        Just(Greater),
        Just(GreaterOrEqual)
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![(-1_000_000i32..1_000_000).prop_map(f64::from), proptest::num::f64::NORMAL]
}

fn addresses() -> impl Strategy<Value = String> {
    let v6 = || any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string());
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        v6(),
        (v6(), 0..=128u8).prop_map(|(address, length)| format!("{address}/{length}")),
        Just("10.0.0.1 - 10.0.0.9".to_owned()),
    ]
}

fn label_filter() -> impl Strategy<Value = LabelFilter> {
    let bound = prop_oneof![
        number().prop_map(Bound::Number),
        (-1_000_000_000_000i64..1_000_000_000_000).prop_map(Bound::Duration),
        (0u64..1_000_000_000_000).prop_map(Bound::Bytes),
    ];
    let leaf = prop_oneof![
        matcher().prop_map(LabelFilter::Match),
        (name(), comparison(), bound).prop_map(|(name, comparison, bound)| LabelFilter::Compare {
            name,
            comparison,
            bound
        }),
    ];
    let of_addresses = (name(), any::<bool>(), addresses())
        .prop_map(|(name, is_negative, addresses)| LabelFilter::Address { name, is_negative, addresses });
    let leaf = prop_oneof![4 => leaf, 1 => of_addresses].boxed();
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| LabelFilter::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| LabelFilter::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn line_filter() -> impl Strategy<Value = Stage> {
    use LineOp::{Contains, HasAddress, HasNoAddress, Matches, NotContains, NotMatches, NotPattern, Pattern};
    let op = prop_oneof![
        Just(Contains),
        Just(NotContains),
        Just(Matches),
        Just(NotMatches),
        Just(Pattern),
        Just(NotPattern),
        Just(HasAddress),
        Just(HasNoAddress)
    ];
    op.prop_flat_map(|op| {
        let text = match op {
            Matches | NotMatches => regex().boxed(),
            HasAddress | HasNoAddress => addresses().boxed(),
            _ => text().boxed(),
        };
        proptest::collection::vec(text, 1..3).prop_map(move |texts| Stage::Line(LineFilter { op, texts }))
    })
}

fn picks() -> impl Strategy<Value = Vec<LabelPick>> {
    let pick = (name(), proptest::option::of(condition()))
        .prop_map(|(name, condition)| LabelPick { name, condition });
    proptest::collection::vec(pick, 1..3)
}

fn stage() -> impl Strategy<Value = Stage> {
    let extraction = (name(), text()).prop_map(|(label, path)| Extraction { label, path });
    let extractions = proptest::collection::vec(extraction, 0..3).boxed();
    let template =
        prop_oneof![Just("{{.a}} b".to_owned()), Just("{{__line__ | ToUpper}}".to_owned()), "[a-z\"\n]{0,5}"];
    let format =
        prop_oneof![name().prop_map(FormatValue::Rename), template.clone().prop_map(FormatValue::Template)];
    prop_oneof![
        // What is drawn from lies on the stack as a whole, unless it is boxed.
        line_filter().boxed(),
        label_filter().prop_map(Stage::Filter).boxed(),
        extractions.clone().prop_map(Stage::Json),
        extractions.prop_map(Stage::Logfmt),
        Just(Stage::Unpack),
        Just(Stage::Decolorize),
        Just(Stage::Regexp("(?P<a>\\d+)".to_owned())),
        Just(Stage::Pattern("<a> \"<_>".to_owned())),
        template.prop_map(Stage::LineFormat),
        proptest::collection::vec((name(), format), 1..3).prop_map(Stage::LabelFormat),
        picks().prop_map(Stage::Drop),
        picks().prop_map(Stage::Keep),
        proptest::collection::vec(name(), 1..3).prop_map(Stage::Distinct),
    ]
}

fn log_query() -> impl Strategy<Value = LogQuery> {
    let selector = proptest::collection::vec(matcher(), 0..3);
    let stages = proptest::collection::vec(stage().boxed(), 0..4);
    (selector, stages).prop_map(|(selector, mut stages)| {
        let mut after_name = false;
        stages.retain(|stage| !(std::mem::replace(&mut after_name, ends_in_name(stage)) && may_go_on(stage)));
        LogQuery { selector, stages }
    })
}

/// What follows may be read as the condition of its last label: `keep a != "b"`.
fn ends_in_name(stage: &Stage) -> bool {
    match stage {
        Stage::Drop(picks) | Stage::Keep(picks) => picks.last().is_some_and(|pick| pick.condition.is_none()),
        _ => false,
    }
}

fn may_go_on(stage: &Stage) -> bool {
    let goes_on = |op: LineOp| matches!(op.symbol(), "!=" | "!~");
    matches!(stage, Stage::Line(filter) if goes_on(filter.op))
}

fn grouping() -> impl Strategy<Value = Grouping> {
    let kind = prop_oneof![Just(GroupingKind::By), Just(GroupingKind::Without)];
    (kind, proptest::collection::vec(name(), 0..3)).prop_map(|(kind, labels)| Grouping { kind, labels })
}

fn range() -> impl Strategy<Value = Metric> {
    use RangeFunction::{Absent, Avg, Bytes, Count, Quantile, Rate, Sum};
    let conversion =
        prop_oneof![Just(Conversion::Number), Just(Conversion::Duration), Just(Conversion::Bytes)];
    let unwrap = (name(), conversion, proptest::collection::vec(label_filter(), 0..2))
        .prop_map(|(label, conversion, filters)| Unwrap { label, conversion, filters })
        .boxed();
    let of_records = prop_oneof![Just(Count), Just(Rate), Just(Bytes), Just(Absent)]
        .prop_map(|function| (function, None, None));
    let of_numbers =
        (prop_oneof![Just(Avg), Just(Quantile(0.99))], unwrap.clone(), proptest::option::of(grouping()))
            .prop_map(|(function, unwrap, grouping)| (function, Some(unwrap), grouping));
    let summed = unwrap.prop_map(|unwrap| (Sum, Some(unwrap), None));
    let spans = (1i64..100_000_000_000_000, -1_000_000_000_000i64..1_000_000_000_000);
    (log_query(), prop_oneof![of_records, of_numbers, summed], spans).prop_map(
        |(mut query, (function, unwrap, grouping), (range, offset))| {
            let position = Position(0);
            query.stages.retain(|stage| !matches!(stage, Stage::Distinct(_)));
            Metric::Range(Box::new(RangeAggregation {
                function,
                query,
                unwrap,
                range,
                offset,
                grouping,
                position,
            }))
        },
    )
}

fn metric() -> impl Strategy<Value = Metric> {
    let leaf = prop_oneof![2 => range().boxed(), 1 => number().prop_map(Metric::Vector)].boxed();
    leaf.prop_recursive(3, 8, 2, |inner| {
        let function = prop_oneof![
            Just(VectorFunction::Sum),
            Just(VectorFunction::Avg),
            Just(VectorFunction::Topk(3)),
            Just(VectorFunction::ApproxTopk(3)),
            Just(VectorFunction::SortDesc)
        ];
        let aggregation = (function, proptest::option::of(grouping()), inner.clone()).prop_map(
            |(function, grouping, inner)| {
                let grouping = grouping.filter(|_| function.allows_grouping());
                Metric::Aggregation(Box::new(VectorAggregation { function, grouping, inner }))
            },
        );
        let op = prop_oneof![
            Just(BinaryOp::Add),
            Just(BinaryOp::Power),
            Just(BinaryOp::Unless),
            comparison().prop_map(BinaryOp::Filter),
            comparison().prop_map(BinaryOp::Bool),
        ];
        let kind = prop_oneof![Just(MatchingKind::On), Just(MatchingKind::Ignoring)];
        let side = prop_oneof![Just(Side::Left), Just(Side::Right)];
        let many = (side, proptest::collection::vec(name(), 0..3))
            .prop_map(|(side, taken_over)| Many { side, taken_over });
        let matching = (kind, proptest::collection::vec(name(), 0..3), proptest::option::of(many))
            .prop_map(|(kind, labels, many)| Matching { kind, labels, many });
        let binary = (op, proptest::option::of(matching), inner.clone(), inner.clone()).prop_map(
            |(op, matching, left, right)| {
                let keeps_one = |matching: Matching| Matching {
                    many: matching.many.filter(|_| !BinaryOp::is_set(op)),
                    ..matching
                };
                let matching = matching.map(keeps_one);
                Metric::Binary(Box::new(Binary { op, matching, left, right }))
            },
        );
        let with_number = (inner.clone(), number(), comparison()).prop_map(|(left, number, comparison)| {
            let (op, matching) = (BinaryOp::Filter(comparison), None);
            Metric::Binary(Box::new(Binary { op, matching, left, right: Metric::Number(number) }))
        });
        let replaced = (inner, text(), text(), text(), regex()).prop_map(
            |(inner, target, replacement, source, regex)| {
                Metric::LabelReplace(Box::new(LabelReplace { inner, target, replacement, source, regex }))
            },
        );
        prop_oneof![aggregation.boxed(), binary.boxed(), with_number.boxed(), replaced.boxed()]
    })
}

proptest! {
    #[test]
    fn a_tree_that_is_printed_reads_back(expr in prop_oneof![
        log_query().prop_map(Expr::Log),
        metric().prop_map(Expr::Metric),
    ]) {
        let printed = expr.to_string();
        match parse(&printed) {
            Ok(again) => prop_assert_eq!(again, expr, "{}", printed),
            Err(error) => prop_assert!(false, "{}: {}", printed, error.with_place(&printed)),
        }
    }
}
