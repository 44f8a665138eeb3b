//! Wrong queries, what is said about them, and where the caret stands.

use super::super::*;

/// Query, a caret under the place, and a part of the reason.
const WRONG: &[(&str, &str, &str)] = &[
    // Filters.
    ("a (b", "  ^", "this parenthesis is never closed: expected `)`"),
    ("a)", " ^", "never opened: expected a condition, `|` or the end"),
    ("größe \"b", "      ^", "this quote is never closed: expected `\"`"),
    ("latency_ms > 500", "           ^", "`>` compares nothing here: expected field:>value"),
    ("latency_ms = 500", "           ^", "expected field:value"),
    ("level:loud x", "      ^", "\"loud\" is no level: use TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
    ("level:/err/", "      ^", "a level is no text"),
    ("created_at:>2026-01-01", "           ^", "use timestamp"),
    // Regular expressions.
    ("x /time(out/", "       ^", "the regular expression cannot be read: unclosed group"),
    ("host:/web-[0-9/", "          ^", "unclosed character class"),
    ("/(?=x)/i", " ^", "look-around"),
    ("x:/a{9999}/", "   ^", "too large"),
    // Sets.
    ("x:in()", "     ^", "expected a value of the set here"),
    ("x:in(a b)", "       ^", "expected `,` or `)`; a value with spaces goes in quotes"),
    ("x:in(a, b", "  ^", "this set is never closed: expected `)`"),
    ("x:in(a,)", "       ^", "expected a value of the set"),
    ("x:in(a*, b)", "     ^", "a set has no wildcards"),
    ("level:in(error, loud)", "                ^", "is no level"),
    // Times.
    ("timestamp:15m", "          ^", "write timestamp:-15m for the last 15m"),
    ("timestamp:[2026-01-32 TO *]", "          ^", "is no timestamp: expected a date (2026-01-31)"),
    ("timestamp:2026*", "          ^", "expected a moment or a range"),
    // Stages.
    ("error |", "       ^", "expected a stage behind `|`: one of stats, where, sort"),
    ("error | | limit 5", "        ^", "expected a stage behind `|`"),
    ("error | stat count()", "        ^", "there is no stage \"stat\"; did you mean stats?"),
    ("error | group by x", "        ^", "there is no stage \"group\"; expected one of"),
    ("(error | limit 5)", "       ^", "pipes cannot stand inside parentheses: expected `)`"),
    ("* | limit 5 5", "            ^", "expected `|` and another stage, or the end"),
    // Stats.
    ("* | stats", "         ^", "expected a function: count, rate, sum"),
    ("* | stats count", "               ^", "expected `()` after count"),
    ("* | stats cuont()", "          ^", "there is no function \"cuont\"; expected count"),
    ("* | stats coumt()", "          ^", "did you mean count?"),
    ("* | stats p100(x)", "          ^", "a quantile lies between p0 and p100"),
    ("* | stats p99.99999(x)", "          ^", "at most four digits"),
    (
        "* | stats count(x)",
        "                ^",
        "count looks at no field: expected `)`; for the records that have a field, count() if (field:*)",
    ),
    ("* | stats avg()", "              ^", "expected the name of a field here"),
    ("* | stats avg", "             ^", "expected a field in parentheses, as in avg(latency_ms)"),
    ("* | stats sum(a, b)", "               ^", "expected `)`: a function looks at one field"),
    ("* | stats sum(a*)", "              ^", "no wildcards"),
    ("* | stats count(), count() by x", "                   ^", "two columns would have the name \"count\""),
    (
        "* | stats count() as x by x",
        "                          ^",
        "two columns would have the name \"x\": expected `as`",
    ),
    ("* | stats count() as level", "                     ^", "every record has a field level"),
    ("* | stats count() by", "                    ^", "expected the name of a field"),
    ("* | stats count() by x,", "                       ^", "expected the name of a field"),
    ("* | stats count() by desc", "                     ^", "`desc` means something here"),
    (
        "* | stats count() by time(0s)",
        "                          ^",
        "expected a length of time of 1ms or more",
    ),
    (
        "* | stats count() by time(5)",
        "                          ^",
        "expected a length of time, as in time(5m)",
    ),
    (
        "* | stats count() by time(5m",
        "                            ^",
        "expected `)` after the length of time",
    ),
    ("* | stats count() by (x, y", "                     ^", "never closed: expected `,` or `)`"),
    ("* | stats count() if level:error", "                     ^", "expected a filter in parentheses"),
    ("* | stats count() if (level:loud)", "                            ^", "is no level"),
    ("* | stats count() foo", "                  ^", "expected `,`, `if`, `as`, `by`, `|` or the end"),
    ("* | stats count() by x foo", "                       ^", "expected `,`, `as`, `|` or the end"),
    // Conditions on columns.
    (
        "* | stats count() as n | where m > 5",
        "                               ^",
        "there is no column \"m\" here; did you mean n?; expected one of n",
    ),
    (
        "* | stats count() by service | where servise = a",
        "                                     ^",
        "did you mean service?",
    ),
    (
        "* | stats count() as n | where n",
        "                                ^",
        "expected a comparison, as in n > 10 or n:value; the columns are n",
    ),
    (
        "* | stats count() as n | where n >",
        "                                  ^",
        "expected a value to compare with",
    ),
    (
        "* | stats count() as n | where",
        "                              ^",
        "expected a word, a \"phrase\" or field:value here",
    ),
    ("* | where level > loud", "                  ^", "is no level"),
    // The other stages.
    ("* | sort", "        ^", "expected the name of a field"),
    ("* | sort n up", "           ^", "expected `|` and another stage, or the end"),
    ("* | limit", "         ^", "expected the number of rows here, from 1 to 10000"),
    ("* | limit 0", "          ^", "from 1 to 10000"),
    ("* | limit -1", "          ^", "from 1 to 10000"),
    ("* | limit 99999999999", "          ^", "from 1 to 10000"),
    ("* | offset 100001", "           ^", "from 0 to 100000"),
    ("* | sample", "          ^", "expected the number of records"),
    ("* | top", "       ^", "expected the name of a field"),
    ("* | top 5 a by avg(x)", "            ^", "top orders by count() or sum(field)"),
    ("* | top 5 count", "               ^", "two columns would have the name \"count\""),
    ("* | uniq service", "         ^", "expected `by` and a field"),
    ("* | uniq by a, a", "               ^", "is here twice"),
    ("* | fields a, -a", "              ^", "is here twice"),
    ("* | fields -*", "           ^", "no field would be left"),
    ("* | fields a | where b = 1", "                     ^", "there is no column \"b\" here"),
    ("* | context 17", "            ^", "expected a log id, as in context 0003-00000000001a"),
    (
        "* | context 0003-00000000001a before 5 before 6",
        "                                       ^",
        "each at most once",
    ),
    ("* | context 0003-00000000001a after 1001", "                                    ^", "from 0 to 1000"),
    // Order.
    ("* | limit 5 | context 0003-00000000001a", "              ^", "expected it as the first stage"),
    (
        "* | stats count() | stats count()",
        "                    ^",
        "the stage before it gives a table: expected stats before it",
    ),
    ("* | fields a | top a", "               ^", "expected top before it"),
    ("* | uniq by a | patterns", "                ^", "expected patterns before it"),
];

#[test]
fn every_wrong_query_is_explained_at_its_place() {
    let mut faults = Vec::new();
    for (text, caret, reason) in WRONG {
        match parse(text) {
            Ok(query) => faults.push(format!("{text}\n  was taken as {query}")),
            Err(error) => {
                let shown = error.with_caret(text);
                let mut lines = shown.lines();
                let (first, second) = (lines.next(), lines.next());
                if first != Some(*text) || second != Some(*caret) || !error.reason.contains(reason) {
                    faults.push(format!("{shown}\n  expected\n{text}\n{caret}\n{reason}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

#[test]
fn where_only_records_can_be_answered_a_pipe_is_explained() {
    assert_eq!(parse_filter("a OR b"), parse("a OR b").map(|query| query.filter));
    let error = parse_filter("a OR b | stats count()").unwrap_err();
    assert_eq!(error.position, 7);
    assert!(error.reason.contains("expected a filter alone") && error.reason.contains("POST /api/query"));
    assert!(parse_filter("a)").unwrap_err().reason.contains("never opened"));
}

#[test]
fn numbers_of_things_are_bounded() {
    use crate::limits::{
        QUERY_AGGREGATES_MAX, QUERY_FIELDS_MAX, QUERY_SET_VALUES_MAX, QUERY_STAGES_MAX, QUERY_TERMS_MAX,
    };
    let reason = |text: &str| parse(text).unwrap_err().reason;
    let repeated = |piece: &str, times: usize| vec![piece; times].join(",");
    let numbered = |times: usize| (0..times).map(|at| format!("f{at}")).collect::<Vec<_>>().join(",");
    assert!(parse(&format!("x:in({})", repeated("a", QUERY_SET_VALUES_MAX))).is_ok());
    assert!(
        reason(&format!("x:in({})", repeated("a", QUERY_SET_VALUES_MAX + 1))).contains("at most 1000 values")
    );
    assert!(
        reason(&format!("log_id:in({})", repeated("0003-00000000001a", QUERY_TERMS_MAX + 1)))
            .contains("terms")
    );
    assert!(reason(&format!("*{}", "| limit 5".repeat(QUERY_STAGES_MAX + 1))).contains("at most 32 stages"));
    let aggregates: Vec<String> = (0..=QUERY_AGGREGATES_MAX).map(|at| format!("sum(f{at})")).collect();
    assert!(reason(&format!("* | stats {}", aggregates.join(","))).contains("at most 32 aggregates"));
    assert!(parse(&format!("* | sort {}", numbered(QUERY_FIELDS_MAX))).is_ok());
    assert!(reason(&format!("* | sort {}", numbered(QUERY_FIELDS_MAX + 1))).contains("at most 64 fields"));
    let terms = "a ".repeat(QUERY_TERMS_MAX);
    assert!(reason(&format!("{terms} | where b:1")).contains("terms"), "stages share the bound");
}
