//! Pipelines run on lines.

use super::*;
use crate::logql::parse_log;

fn run(stages: &str, text: &str, metadata: &[(&str, &str)]) -> Option<Line> {
    let query = parse_log(&format!("{{service_name=\"a\"}} {stages}")).unwrap();
    let pipeline = Pipeline::new(&query.stages).unwrap();
    let mut line = Line { text: text.to_owned(), ..Line::default() };
    line.stream.insert("service_name".to_owned(), "a".to_owned());
    line.metadata.extend(metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    pipeline.run(&mut line).then_some(line)
}

fn label(stages: &str, text: &str, name: &str) -> Option<String> {
    run(stages, text, &[]).unwrap().get(name).map(str::to_owned)
}

#[test]
fn lines_are_kept_by_what_they_hold() {
    for (stages, is_kept) in [
        ("|= `timed out`", true),
        ("|= `Timed`", false),
        ("|= `x` or `timed`", true),
        ("!= `x` or `timed`", false),
        ("|~ `up\\w+ \\d+`", true),
        ("!~ `(?i)TIMED`", false),
        ("|> `upstream <_> timed out`", true),
        ("|> `<_> timed`", false),
        ("!> `upstream <_>`", false),
    ] {
        assert_eq!(run(stages, "upstream 17 timed out", &[]).is_some(), is_kept, "{stages}");
    }
}

#[test]
fn parsers_find_labels() {
    let json = r#"{"status": 503, "request": {"path": "/a", "ids": [7, 8]}, "ok": false, "none": null}"#;
    assert_eq!(label("| json", json, "status").as_deref(), Some("503"));
    assert_eq!(label("| json", json, "request_path").as_deref(), Some("/a"));
    assert_eq!(label("| json", json, "none"), None);
    assert_eq!(label("| json id=`request.ids[1]`", json, "id").as_deref(), Some("8"));
    assert_eq!(label("| json", "no json", "__error__").as_deref(), Some("JSONParserErr"));
    let logfmt = r#"level=warn msg="it \"is\" so" took=3ms bare"#;
    assert_eq!(label("| logfmt", logfmt, "msg").as_deref(), Some("it \"is\" so"));
    assert_eq!(label("| logfmt t=`took`", logfmt, "t").as_deref(), Some("3ms"));
    assert_eq!(
        label("| regexp `(?P<verb>\\w+) (?P<path>/\\S*)`", "GET /a?b 200", "path").as_deref(),
        Some("/a?b")
    );
    assert_eq!(label("| pattern `<verb> <_> <status>`", "GET /a?b 200", "status").as_deref(), Some("200"));
    let packed = r#"{"pod": "p1", "_entry": "the line"}"#;
    assert_eq!(run("| unpack", packed, &[]).unwrap().text, "the line");
}

#[test]
fn what_the_record_has_is_not_overwritten_by_what_is_found() {
    let line = run("| json", r#"{"status": "found"}"#, &[("status", "stored")]).unwrap();
    assert_eq!((line.get("status"), line.get("status_extracted")), (Some("stored"), Some("found")));
}

#[test]
fn conditions_compare_in_the_unit_of_their_bound() {
    let metadata =
        [("status", "503"), ("took", "1.5s"), ("size", "2KB"), ("latency_ms", "1320"), ("word", "abc")];
    for (stages, is_kept) in [
        ("| status >= 500", true),
        ("| status == 503 and took > 1s", true),
        ("| status = 503, took > 2s", false),
        ("| size > 1KiB", true),
        ("| latency_ms > 1s", true),
        ("| latency_ms > 2s or word =~ `a.c`", true),
        ("| word > 5", false),
        ("| missing > 5", false),
        ("| missing = ``", true),
        ("| missing != `x`", true),
        ("| word =~ `b`", false),
        ("| service = `a`", true),
    ] {
        assert_eq!(run(stages, "", &metadata).is_some(), is_kept, "{stages}");
    }
}

#[test]
fn lines_and_labels_are_made_anew() {
    let metadata = [("status", "503"), ("user", "ann")];
    let line =
        run("| line_format `{{.status}} {{ .user | ToUpper }}: {{__line__}}`", "x", &metadata).unwrap();
    assert_eq!(line.text, "503 ANN: x");
    let line = run("| label_format who=user, both=`{{.status}}!`", "x", &metadata).unwrap();
    assert_eq!((line.get("who"), line.get("user"), line.get("both")), (Some("ann"), None, Some("503!")));
    let line = run("| drop status, user=`bob`", "x", &metadata).unwrap();
    assert_eq!((line.get("status"), line.get("user")), (None, Some("ann")));
    let line = run("| keep user", "x", &metadata).unwrap();
    assert_eq!(line.all(), Labels::from([("user".to_owned(), "ann".to_owned())]));
    assert_eq!(run("| decolorize", "\u{1b}[31mred\u{1b}[0m", &[]).unwrap().text, "red");
}
