//! Names made up by the million: services cost something each, so they are counted; ids of users are values like others.

use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::target::Target;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let before = target.memory_kib()?;
    let mut refused = 0;
    for batch in 0..10 {
        let body = (0..100_000).fold(String::new(), |mut body, number| {
            let name = batch * 100_000 + number;
            writeln!(body, r#"{{"service":"s{name}","level":"INFO","message":"m"}}"#).unwrap();
            body
        });
        let answer = target.post(&[NDJSON], body).await?;
        if answer.status == 429 {
            ensure!(answer.text.contains("limits.services_max (64)"), "{}", answer.text);
            ensure!(answer.says_when_to_retry(), "no Retry-After: {:?}", answer.headers);
            refused += 1;
        } else {
            // Of several partitions some may have room.
            ensure!(answer.status == 503, "{} {}", answer.status, answer.text);
        }
    }
    ensure!(refused >= 9, "only {refused} of 10 batches of made-up services were refused");
    let growth = target.memory_kib()? - before;
    ensure!(growth < 64 * 1024, "a million made-up services took {growth} KiB");
    for batch in 0..3 {
        let body = (0..10_000).fold(String::new(), |mut body, number| {
            let user = batch * 10_000 + number;
            writeln!(body, r#"{{"service":"well","level":"INFO","message":"m","userId":"u{user}"}}"#)
                .unwrap();
            body
        });
        let answer = target.post(&[NDJSON], body).await?;
        ensure!(answer.status == 200, "who is known is served: {} {}", answer.status, answer.text);
    }
    let growth = target.memory_kib()? - before;
    ensure!(growth < 192 * 1024, "30,000 made-up users took {growth} KiB");
    Ok(16)
}
