//! Queries read, printed and read again; what is refused, and where; and texts that are no queries at all.

mod trees;

use super::*;

/// What is typed, and how it is printed.
const GOOD: [(&str, &str); 42] = [
    ("{}", "{}"),
    ("{ app = \"a\", b!~`c|d` ,}", "{app=\"a\", b!~\"c|d\"}"),
    ("{a=\"b\"} |= \"x\" != `y` |~ \"z+\" !~ `w`", "{a=\"b\"} |= \"x\" != \"y\" |~ \"z+\" !~ \"w\""),
    ("{a=\"b\"} |= \"x\" or \"y\"", "{a=\"b\"} |= \"x\" or \"y\""),
    ("{a=\"b\"} |> `<_> x`", "{a=\"b\"} |> \"<_> x\""),
    ("({a=\"b\"} | json)", "{a=\"b\"} | json"),
    ("{a=\"b\"} | json x, y=\"z[0].w\"", "{a=\"b\"} | json x=\"x\", y=\"z[0].w\""),
    ("{a=\"b\"} | logfmt --strict --keep-empty", "{a=\"b\"} | logfmt"),
    ("{a=\"b\"} | s >= 500 and m=\"GET\" or d > 1m30s", "{a=\"b\"} | s >= 500 and m=\"GET\" or d > 1m30s"),
    ("{a=\"b\"} | s = 5, t = `u`", "{a=\"b\"} | s == 5 and t=\"u\""),
    ("{a=\"b\"} | (x > 10KB or y < -1.5)", "{a=\"b\"} | x > 10000B or y < -1.5"),
    ("{json=\"b\"} | json != \"x\"", "{json=\"b\"} | json != \"x\""),
    ("{a=\"b\"} | line_format \"{{.x}}\"", "{a=\"b\"} | line_format \"{{.x}}\""),
    ("{a=\"b\"} | label_format x=y, z=\"{{.w}}\"", "{a=\"b\"} | label_format x=y, z=\"{{.w}}\""),
    ("{a=\"b\"} | drop __error__, x=~\"y\"", "{a=\"b\"} | drop __error__, x=~\"y\""),
    ("{a=\"b\"} | keep x | decolorize | unpack", "{a=\"b\"} | keep x | decolorize | unpack"),
    ("{a=\"b\"} | regexp `(?P<x>\\d+)`", "{a=\"b\"} | regexp \"(?P<x>\\\\d+)\""),
    ("{a=\"b\"} | pattern `<x> <_>`", "{a=\"b\"} | pattern \"<x> <_>\""),
    ("count_over_time({a=\"b\"}[1m])", "count_over_time({a=\"b\"} [1m])"),
    ("rate({a=\"b\"} |= `x` [90s] offset 1h)", "rate({a=\"b\"} |= \"x\" [1m30s] offset 1h)"),
    ("rate(({a=\"b\"} | json)[5m])", "rate({a=\"b\"} | json [5m])"),
    ("rate(({a=\"b\"}[5m] | json))", "rate({a=\"b\"} | json [5m])"),
    ("sum(rate({a=\"b\"}[5m])) by (x, y)", "sum by (x, y) (rate({a=\"b\"} [5m]))"),
    ("sum by () (rate({a=\"b\"}[5m]))", "sum by () (rate({a=\"b\"} [5m]))"),
    (
        "topk(3, sum without (x) (bytes_rate({a=\"b\"}[1d])))",
        "topk(3, sum without (x) (bytes_rate({a=\"b\"} [1d])))",
    ),
    (
        "quantile_over_time(0.95, {a=\"b\"} | unwrap duration(x) | __error__=\"\" [5m]) by (y)",
        "quantile_over_time(0.95, {a=\"b\"} | unwrap duration(x) | __error__=\"\" [5m]) by (y)",
    ),
    (
        "sum_over_time({a=\"b\"} | json | unwrap bytes(x) [5m])",
        "sum_over_time({a=\"b\"} | json | unwrap bytes(x) [5m])",
    ),
    ("vector(1)+vector(1)", "vector(1) + vector(1)"),
    ("(1 + (2 * 3 ^ 2 ^ 2)) - (4 - 5)", "1 + 2 * 3 ^ 2 ^ 2 - (4 - 5)"),
    ("-1.5e3 - -2", "-1500 - -2"),
    ("vector(1) > bool 0 == 1", "vector(1) > bool 0 == 1"),
    (
        "rate({a=\"b\"}[1m]) / on (x) rate({}[1m]) unless ignoring (y) rate({}[1m])",
        "rate({a=\"b\"} [1m]) / on (x) rate({} [1m]) unless ignoring (y) rate({} [1m])",
    ),
    (
        "label_replace(rate({a=\"b\"}[1m]), \"x\", \"$1\", \"a\", \"(.*)\")",
        "label_replace(rate({a=\"b\"} [1m]), \"x\", \"$1\", \"a\", \"(.*)\")",
    ),
    ("{a=\"b\"} |= ip(`10.0.0.0/8`) or ip(\"::1\")", "{a=\"b\"} |= ip(\"10.0.0.0/8\") or ip(\"::1\")"),
    ("{a=\"b\"} != ip(\"10.0.0.1-10.0.0.9\")", "{a=\"b\"} != ip(\"10.0.0.1-10.0.0.9\")"),
    (
        "{a=\"b\"} | x=ip(\"10.0.0.1\") or y != ip(\"::/0\")",
        "{a=\"b\"} | x = ip(\"10.0.0.1\") or y != ip(\"::/0\")",
    ),
    ("{ip=\"b\"} | json | distinct x,y", "{ip=\"b\"} | json | distinct x, y"),
    ("sort_desc(sort(rate({a=\"b\"}[1m])))", "sort_desc(sort(rate({a=\"b\"} [1m])))"),
    ("approx_topk(5, rate({a=\"b\"}[1m]))", "approx_topk(5, rate({a=\"b\"} [1m]))"),
    (
        "rate({a=\"b\"}[1m]) / on(x) group_left(y, z) rate({}[1m])",
        "rate({a=\"b\"} [1m]) / on (x) group_left (y, z) rate({} [1m])",
    ),
    (
        "vector(1) == bool ignoring(x) group_right vector(2)",
        "vector(1) == bool ignoring (x) group_right () vector(2)",
    ),
    ("# a note\nabsent_over_time({a=\"b\"}[1m]) # another", "absent_over_time({a=\"b\"} [1m])"),
];

/// What is refused, the byte that is pointed at, and a part of the reason.
const BAD: [(&str, usize, &str); 42] = [
    ("", 0, "the query ends here"),
    ("{a=\"b\"", 6, "expected `,`"),
    ("{a}", 2, "expected =, !=, =~ or !~"),
    ("{a=b}", 3, "a value in quotes"),
    ("{a=~\"(\"}", 4, "regular expression"),
    ("{a=\"b\"} |= x", 11, "what is looked for in quotes"),
    ("{a=\"b\"} |= ip(\"10.0.0.0/33\")", 14, "expected an address"),
    ("{a=\"b\"} |~ ip(\"10.0.0.1\")", 11, "behind |= and != alone"),
    ("{a=\"b\"} |= ip(\"10.0.0.1\") or \"x\"", 29, "filters of their own"),
    ("{a=\"b\"} |= \"x\" or ip(\"10.0.0.1\")", 18, "in quotes"),
    ("{a=\"b\"} | x =~ ip(\"10.0.0.1\")", 15, "behind = and != alone"),
    ("{a=\"b\"} | jsn", 10, "there is no stage \"jsn\""),
    ("{a=\"b\"} | distinct", 18, "a label's name"),
    ("{a=\"b\"} | variants", 10, "variants is not supported"),
    ("count_over_time({a=\"b\"} | distinct x [5m])", 0, "distinct is of records"),
    ("sort by (x) (rate({a=\"b\"}[5m]))", 5, "sort has no by"),
    ("approx_topk(2, rate({a=\"b\"}[5m])) without (x)", 34, "approx_topk has no by"),
    ("rate({}[5m]) and on (x) group_left rate({}[5m])", 13, "no group_left"),
    ("rate({}[5m]) / group_left rate({}[5m])", 15, "group_left stands behind on"),
    ("rate_counter({a=\"b\"} | unwrap x [5m])", 0, "rate_counter is not supported"),
    ("{a=\"b\"} | x >", 13, "expected a number"),
    ("{a=\"b\"} | x > 5q", 14, "expected a number"),
    ("{a=\"b\"} | x =~ 5", 15, "regular expression in quotes"),
    ("{a=\"b\"} | line_format \"{{if .x}}\"", 24, "expected {{.label}}"),
    ("{a=\"b\"} | line_format \"{{if .x}}\"", 24, "do not support `if`"),
    ("{a=\"b\"} | line_format `{{printf \"%s\" .x}}`", 24, "do not support `printf`"),
    ("{a=\"b\"} | line_format `{{regexReplaceAll \"(\" .x \"y\"}}`", 24, "no regular expression"),
    ("{a=\"b\"} | regexp \"x\"", 17, "named group"),
    ("{a=\"b\"} | pattern \"<x><y>\"", 18, "text between"),
    ("{a=\"b\"}[5m]", 7, "inside a function"),
    ("rate({a=\"b\"})", 12, "expected `[`"),
    ("rate({a=\"b\"}[5])", 13, "a length of time"),
    ("rate({a=\"b\"}[0s])", 13, "a length of time"),
    ("rate({a=\"b\"}[5m]) by (x)", 18, "rate has no by"),
    ("sum_over_time({a=\"b\"}[5m])", 0, "expected | unwrap"),
    ("count_over_time({a=\"b\"} | unwrap x [5m])", 0, "counts records"),
    ("quantile_over_time(95, {a=\"b\"} | unwrap x [5m])", 19, "between 0 and 1"),
    ("topk(0, rate({a=\"b\"}[5m]))", 5, "a whole number"),
    ("nosuch(1)", 0, "there is no function \"nosuch\""),
    ("1 > 2", 2, "needs bool"),
    ("vector(1) and 2", 10, "joins series"),
    ("{a=\"b\"} ; drop", 8, "means nothing here"),
];

#[test]
fn what_is_printed_is_what_was_typed_and_reads_back() {
    for (typed, printed) in GOOD {
        let expr = parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        assert_eq!(expr.to_string(), printed, "{typed}");
        assert_eq!(parse(printed).unwrap_or_else(|error| panic!("{printed}: {error}")), expr, "{typed}");
    }
}

#[test]
fn refusals_say_where_and_why() {
    for (typed, position, reason) in BAD {
        let error = parse(typed).expect_err(typed);
        assert!(error.reason.contains(reason), "{typed}: {}", error.reason);
        assert_eq!(error.position, position, "{typed}: {}", error.reason);
    }
}

#[test]
fn only_records_are_records() {
    assert!(parse_log("{a=\"b\"} | json").is_ok());
    assert!(parse_log("rate({a=\"b\"}[1m])").is_err());
}
