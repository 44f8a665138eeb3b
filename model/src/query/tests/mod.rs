//! The language as a whole: what queries mean, that printing and parsing agree, that nothing panics.

mod errors;
mod pipes;
mod printing;
mod trees;

use super::*;
use crate::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX};

fn parsed(text: &str) -> Expression {
    match parse(text) {
        Ok(query) => query.filter,
        Err(error) => panic!("{}", error.with_caret(text)),
    }
}

fn refused(text: &str) -> QueryError {
    match parse(text) {
        Ok(query) => panic!("{text} was taken as {query:?}"),
        Err(error) => error,
    }
}

fn word(text: &str) -> Expression {
    Expression::Message(Text::Exact(text.to_owned()))
}

fn is(name: &str, value: &str) -> Expression {
    Expression::field_is(name, value)
}

#[test]
fn words_phrases_and_fields_are_told_apart() {
    assert_eq!(parsed(""), Expression::All);
    assert_eq!(parsed("  * "), Expression::All);
    assert_eq!(parsed("timeout"), word("timeout"));
    assert_eq!(parsed("10.0.0.1"), word("10.0.0.1"));
    assert_eq!(parsed("\"read timeout\""), word("read timeout"));
    assert_eq!(parsed(r#""say \"hi\" \\ \n""#), word(r#"say "hi" \ \n"#));
    assert_eq!(parsed("message:timeout"), word("timeout"));
    assert_eq!(parsed("userId:1932"), is("userId", "1932"));
    assert_eq!(parsed("city:\"New York\""), is("city", "New York"));
    assert_eq!(parsed("\"my field\":x"), is("my field", "x"));
    assert_eq!(parsed("url:http://a/b?c=d"), is("url", "http://a/b?c=d"));
    assert_eq!(parsed("host:*"), Expression::field("host", Test::Exists));
    assert_eq!(parsed("[ERROR]"), word("[ERROR]"));
    assert_eq!(parsed("a - b"), Expression::all_of([word("a"), word("-"), word("b")]));
}

#[test]
fn comparisons_ranges_and_sets_are_read() {
    let field = |test| Expression::field("n", test);
    assert_eq!(parsed("n:>500"), field(Test::Compare(Comparison::Greater, "500".into())));
    assert_eq!(parsed("n:<= -5"), field(Test::Compare(Comparison::LessOrEqual, "-5".into())));
    assert_eq!(
        parsed("n:[1 TO 5}"),
        field(Test::Between(RangeEnd::Included("1".into()), RangeEnd::Excluded("5".into())))
    );
    assert_eq!(parsed("n:{* TO *]"), field(Test::Between(RangeEnd::Open, RangeEnd::Open)));
    assert_eq!(parsed("n:(1 OR 2)"), Expression::any_of([is("n", "1"), is("n", "2")]));
    assert_eq!(parsed("n:(a -b) x"), Expression::all_of([is("n", "a"), is("n", "b").negated(), word("x")]));
    assert_eq!(parsed("n:~timeout"), field(Test::Contains(Text::Exact("timeout".into()))));
    assert_eq!(parsed("pay*"), Expression::Message(Text::Wildcard(vec!["pay".into(), "".into()])));
    assert_eq!(parsed("a**b"), Expression::Message(Text::Wildcard(vec!["a".into(), "b".into()])));
    assert_eq!(parsed(r"a\*b\ c"), word("a*b c"));
}

#[test]
fn not_binds_before_and_before_or() {
    let (a, b, c) = (word("a"), word("b"), word("c"));
    assert_eq!(
        parsed("a OR -b c"),
        Expression::any_of([a.clone(), Expression::all_of([b.clone().negated(), c.clone()])])
    );
    assert_eq!(parsed("a AND b c"), Expression::all_of([a.clone(), b.clone(), c.clone()]));
    assert_eq!(
        parsed("(a OR b) NOT c"),
        Expression::all_of([Expression::any_of([a.clone(), b.clone()]), c.clone().negated()])
    );
    assert_eq!(parsed("!a"), a.negated());
    assert_eq!(parsed("and or not"), Expression::all_of([word("and"), word("or"), word("not")]));
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, position, reason) in [
        ("a (b", 2, "never closed"),
        ("a)", 1, "never opened"),
        ("a OR", 4, "expected a word"),
        ("OR a", 0, "expected a word"),
        ("a AND OR b", 6, "expected a word"),
        ("()", 1, "expected a word"),
        ("x:()", 3, "expected a value"),
        ("Error: no", 6, "expected a value after `Error:`"),
        ("größe \"b", 8, "never closed"),
        ("n:[1 5]", 5, "expected TO"),
        ("n:[1 TO 5", 9, "expected `]`"),
        ("n:>", 3, "expected a value"),
        ("n:>5*", 3, "no wildcards"),
        ("a*:5", 0, "no wildcards"),
        (":5", 0, "name of a field"),
        ("level:loud", 6, "is no level"),
        ("\"\"", 0, "empty"),
    ] {
        let error = refused(text);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
        assert_eq!(error.position, position, "{text}: {}", error.reason);
    }
    assert_eq!(refused("n:>").with_caret("n:>"), "n:>\n   ^\nexpected a value to compare with");
}

#[test]
fn length_depth_and_terms_are_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parsed(&nested(QUERY_DEPTH_MAX)), word("a"));
    assert!(refused(&nested(QUERY_DEPTH_MAX + 1)).reason.contains("deeper"));
    assert!(refused(&"-".repeat(QUERY_DEPTH_MAX + 2)).reason.contains("deeper"));
    let terms = |count: usize| "a ".repeat(count);
    assert!(parse(&terms(QUERY_TERMS_MAX)).is_ok());
    assert!(refused(&terms(QUERY_TERMS_MAX + 1)).reason.contains("terms"));
    assert!(refused(&"ü".repeat(QUERY_BYTES_MAX)).reason.contains("bytes"));
}
