//! Questions that would cost more than they tell: long ones, deep ones, and expressions that send others into a spin.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::target::Target;

/// Refused or answered, but soon: a debug build looks at few records here.
const SOON: Duration = Duration::from_secs(5);

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let refused: [(&str, String, &str); 12] = [
        ("64 KB of words", "word ".repeat(13_000), "16384"),
        ("one word of 64 KB", "a".repeat(65_536), "16384"),
        ("a thousand brackets", format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000)), "64"),
        ("a thousand NOTs", format!("{}a", "NOT ".repeat(1_000)), ""),
        ("2,000 terms", "a OR ".repeat(2_000) + "b", "512"),
        (r"\w{1000}", r"message:/\w{1000}/".to_owned(), ""),
        ("repetitions in repetitions", r"message:/((a{50}){50}){50}/".to_owned(), ""),
        ("a deep expression", format!("message:/{}a{}/", "(".repeat(100), ")".repeat(100)), ""),
        ("a long expression", format!("message:/{}/", "a|".repeat(2_000)), ""),
        ("a broken expression", "message:/(a/".to_owned(), ""),
        ("a look-around", "message:/(?=a)b/".to_owned(), ""),
        ("a back-reference", r"message:/(a)\1/".to_owned(), ""),
    ];
    let mut faults = Vec::new();
    for (name, query, reason) in &refused {
        let started = Instant::now();
        let answer = target.api.post_json("/api/query", &json!({"query": query})).await?;
        let is_refused = answer.status == 400 && answer.text.contains(reason) && started.elapsed() < SOON;
        if !is_refused {
            let text: String = answer.text.chars().take(300).collect();
            faults.push(format!("{name}: {} after {:?}: {text}", answer.status, started.elapsed()));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let long = json!({"service": "well", "level": "INFO", "message": format!("{}!", "a".repeat(100_000))});
    target.post(&[("content-type", "application/json")], long.to_string()).await?;
    let harmless =
        [r"message:/(a+)+$/", r"message:/(a|aa)+$/", r"message:/(.*)*x/", r"message:/^(\w+\s?)*$/"];
    for query in harmless {
        let started = Instant::now();
        let answer = target.api.get("/api/logs", &[("q", query), ("limit", "1")]).await?;
        ensure!(matches!(answer.status, 200 | 400), "{query}: {} {}", answer.status, answer.text);
        ensure!(started.elapsed() < SOON, "{query} took {:?}", started.elapsed());
    }
    for parameters in [
        [("limit", "100000000000000000000")],
        [("cursor", "../../etc/passwd")],
        [("from", "-99999999999d")],
        [("q", "service:\"' OR 1=1 --")],
    ] {
        let answer = target.api.get("/api/logs", &parameters).await?;
        ensure!(answer.status == 400, "{parameters:?}: {} {}", answer.status, answer.text);
    }
    Ok(refused.len() + harmless.len() + 4)
}
