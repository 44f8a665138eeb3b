//! Other spellings of a path never give somebody who is not signed in more than the path itself does.

use anyhow::{Result, ensure};

use super::asking::Said;
use super::table::lines;
use super::{World, as_json};

/// Spellings of one path.
fn spellings(path: &str) -> Vec<String> {
    let rest = path.trim_start_matches('/');
    let (first, last) = rest.split_once('/').unwrap_or((rest, ""));
    let mut spellings = vec![
        format!("/{path}"),
        format!("///{rest}"),
        format!("/{first}//{last}"),
        format!("/./{rest}"),
        format!("/{first}/./{last}"),
        format!("/{first}/../{rest}"),
        format!("/%2e%2e/{rest}"),
        format!("/{first}/%2e%2e/{rest}"),
        format!("/{first}/%2E%2E%2f{rest}"),
        format!("/{first}/%252e%252e/{rest}"),
        format!("/assets/..%2f{rest}"),
        format!("/{first}%2f{last}"),
        format!("/{first}\\{last}"),
        format!("/{}", rest.to_uppercase()),
        format!("/{}{}", rest[..1].to_uppercase(), &rest[1..]),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}/."),
        format!("{path}/%2e%2e"),
        format!("{path}%2f"),
        format!("{path}%20"),
        format!("{path}%00"),
        format!("{path}.json"),
        format!("{path};a=b"),
        format!("{path}?/healthz"),
        format!("/healthz/..{path}"),
        format!("/healthz/%2e%2e{path}"),
    ];
    // One letter written otherwise: what is compared must not be what is routed.
    spellings.push(path.replacen('a', "%61", 1));
    spellings.push(path.replacen('i', "%2569", 1));
    spellings.retain(|spelling| spelling != path);
    spellings
}

/// What anybody may read: a refusal, or the dashboard's page.
fn is_harmless(said: &Said, page: &Said) -> bool {
    matches!(said.status, 400 | 401 | 403 | 404 | 405) || (said.status == 200 && said.body == page.body)
}

pub(crate) async fn paths_are_not_talked_round(world: &World) -> Result<()> {
    let nobody = world.caller("anonymous")?;
    let page = world.ask(nobody, "GET", "/explore", None).await?;
    for line in &lines() {
        let path = line.target.split('?').next().unwrap_or_default();
        let plain = world.ask_line(nobody, line).await?;
        for spelling in spellings(path) {
            let said = world.ask(nobody, line.method, &spelling, line.body.map(as_json)).await?;
            ensure!(
                is_harmless(&said, &page) || (line.asks == "open" && said.status == plain.status),
                "{} {spelling} gives anybody more than {path} does ({}): {} {}",
                line.method,
                plain.status,
                said.status,
                said.body
            );
        }
    }
    Ok(())
}
