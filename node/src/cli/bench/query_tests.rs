//! The query benchmark against a stub of a node, and its reference against a plain scan.

use std::collections::{BTreeMap, HashSet};

use axum::Router;
use axum::extract::Json;
use axum::routing::post;
use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: QueryBenchArgs,
}

/// A node that knows the answers of `truth`, by the text of the question.
async fn stub(truth: BTreeMap<&'static str, Value>) -> String {
    let answer = move |Json(body): Json<Value>| async move {
        assert_eq!(body["format"], "json");
        assert_eq!(body["from"], "2026-01-30T00:00:00.000Z");
        assert_eq!(body["to"], "2026-01-31T00:00:00.000Z");
        let text = body["query"].as_str().unwrap();
        let question = QUESTIONS.iter().find(|question| question.text == text).unwrap();
        Json(truth[question.name].clone())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().route("/api/query", post(answer))).await });
    url
}

fn table_of(columns: &[&str], rows: Value) -> Value {
    json!({ "columns": columns, "rows": rows, "coverage": {"partitions": 8, "complete": true},
        "stats": {"scanned_records": 20_000, "matched_records": 7, "elapsed_ms": 1.5} })
}

/// The eight answers by a plain scan that shares nothing with the reference but the questions.
fn scan(records: &[Value]) -> BTreeMap<&'static str, Value> {
    let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let when = |record: &Value, minutes: i64| {
        let minute = Timestamp::parse(&text(record, "timestamp")).unwrap().minute();
        Timestamp::from_minute(minute - minute % minutes).to_string()
    };
    let found = |is_meant: &dyn Fn(&Value) -> bool, limit: usize| {
        let mut found: Vec<_> = records.iter().filter(|record| is_meant(record)).cloned().collect();
        found.sort_by_key(|record| std::cmp::Reverse(text(record, "timestamp")));
        found.truncate(limit);
        json!({ "records": found })
    };
    let count = |is_meant: &dyn Fn(&Value) -> bool| {
        table_of(&["hits"], json!([[records.iter().filter(|record| is_meant(record)).count()]]))
    };
    let is_slow = |record: &Value| {
        let message = text(record, "message");
        let digits = message.split("took ").nth(1).and_then(|rest| rest.split_once("ms"));
        digits.and_then(|(digits, _)| digits.parse::<u64>().ok()).is_some_and(|ms| ms >= 800)
    };
    let (mut errors, mut latencies) = (BTreeMap::new(), BTreeMap::<_, Vec<f64>>::new());
    for record in records {
        if record["level"] == "ERROR" {
            *errors.entry((text(record, "service"), when(record, 1))).or_insert(0) += 1;
        }
        let bucket = latencies.entry((text(record, "service"), when(record, 5))).or_default();
        bucket.extend(record["latency_ms"].as_f64());
    }
    let p95 = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let at_least = values.len() * 95;
        (1..=values.len()).find(|rank| rank * 100 >= at_least).and_then(|rank| values.get(rank - 1).copied())
    };
    let errors: Vec<_> = errors.into_iter().map(|((service, time), n)| json!([service, time, n])).collect();
    let latencies: Vec<_> =
        latencies.into_iter().map(|((service, time), values)| json!([service, time, p95(values)])).collect();
    let users: HashSet<_> = records.iter().filter_map(|record| record["userId"].as_u64()).collect();
    let has = |record: &Value, words: &str| text(record, "message").contains(words);
    BTreeMap::from([
        ("q1", found(&|record| record["service"] == "payment" && record["level"] == "ERROR", 50)),
        ("q2", table_of(&["service", "time", "errors"], json!(errors))),
        ("q3", found(&|record| has(record, "ledger checksum mismatch"), 100)),
        ("q4", count(&is_slow)),
        ("q5", table_of(&["service", "time", "p95"], json!(latencies))),
        ("q6", found(&|record| record["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736", 100)),
        ("q7", count(&|record| has(record, "timeout"))),
        ("q8", table_of(&["users"], json!([[users.len()]]))),
    ])
}

/// A set, its answers by the scan, and the file the reference script made of it; none without Python.
fn reference(directory: &Path) -> Option<(BTreeMap<&'static str, Value>, PathBuf)> {
    let plan = SetPlan { records: 20_000, seed: 1, until: Timestamp::parse("2026-01-31T00:00:00Z").unwrap() };
    let (set, expect) = (directory.join("set.ndjson"), directory.join("expect.json"));
    file::write(&plan, &set).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/query_reference.py");
    let Ok(output) = std::process::Command::new("python3").arg(script).arg(&set).output() else {
        note("python3 is missing: the reference is not tested");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(&expect, output.stdout).unwrap();
    let text = std::fs::read_to_string(set).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some((scan(&records), expect))
}

#[tokio::test]
async fn right_answers_are_timed_and_a_wrong_one_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let Some((truth, expect)) = reference(directory.path()) else { return };
    let figures = directory.path().join("figures.json");
    let ask = async |truth: &BTreeMap<&'static str, Value>| {
        let url = stub(truth.clone()).await;
        let mut line = vec!["query", "--url", &url, "--rounds", "2"];
        line.extend(["--expect", expect.to_str().unwrap(), "--json", figures.to_str().unwrap()]);
        run(Line::parse_from(line).args).await
    };
    ask(&truth).await.unwrap();
    let written = read_json(&figures).unwrap();
    assert_eq!(written["queries"]["q3"]["rows"], 10);
    assert_eq!(written["queries"]["q7"]["rounds"], 2);
    assert_eq!(written["queries"]["q7"]["scanned_records"], 20_000);
    for name in truth.keys() {
        let mut wrong = truth.clone();
        let answer = wrong.get_mut(name).unwrap();
        match answer.get_mut("records") {
            Some(records) => drop(records.as_array_mut().unwrap().remove(0)),
            None => *answer["rows"][0].as_array_mut().unwrap().last_mut().unwrap() = json!(3.25),
        }
        let error = ask(&wrong).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("wrong answers: {name}: ")), "{error}");
        assert!(!error.contains(';'), "{error}");
    }
}

#[tokio::test]
async fn an_incomplete_answer_is_wrong_without_a_reference_too() {
    let mut part = table_of(&["n"], json!([[1]]));
    part["coverage"]["complete"] = json!(false);
    let url = stub(QUESTIONS.map(|question| (question.name, part.clone())).into()).await;
    let error = run(Line::parse_from(["query", "--url", &url, "--rounds", "1"]).args).await.unwrap_err();
    assert!(error.to_string().contains("q8: the answer is incomplete"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_before_anything_is_started() {
    for (words, complaint) in [
        (&["--spawn"][..], "--records N or --file FILE"),
        (&["--load"], "--records N or --file FILE"),
        (&["--cold"], "--data or --spawn"),
        (&["--expect", "/no/such/file"], "/no/such/file"),
        (&["--compare", "/no/such/file"], "/no/such/file"),
    ] {
        let args = Line::try_parse_from(["query"].iter().chain(words)).unwrap().args;
        let error = run(args).await.unwrap_err().to_string();
        assert!(error.contains(complaint), "{words:?}: {error}");
    }
    for words in [
        &["--spawn", "--data", "x"][..],
        &["--file", "x", "--records", "1"],
        &["--file", "x", "--seed", "2"],
        &["--rounds", "0"],
    ] {
        assert!(Line::try_parse_from(["query"].iter().chain(words)).is_err(), "{words:?}");
    }
}
