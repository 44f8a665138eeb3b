//! What is suggested where; `^` stands for the cursor.

use proptest::prelude::*;

use super::*;

struct Known;

impl Vocabulary for Known {
    fn fields(&self) -> Vec<String> {
        ["userId", "http.status", "my field", "trace_id"].map(str::to_owned).to_vec()
    }

    fn values(&self, field: &str) -> Vec<String> {
        match field {
            "service" => ["payment", "payout", "checkout"].map(str::to_owned).to_vec(),
            "city" => vec!["New York".to_owned(), "Berlin".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn suggested(marked: &str) -> Vec<Suggestion> {
    let cursor = marked.find('^').unwrap();
    complete(&marked.replacen('^', "", 1), cursor, &Known)
}

fn texts(marked: &str) -> Vec<String> {
    suggested(marked).into_iter().map(|suggestion| suggestion.text).collect()
}

/// The query after the first suggestion was taken.
fn taken(marked: &str) -> String {
    let cursor = marked.find('^').unwrap();
    let mut text = marked.replacen('^', "", 1);
    let first = complete(&text, cursor, &Known).into_iter().next().unwrap();
    text.replace_range(first.span, &first.text);
    text
}

#[test]
fn fields_and_keywords_are_suggested_in_a_filter() {
    let all = texts("^");
    assert_eq!(all.first().map(String::as_str), Some("service:"));
    assert!(all.contains(&"\"my field\":".to_owned()) && all.contains(&"NOT".to_owned()));
    assert!(!all.iter().any(|text| text.starts_with("created_at")));
    assert_eq!(texts("us^"), ["userId:"]);
    assert_eq!(texts("timeout -la^"), ["latency_ms:"]);
    assert_eq!(texts("a O^"), ["OR"]);
    assert_eq!(texts("(level:error h^ x"), ["http.status:"]);
    assert_eq!(taken("level:error us^ OR b"), "level:error userId: OR b");
    assert_eq!(taken("größe my^"), "größe \"my field\":");
}

#[test]
fn values_of_the_field_are_suggested() {
    assert_eq!(texts("service:pay^"), ["payment", "payout"]);
    assert_eq!(texts("x service:(checkout OR payo^"), ["payout"]);
    assert_eq!(texts("service:in(checkout, payo^"), ["payout"]);
    assert_eq!(texts("level:er^"), ["ERROR"]);
    assert_eq!(texts("is_anomaly:^"), ["true", "false", "*", "in("]);
    assert_eq!(texts("timestamp:-1^"), ["-15m", "-1h", "-1d"]);
    assert_eq!(taken("city:\"New^"), "city:\"New York\"");
    assert_eq!(taken("city:new^"), "city:\"New York\"");
    assert!(texts("latency_ms:>^").is_empty());
    assert_eq!(texts("userId:^"), ["*", "in(", "~", "/"]);
}

#[test]
fn stages_are_suggested_behind_a_pipe_where_they_may_stand() {
    let first = texts("error | ^");
    assert!(first.contains(&"stats".to_owned()) && first.contains(&"context".to_owned()));
    assert_eq!(texts("error | sta^"), ["stats"]);
    let later = texts("error | stats count() | ^");
    assert!(later.contains(&"where".to_owned()) && !later.contains(&"stats".to_owned()), "{later:?}");
    assert!(!later.contains(&"context".to_owned()));
    assert!(suggested("| to^").first().unwrap().description.contains("top 10 service"));
}

#[test]
fn functions_fields_and_words_are_suggested_in_stats() {
    assert_eq!(texts("* | stats p9^"), ["p90(", "p95(", "p99("]);
    assert_eq!(texts("* | stats count(), di^"), ["distinct("]);
    assert_eq!(texts("* | stats p95(lat^"), ["latency_ms"]);
    assert_eq!(texts("* | stats count() ^"), ["by", "as", "if (", "|"]);
    assert_eq!(texts("* | stats count() if (level:er^"), ["ERROR"]);
    assert_eq!(texts("* | stats count() if (us^"), ["userId:"]);
    assert_eq!(texts("* | stats count() if (level:error) a^"), ["as"]);
    assert_eq!(texts("* | stats count() by ser^"), ["service"]);
    assert_eq!(texts("* | stats count() by service, my^"), ["\"my field\""]);
    assert!(texts("* | stats count() as ^").is_empty(), "a new name is the user's own");
}

#[test]
fn the_columns_of_a_table_are_suggested_behind_it() {
    assert_eq!(texts("* | stats count() as n by service | where ^"), ["service ", "n "]);
    assert_eq!(texts("* | stats count() as n by service | where n > 5 ^"), ["AND", "OR", "NOT", "|"]);
    assert_eq!(texts("* | stats count() as n by service | where service = pay^"), ["payment", "payout"]);
    assert_eq!(texts("* | stats count() as n by service | sort n^"), Vec::<String>::new(), "it is all there");
    assert_eq!(texts("* | stats count() as number by service | sort n^"), ["number"]);
    assert_eq!(texts("* | stats count() as n | sort n d^"), ["desc"]);
    assert_eq!(texts("* | top 5 ser^"), ["service"]);
    assert_eq!(texts("* | top 5 service by ^"), ["count()", "sum("]);
    assert_eq!(texts("* | context 0003-00000000001a b^"), ["before", "by"]);
    assert_eq!(texts("* | uniq ^"), ["by"]);
    assert_eq!(texts("* | fields service, tra^"), ["trace_id"]);
}

#[test]
fn every_suggestion_of_a_stage_is_an_example_that_parses() {
    for stage in STAGES {
        let text = format!(
            "* | {}",
            stage.example.replace("where count", "where latency_ms").replace("sort count", "sort latency_ms")
        );
        assert!(parse(&text).is_ok(), "{text}");
    }
    for (function, _) in FUNCTIONS {
        let call =
            if function.ends_with(')') { function.to_owned() } else { format!("{function}latency_ms)") };
        assert!(parse(&format!("* | stats {call}")).is_ok(), "{call}");
    }
}

proptest! {
    #[test]
    fn nothing_typed_ever_panics_and_spans_lie_in_the_text(
        text in "(stats |count\\(\\)| by |\\| |where |sort |top 5 |if \\(|service:|level:|in\\(|[a-z():\"\\\\*|!<>=~{},/ -]|\\PC){0,30}",
        cursor in 0usize..120,
    ) {
        for suggestion in complete(&text, cursor, &Known) {
            prop_assert!(text.get(suggestion.span.clone()).is_some());
            prop_assert!(suggestion.span.end <= cursor);
        }
    }
}
