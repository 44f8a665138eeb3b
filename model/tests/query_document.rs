//! What the document of the query language shows is what the parser does.

#![allow(clippy::unwrap_used, reason = "a wrong document must fail loudly")]

use std::fs;
use std::path::Path;

use insighthub_model::query::pipeline::STAGES;
use insighthub_model::query::{parse, parse_filter};

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/query-language.md")).unwrap()
}

/// The fenced blocks before the grammar, as lines.
fn blocks(document: &str) -> Vec<Vec<&str>> {
    let before_grammar = document.split("# Grammar").next().unwrap();
    before_grammar
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.trim_matches('\n').lines().collect())
        .collect()
}

/// The code spans of the first column of every table whose head is `| you type |` or `| behind a pipe |`.
fn typed(document: &str, head: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_table = false;
    for line in document.lines() {
        in_table = line.starts_with(head) || (in_table && line.starts_with('|'));
        if in_table {
            // A pipe inside a code span of a table has a backslash before it.
            let line = line.replace("\\|", "\u{1}");
            let cell = line.split('|').nth(1).unwrap_or("").replace('\u{1}', "|");
            found.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn errors_look_as_they_are_shown() {
    let document = document();
    let mut shown = 0;
    for block in blocks(&document) {
        let [query, caret, _] = block.as_slice() else { continue };
        if caret.trim() != "^" {
            continue;
        }
        let error = parse(query).and_then(|_| parse_filter(query)).unwrap_err();
        assert_eq!(error.with_caret(query), block.join("\n"));
        shown += 1;
    }
    assert_eq!(shown, 4, "this test looks for the wrong blocks");
}

#[test]
fn queries_that_are_shown_can_be_read() {
    let document = document();
    let errors = |block: &Vec<&str>| block.get(1).is_some_and(|line| line.trim() == "^");
    let mut queries: Vec<String> =
        blocks(&document).into_iter().filter(|block| !errors(block)).flatten().map(str::to_owned).collect();
    let moments = typed(&document, "| you type | it means");
    queries.extend(moments.into_iter().map(|text| match text.starts_with("timestamp") {
        true => text,
        false => format!("timestamp:{text}"),
    }));
    queries.extend(typed(&document, "| you type | you get"));
    queries.extend(typed(&document, "| behind a pipe").into_iter().map(|stage| format!("* | {stage}")));
    assert!(queries.len() > 50, "only {queries:?} were found: this test looks for the wrong text");
    for query in queries {
        // Units are listed beside a moment.
        if query == "timestamp:ns us ms s m h d w" {
            continue;
        }
        if let Err(error) = parse(&query) {
            panic!("{}", error.with_caret(&query));
        }
    }
}

#[test]
fn every_stage_has_a_section() {
    let document = document();
    for stage in STAGES {
        let has_section = document.lines().any(|line| {
            line.strip_prefix("## ").is_some_and(|title| title.split(" and ").any(|name| name == stage.name))
        });
        assert!(has_section, "{} has no section", stage.name);
    }
}
