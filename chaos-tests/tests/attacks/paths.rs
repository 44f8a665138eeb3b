//! Ways to write a path that other servers have let through unchecked.

use anyhow::{Result, ensure};

use crate::target::{Target, exchange, status};

const GUARDED: [&str; 4] = ["/api/users", "/api/tokens", "/api/audit", "/api/backup"];

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let mut count = 0;
    let mut faults = Vec::new();
    for path in GUARDED {
        for written in tricks(path) {
            count += 1;
            let request = format!("GET {written} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let heard = exchange(target.node.address(), request.as_bytes()).await?;
            let text = String::from_utf8_lossy(&heard).to_ascii_lowercase();
            let is_refused = matches!(status(&heard), Some(400 | 401 | 403 | 404 | 405 | 421));
            // The dashboard answers addresses that are none of the API's.
            let is_page = status(&heard) == Some(200) && !text.contains("application/json");
            if !is_refused && !is_page {
                faults.push(format!("{written}: {}", text.chars().take(300).collect::<String>()));
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(count + files(target).await?)
}

fn tricks(path: &str) -> Vec<String> {
    let name = path.trim_start_matches("/api/");
    let first = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
    vec![
        path.to_owned(),
        format!("//api//{name}"),
        format!("/api//{name}"),
        format!("/api/./{name}"),
        format!("/./api/{name}"),
        format!("/api/x/../{name}"),
        format!("/api/%2e/{name}"),
        format!("/x/%2e%2e/api/{name}"),
        format!("/x/%252e%252e/api/{name}"),
        format!("/healthz/../api/{name}"),
        format!("/healthz/..%2fapi/{name}"),
        format!("/API/{name}"),
        format!("/api/{}", name.to_ascii_uppercase()),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path};x=1"),
        format!("{path}/:id"),
        format!("{path}/{{name}}"),
        format!("{path}?x=/healthz"),
        format!("{path}#/healthz"),
        format!("/api/{first}"),
        format!("/api%2f{name}"),
        format!("/api\\{name}"),
        format!("/%61pi/{name}"),
        format!("http://localhost{path}"),
        format!("/metrics/..;/api/{name}"),
    ]
}

/// No path leads to a disk.
async fn files(target: &Target) -> Result<usize> {
    let paths =
        ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/assets/../../identity"];
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let heard = exchange(target.node.address(), request.as_bytes()).await?;
        let text = String::from_utf8_lossy(&heard);
        ensure!(!text.contains("root:"), "{path}: {text}");
        ensure!(matches!(status(&heard), Some(200 | 400 | 404)), "{path}: {text}");
    }
    Ok(paths.len())
}
