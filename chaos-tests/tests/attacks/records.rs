//! Records that are as wrong as JSON lets them be, and times out of this world.

use std::fmt::Write;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::target::Target;

const JSON: (&str, &str) = ("content-type", "application/json");

/// What is sent, the status, and what the answer must say.
type Case = (&'static str, Vec<u8>, u16, &'static str);

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let cases: Vec<Case> = shapes().into_iter().chain(texts()).chain(times()).collect();
    let count = cases.len();
    let mut faults = Vec::new();
    for (name, body, status, reason) in cases {
        let answer = target.post(&[JSON], body).await?;
        if answer.status != status || !answer.text.contains(reason) {
            faults.push(format!(
                "{name}: {} {}",
                answer.status,
                answer.text.chars().take(400).collect::<String>()
            ));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(count + numbers_stay_what_they_were(target).await? + fields_explode(target).await?)
}

fn with(members: &str) -> Vec<u8> {
    format!(r#"{{"service":"odd","level":"INFO","message":"m",{members}}}"#).into_bytes()
}

fn shapes() -> Vec<Case> {
    let keys = (0..1_000_000).fold(String::new(), |mut keys, number| {
        write!(keys, "\"k{number}\":1,").unwrap();
        keys
    });
    let many_keys = (0..50_000).map(|number| format!("\"k{number}\":1")).collect::<Vec<_>>().join(",");
    let long_key = format!("\"{}\":1", "k".repeat(1 << 20));
    let longish_key = format!("\"{}\":1", "k".repeat(1_000));
    let depth = |depth: usize| format!("\"deep\":{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    vec![
        ("a million keys", with(keys.trim_end_matches(',')), 400, "1048576"),
        ("50,000 keys", with(&many_keys), 400, "512 fields"),
        ("a key of 1 MB", with(&long_key), 400, "1048576"),
        ("a key of 1 KB", with(&longish_key), 400, "256 bytes"),
        ("depth 20", with(&depth(20)), 400, "16"),
        ("depth 100,000", with(&depth(100_000)), 400, ""),
        ("a million brackets", vec![b'['; 1_000_000], 400, ""),
        ("nothing but spaces", vec![b' '; 1 << 20], 400, ""),
        ("the same key twice", with(r#""x":1,"x":2"#), 400, "twice"),
        ("two services", with(r#""service":"other""#), 400, "twice"),
    ]
}

fn texts() -> Vec<Case> {
    let mut not_utf8 = with("\"x\":\"\"");
    let place = not_utf8.len() - 2;
    not_utf8.insert(place, 0xff);
    vec![
        ("a lone surrogate", with(r#""x":"\ud800""#), 400, ""),
        ("a lone low surrogate", with(r#""x":"\udc00 a""#), 400, ""),
        ("NaN", with(r#""x":NaN"#), 400, ""),
        ("-Infinity", with(r#""x":-Infinity"#), 400, ""),
        ("1e400", with(r#""x":1e400"#), 400, ""),
        ("bytes that are no UTF-8", not_utf8, 400, ""),
        ("a raw line break in a text", with("\"x\":\"a\nb\""), 400, ""),
        ("a NUL byte", vec![0; 100], 400, ""),
        ("half a record", b"{\"service\":\"odd\"".to_vec(), 400, ""),
    ]
}

fn times() -> Vec<Case> {
    let at = |timestamp: serde_json::Value| {
        json!({"service": "odd", "level": "INFO", "message": "m", "timestamp": timestamp})
            .to_string()
            .into_bytes()
    };
    vec![
        ("the year 9999", at(json!("9999-12-31T23:59:59Z")), 400, "timestamp"),
        ("the year 99999", at(json!("99999-12-31T23:59:59Z")), 400, "timestamp"),
        ("a negative time", at(json!(-1)), 400, "timestamp"),
        ("the end of 64 bits", at(json!(i64::MAX)), 400, "timestamp"),
        ("the beginning of 64 bits", at(json!(i64::MIN)), 400, "timestamp"),
        ("beyond 64 bits", at(json!(1e300)), 400, "timestamp"),
        ("two days ahead", at(json!("2099-01-01T00:00:00Z")), 400, "timestamp"),
        ("a time that is none", at(json!("yesterday")), 400, "timestamp"),
    ]
}

/// What is taken is kept as it was sent, or as text: never another number.
async fn numbers_stay_what_they_were(target: &Target) -> Result<usize> {
    let members = r#""big":18446744073709551617,"small":-9223372036854775809,"text":"a\u0000b","e":1e-400"#;
    let body = String::from_utf8(with(members))?.replace("\"odd\"", "\"numbers\"");
    let answer = target.post(&[JSON], body).await?;
    if answer.status == 200 {
        // As it is written: a reader of JSON may round.
        let text = target.api.get("/api/logs", &[("service", "numbers")]).await?.text;
        ensure!(text.contains("18446744073709551617"), "an integer became another: {text}");
        ensure!(text.contains("-9223372036854775809"), "an integer became another: {text}");
    } else {
        ensure!(answer.status == 400, "{} {}", answer.status, answer.text);
    }
    let bom = [&b"\xef\xbb\xbf"[..], &with("\"x\":1")].concat();
    let answer = target.post(&[JSON], bom).await?;
    ensure!(matches!(answer.status, 200 | 400), "a byte order mark: {} {}", answer.status, answer.text);
    let old =
        json!({"service": "epoch", "level": "INFO", "message": "m", "timestamp": "1970-01-01T00:00:01Z"});
    let answer = target.post(&[JSON], old.to_string()).await?;
    ensure!(matches!(answer.status, 200 | 400), "1970: {} {}", answer.status, answer.text);
    let minutes =
        target.api.get("/api/aggregates", &[("service", "epoch"), ("from", "1970-01-01T00:00:00Z")]).await?;
    ensure!(minutes.status < 500, "minutes since 1970: {} {}", minutes.status, minutes.text);
    Ok(4)
}

/// Each record invents fields of its own.
async fn fields_explode(target: &Target) -> Result<usize> {
    let before = target.memory_kib()?;
    for round in 0..4 {
        let mut body = String::new();
        for record in 0..200 {
            write!(body, r#"{{"service":"wide","level":"INFO","message":"m""#)?;
            for field in 0..100 {
                write!(body, r#","f{round}_{record}_{field}":1"#)?;
            }
            body.push_str("}\n");
        }
        let answer = target.post(&[("content-type", "application/x-ndjson")], body).await?;
        ensure!(matches!(answer.status, 200 | 429 | 503), "wide: {} {}", answer.status, answer.text);
    }
    let asked = [("q", "service:wide"), ("timeout_ms", "3000")];
    let fields = target.api.get("/api/query/fields", &asked).await?;
    let text = &fields.text;
    ensure!(matches!(fields.status, 200 | 422) && text.len() < 4 << 20, "{} {}", fields.status, text.len());
    let growth = target.memory_kib()? - before;
    ensure!(growth < 192 * 1024, "80,000 fields took {growth} KiB");
    Ok(2)
}
