//! What is pushed, in our own language, and how much is left.

use insighthub_model::query::Query;

use super::*;
use crate::logql::parse_log;

fn pushed(text: &str) -> (String, usize) {
    let Pushed { filter, rest } = push(&parse_log(text).unwrap_or_else(|error| panic!("{text}: {error}")));
    let printed = Query::of(filter).to_string();
    (if printed.is_empty() { "*".to_owned() } else { printed }, rest.len())
}

#[test]
fn what_records_can_be_asked_is_asked_of_them() {
    for (text, filter) in [
        ("{}", "*"),
        ("{service_name=\"a\"}", "service:a service:/^a$/"),
        ("{service=~\".+\"}", "*"),
        ("{service_name!=\"a\"}", "NOT (service:a service:/^a$/)"),
        ("{level=\"error\"}", "level:ERROR"),
        ("{detected_level=~\"error|FATAL\"}", "level:ERROR OR level:FATAL"),
        (
            "{level!=\"info\", level!=\"debug\", level!~\"t.*|w.*\"}",
            "(level:TRACE OR level:DEBUG OR level:WARN OR level:ERROR OR level:FATAL) (level:TRACE OR level:INFO OR level:WARN OR level:ERROR OR level:FATAL) (level:DEBUG OR level:INFO OR level:ERROR OR level:FATAL)",
        ),
        ("{env=\"\"}", "NOT env:/(?s)./"),
        ("{env=~\"|prod\"}", "env:/^(?:|prod)$/ OR NOT env:*"),
        ("{env=~\"prod\"}", "env:/^(?:prod)$/"),
        ("{} |= \"a.b\"", "/a\\.b/"),
        ("{} |= \"a\" or \"b\" !~ \"c\"", "(/a/ OR /b/) NOT /c/"),
        ("{} | status >= 500", "status:>=500"),
        ("{} | status != 200, latency_ms > 1.5s", "(status:<200 OR status:>200) latency_ms:>1500"),
        ("{} | drop __error__, __error_details__ |= \"x\"", "/x/"),
        ("{} | __x = ip(`10.0.0.1`)", "NOT *"),
        ("{} | __error__=\"\"", "*"),
        ("{} | __error__!=\"\"", "NOT *"),
    ] {
        assert_eq!(pushed(text), (filter.to_owned(), 0), "{text}");
    }
}

#[test]
fn names_with_underscores_may_be_names_with_dots() {
    let (filter, rest) = pushed("{} | http_status > 5");
    assert_eq!((filter.as_str(), rest), ("http_status:>5 OR http.status:>5 OR http-status:>5", 0));
}

#[test]
fn what_depends_on_the_line_is_left() {
    for (text, filter, rest) in [
        ("{} |= ip(`10.0.0.1`)", "/10\\.0\\.0\\.1/", 1),
        ("{} |= ip(`10.0.0.0/8`) |= `x`", "/\\d\\.\\d{1,3}\\.\\d{1,3}\\.\\d/ /x/", 1),
        ("{} |= ip(`::1`)", "/:[0-9a-fA-F]{0,4}:/", 1),
        ("{} != ip(`10.0.0.1`)", "*", 1),
        ("{} | addr = ip(`10.0.0.1`)", "addr:*", 1),
        ("{} | addr != ip(`10.0.0.1`)", "addr:*", 1),
        // Which lines of a host come first is not known where the others are left out before.
        ("{} | level=`info` | distinct host | env=`prod` |= `x`", "level:INFO", 3),
        ("{} | json", "*", 1),
        ("{} | json | status >= 500", "status:>=500 OR /^\\s*\\{/", 2),
        ("{} | logfmt | status = `x` |= \"y\"", "(status:x status:/^x$/ OR /=/) /y/", 2),
        ("{} | json | detected_level = `error`", "level:ERROR", 1),
        ("{} | json | __error__=\"\"", "*", 2),
        ("{} | line_format \"{{.a}}\" |= \"x\"", "*", 2),
        ("{} | label_format a=b | a=\"x\"", "*", 2),
        ("{} | took > 5s", "took:*", 1),
        ("{latency_ms=\"5\"}", "latency_ms:[5 TO 5]", 1),
    ] {
        assert_eq!(pushed(text), (filter.to_owned(), rest), "{text}");
    }
}
