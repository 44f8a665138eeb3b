//! Holds the table of `docs/clients.md` against what is tested: a line for each client, with the version that was installed.

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::tools::Tools;
use crate::binary::workspace;

/// Everything in which the table is wrong.
pub fn faults(clients: &[Client], tools: &Tools) -> Result<Vec<String>> {
    let path = workspace().join("docs/clients.md");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let rows: Vec<Vec<&str>> = text.lines().filter_map(cells).collect();
    ensure!(!rows.is_empty(), "there is no table in {}", path.display());
    let mut faults = Vec::new();
    for client in clients {
        let version = tools.version(client.package)?;
        let anchor = format!("clients/{}", client.page);
        let row = rows.iter().find(|row| row.iter().any(|cell| *cell == format!("`{}`", client.name)));
        match row {
            None => faults.push(format!("no row for {} {version} (see {anchor})", client.name)),
            Some(row) if !row.contains(&version.as_str()) => {
                faults.push(format!("{} is installed in version {version}, not as in {row:?}", client.name));
            }
            Some(row) if !row.iter().any(|cell| cell.contains(&anchor)) => {
                faults.push(format!("the row of {} does not lead to {anchor}", client.name));
            }
            Some(_) => {}
        }
    }
    let is_known = |name: &str| clients.iter().any(|client| format!("`{}`", client.name) == name);
    let unknown =
        rows.iter().filter_map(|row| row.first()).filter(|name| name.starts_with('`') && !is_known(name));
    faults.extend(unknown.map(|name| format!("{name} is in the table and not tested")));
    Ok(faults)
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    Some(inner.split(" | ").collect())
}
