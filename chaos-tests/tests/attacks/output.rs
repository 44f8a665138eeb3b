//! Logs are written by strangers: what they hold must not command a terminal, forge a line or run in a spreadsheet.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::cluster::command_line::insighthub;
use serde_json::json;

use crate::target::Target;

const SERVICE: &str = "hostile";
const TEXTS: [&str; 8] = [
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J cleared",
    "one\r\n2026-01-01T00:00:00Z ERROR forged",
    "\u{202e}txt.exe",
    "\u{2066}hidden\u{2069}",
    "a\u{0}b",
    "=HYPERLINK(\"http://evil.example\")",
];

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    for text in TEXTS {
        let record = json!({"service": SERVICE, "level": "ERROR", "message": text, "userId": text, "extra": {text: text}});
        let answer = target.post(&[("content-type", "application/json")], record.to_string()).await?;
        ensure!(answer.status == 200, "{text:?}: {} {}", answer.status, answer.text);
    }
    let url = target.node.url();
    let environment = [("INSIGHTHUB_URL", url.as_str())];
    // For people; what programs are given is JSON as it is.
    for words in [["query", "service:hostile"], ["explore", "patterns"], ["explore", "fields"]] {
        let words = [words.as_slice(), &["--output", "text"]].concat();
        is_harmless(&words, &insighthub(&words, &environment)?.said)?;
    }
    let query = json!({"query": "service:hostile", "format": "csv"});
    let csv = target.api.post_json("/api/query", &query).await?;
    ensure!(csv.status == 200, "{} {}", csv.status, csv.text);
    ensure!(csv.text.contains("\"'=HYPERLINK"), "a formula stays one: {}", csv.text);
    for path in ["/api/\u{1b}[31m", "/api/x?\u{202e}=1"] {
        target.api.get(path, &[]).await?;
    }
    let log = target.node.last_output();
    ensure!(!log.contains(['\u{1b}', '\u{202e}']), "the node's own log holds escape sequences");
    Ok(TEXTS.len() + 6)
}

fn is_harmless(words: &[&str], said: &str) -> Result<()> {
    let commands = |character: char| {
        (character.is_control() && character != '\n' && character != '\t')
            || ('\u{202a}'..='\u{202e}').contains(&character)
            || ('\u{2066}'..='\u{2069}').contains(&character)
    };
    ensure!(!said.contains(commands), "{words:?} prints {said:?}");
    ensure!(
        !said.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR forged")),
        "{words:?} prints {said:?}"
    );
    Ok(())
}
