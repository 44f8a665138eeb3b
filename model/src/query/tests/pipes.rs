//! What stages, sets and regular expressions are read as.

use super::super::pipeline::{Direction, Function, GroupKey, SortKey, Statistic, Top};
use super::super::*;

fn query(text: &str) -> Query {
    match parse(text) {
        Ok(query) => query,
        Err(error) => panic!("{}", error.with_caret(text)),
    }
}

fn only_stage(text: &str) -> Stage {
    let query = query(text);
    assert_eq!(query.stages.len(), 1, "{text}");
    query.stages.into_iter().next().unwrap()
}

/// One text for what may be typed in several ways.
fn printed(text: &str) -> String {
    query(text).to_string()
}

#[test]
fn what_may_be_typed_in_several_ways_is_printed_in_one() {
    for (typed, expected) in [
        ("", ""),
        ("| stats count()", "* | stats count()"),
        ("a|limit 5|offset 2", "a | limit 5 | offset 2"),
        ("* | STATS Count() AS n BY service", "* | stats count() as n by service"),
        ("* | stats count() by (service, time(60s))", "* | stats count() by service, time(1m)"),
        ("* | stats count() as n if (level:error)", "* | stats count() if (level:error) as n"),
        ("* | stats count()as n,max( x )by y", "* | stats count() as n, max(x) by y"),
        ("* | stats median(x), p50(y)", "* | stats p50(x) as median_x, p50(y)"),
        ("* | stats p99.90(x) as p99.9_x", "* | stats p99.9(x)"),
        ("* | stats sum(\"my field\") by \"by\", \"5\"", "* | stats sum(\"my field\") by \"by\", \"5\""),
        ("* | top service", "* | top 10 service by count()"),
        ("* | top 3 a, b by sum(c) as d", "* | top 3 a, b by sum(c) as d"),
        ("* | sort by a desc, b asc", "* | sort a desc, b"),
        ("* | patterns", "* | patterns 10"),
        ("* | fields -b, a, http.*", "* | fields a, http.*, -b"),
        ("* | context 0003-00000000001a", "* | context 0003-00000000001a before 10 after 10 by service"),
        (
            "* | context 0003-00000000001a by trace_id after 3",
            "* | context 0003-00000000001a before 10 after 3 by trace_id",
        ),
        ("* | where n>10 AND m != \"a b\"", "* | where n:>10 NOT m:\"a b\""),
        ("* | where (n >= -1 OR n == 5) -x:y", "* | where (n:>=-1 OR n:5) NOT x:y"),
        ("* | where n = in(a, b)", "* | where n:in(a, b)"),
        ("* | where n = * m == /a/i", "* | where n:* m:/a/i"),
        ("* | where timeout", "* | where timeout"),
        ("x:in(a)", "x:a"),
        ("x:IN(a,\"b c\", d)", "x:in(a, \"b c\", d)"),
        ("x:(in(a, b) -c)", "x:in(a, b) NOT x:c"),
        ("level:in(error, fatal)", "level:error OR level:fatal"),
        ("message:in(a, b)", "a OR b"),
        ("message:/a b/", "/a b/"),
        ("url:http://a/b?c=d", "url:http://a/b?c=d"),
        ("a:-5", "a:-5"),
    ] {
        assert_eq!(printed(typed), expected, "{typed}");
        assert_eq!(query(expected), query(typed), "{expected}");
    }
}

#[test]
fn slashes_are_a_regular_expression_or_a_path() {
    let regex = |pattern: &str, case| Test::Matches(Regex::new(pattern, case).unwrap());
    let filter = |text: &str| query(text).filter;
    let message = |test| Expression::field("message", test);
    assert_eq!(filter("/time(out|d)/"), message(regex("time(out|d)", LetterCase::Counts)));
    assert_eq!(filter("/a b|c \"/i"), message(regex("a b|c \"", LetterCase::Ignored)));
    assert_eq!(
        filter(r"url:/^\/api\/v\d+$/"),
        Expression::field("url", regex(r"^\/api\/v\d+$", LetterCase::Counts))
    );
    assert_eq!(
        filter("url:(/a/ OR -/b/i)"),
        Expression::any_of([
            Expression::field("url", regex("a", LetterCase::Counts)),
            Expression::field("url", regex("b", LetterCase::Ignored)).negated()
        ])
    );
    let word = |text: &str| Expression::Message(Text::Exact(text.to_owned()));
    for path in ["/api/users", "/", "//", "/health", "/var/log/app.log", "a/b/", "/x/g"] {
        assert_eq!(filter(path), word(path), "{path}");
    }
    assert_eq!(filter("\"/api/\""), word("/api/"));
    assert_eq!(filter("url:/api/users"), Expression::field_is("url", "/api/users"));
}

#[test]
fn stages_are_read_into_their_parts() {
    let Stage::Stats(stats) =
        only_stage("error | stats count() as n, p99.9(latency_ms), rate() by service, time(5m) as t")
    else {
        panic!("no stats")
    };
    assert_eq!(stats.columns(), ["service", "t", "n", "p99.9_latency_ms", "rate"]);
    assert_eq!(stats.groups[1].key, GroupKey::Time(TimeSpan::parse("5m").unwrap()));
    let Function::Of(Statistic::Quantile(quantile), field) = &stats.aggregates[1].function else {
        panic!("no quantile")
    };
    assert_eq!((quantile.fraction(), field.as_str()), (0.999, "latency_ms"));
    let Stage::Top(Top { rows, fields, by }) = only_stage("* | top 3 a, b by sum(c)") else {
        panic!("no top")
    };
    assert_eq!((rows, fields.len(), by.column.as_str()), (3, 2, "sum_c"));
    let key = |column: &str, direction| SortKey { column: column.to_owned(), direction };
    assert_eq!(
        only_stage("* | sort n desc, service"),
        Stage::Sort(vec![key("n", Direction::Descending), key("service", Direction::Ascending)])
    );
}

#[test]
fn the_columns_of_the_answer_are_known_beforehand() {
    let columns = |text: &str| query(text).output().columns().map(<[String]>::to_vec);
    assert_eq!(query("error").output(), Output::Records);
    assert_eq!(query("error | where a > 5 | sort b | limit 5 | sample 2").output(), Output::Records);
    assert_eq!(columns("* | stats count() by a | fields count, a").unwrap(), ["count", "a"]);
    assert_eq!(columns("* | stats count(), max(x), min(x) by a | fields m*, -min_x").unwrap(), ["max_x"]);
    assert_eq!(columns("* | uniq by a, b | sort b").unwrap(), ["a", "b"]);
    assert_eq!(columns("* | patterns 5 | fields pattern, count").unwrap(), ["pattern", "count"]);
    assert_eq!(query("* | fields -a").output(), Output::Table(None));
}
