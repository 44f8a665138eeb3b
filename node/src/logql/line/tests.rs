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
fn lines_are_kept_by_the_addresses_in_them() {
    for (stages, is_kept) in [
        ("|= ip(`10.7.0.0/16`)", true),
        ("|= ip(`10.8.0.0/16`)", false),
        ("|= ip(`10.8.0.0/16`) or ip(`10.7.1.0-10.7.1.9`)", true),
        ("!= ip(`10.8.0.0/16`)", true),
        ("!= ip(`10.8.0.0/16`) or ip(`10.7.1.2`)", false),
        ("| peer = ip(`fe80::/10`)", true),
        ("| peer != ip(`fe80::/10`)", false),
        ("| peer != ip(`10.0.0.0/8`)", true),
        // No label, no address: neither in the network nor beyond it.
        ("| missing = ip(`10.0.0.0/8`)", false),
        ("| missing != ip(`10.0.0.0/8`)", false),
    ] {
        let kept = run(stages, "from 10.7.1.2:443 refused", &[("peer", "[fe80::7]:80")]);
        assert_eq!(kept.is_some(), is_kept, "{stages}");
    }
}

#[test]
fn of_lines_with_the_same_values_the_first_is_kept() {
    let query = parse_log("{} | distinct user, host").unwrap();
    let pipeline = Pipeline::new(&query.stages).unwrap();
    assert!(pipeline.remembers());
    let is_kept = |metadata: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pipeline.run(&mut Line { metadata: metadata.iter().map(owned).collect(), ..Line::default() })
    };
    assert!(is_kept(&[("user", "ann"), ("host", "a")]));
    assert!(!is_kept(&[("user", "ann"), ("host", "a"), ("other", "x")]));
    assert!(is_kept(&[("user", "ann"), ("host", "b")]));
    assert!(is_kept(&[("user", "an"), ("host", "na")]), "where a value ends counts");
    assert!(is_kept(&[("user", "ann")]), "no value is a value of its own");
    assert!(!is_kept(&[("user", "ann")]));
    assert!(is_kept(&[]) && is_kept(&[]), "a line without the labels is like no other");
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

#[test]
fn templates_have_functions() {
    let metadata = [("status", "503"), ("user", " Änne "), ("path", "/a/bb/bbb?x=1"), ("empty", "")];
    for (template, filled) in [
        ("{{ToUpper .user}}|{{.user | trim | lower}}", " ÄNNE |änne"),
        ("{{.missing | default \"-\"}}{{default .status .empty}}{{default `x` .status}}", "-503503"),
        ("{{replace \"b\" \"c\" .path}}", "/a/cc/ccc?x=1"),
        ("{{.path | trimPrefix \"/a\" | trimSuffix `1`}}", "/bb/bbb?x="),
        ("{{.path | trimPrefix `x`}}", "/a/bb/bbb?x=1"),
        ("{{trimAll `/1` .path}}", "a/bb/bbb?x="),
        (
            "{{trunc 4 .path}} {{trunc -3 .path}} {{trunc 99 .path}} {{trunc 0 .path}}",
            "/a/b x=1 /a/bb/bbb?x=1 ",
        ),
        (
            "{{substr 1 2 .path}} {{substr 8 -1 .path}} {{substr -1 2 .path}} {{substr 5 2 .path}}",
            "a b?x=1 /a ",
        ),
        ("[{{alignLeft 5 .status}}][{{alignRight 5 .status}}]", "[503  ][  503]"),
        ("[{{alignLeft 2 .status}}][{{alignRight 2 .status}}]", "[50][03]"),
        ("{{regexReplaceAll `(b+)/` .path \"<${1}>\"}}", "/a/<bb>bbb?x=1"),
        ("{{regexReplaceAllLiteral \"b+\" .path \"$1\"}}", "/a/$1/$1?x=1"),
        ("{{ __line__ | replace \"|\" \"/\" }}", "a/b"),
    ] {
        let line = run(&format!("| line_format {template:?}"), "a|b", &metadata).unwrap();
        assert_eq!(line.text, filled, "{template}");
    }
}

#[test]
fn a_template_that_grows_without_end_is_given_up() {
    // 3 bytes, doubled 19 times: 1.5 MiB. At 18 times it is 0.75 MiB, which is kept.
    let doubled = "| line_format `{{__line__}}{{__line__}}` ".repeat(19);
    let line = run(&doubled, "abc", &[]).unwrap();
    assert_eq!(line.text.len(), 3 << 18);
    assert_eq!(line.get("__error__"), Some("TemplateFormatErr"));
    let replaced = "| replace `a` `aaaaaaaaaa` ".repeat(7);
    let line = run(&format!("| label_format x=\"{{{{__line__ {replaced}}}}}\""), "a", &[]).unwrap();
    assert_eq!((line.get("x"), line.get("__error__")), (None, Some("TemplateFormatErr")));
}
