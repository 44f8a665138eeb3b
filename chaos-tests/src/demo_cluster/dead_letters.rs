//! Records that are refused, each for another reason.

use anyhow::{Result, ensure};

use crate::api::Api;

/// The text of the one whose mending is obvious: its level is none.
pub const MENDABLE: &str =
    r#"{"service":"invoices","level":"loud","message":"invoice 4711 was printed twice"}"#;

const REFUSED: [&str; 7] = [
    MENDABLE,
    r#"{"service":"invoices","level":"LOUD","message":"invoice 4712 was printed twice"}"#,
    r#"{"level":"info","message":"nobody says who wrote this"}"#,
    r#"{"service":"mailer","message":"#,
    r#"{"service":"mailer","level":"info"}"#,
    r#"{"service":"scheduler","level":"info","message":"from far ahead","timestamp":"2999-01-01T00:00:00Z"}"#,
    r#"{"service":"scheduler","level":"warn","message":"half past never","timestamp":"half past never"}"#,
];

pub(super) async fn refuse(admin: &Api) -> Result<()> {
    let answer =
        admin.ingest(&[("content-type", "application/x-ndjson")], REFUSED.join("\n").into_bytes()).await?;
    ensure!(answer.number("rejected") == Some(REFUSED.len() as u64), "not all are refused: {}", answer.text);
    Ok(())
}
