//! Real and realistic logs from the development data beside the checkout, if it is there.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::binary::workspace;

/// Where the development data lies; `None` where it is not shipped with the checkout.
pub fn data_directory() -> Option<PathBuf> {
    let directory = workspace().join("../shared/data");
    directory.join("loghub").is_dir().then_some(directory)
}

/// Every record of the eight systems, in the record form of the API.
pub fn loghub_records(data: &Path, unpack: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<Value>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(data.join("loghub"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with("_2k.csv.gz"))
        .collect();
    files.sort();
    let mut records = Vec::new();
    for (system, path) in files.iter().enumerate() {
        let text = String::from_utf8(unpack(&read(path)?)?).context("the data is UTF-8")?;
        let name = path.file_name().and_then(|name| name.to_str()).context("a file name")?;
        let service = name.trim_end_matches("_2k.csv.gz").to_lowercase();
        for row in csv_rows(&text)?.into_iter().skip(1) {
            let [line, label, content, event_id] = <[String; 4]>::try_from(row)
                .map_err(|row| anyhow::anyhow!("{name}: a row of {} columns", row.len()))?;
            let number: i64 = line.parse()?;
            // One record a second from a fixed day on, each system on a day of its own.
            let millis = 1_767_225_600_000 + (system as i64 * 86_400 + number) * 1_000;
            records.push(json!({
                "timestamp": insighthub_model::Timestamp::from_millis(millis).to_string(),
                "service": service,
                "level": obvious_level(&content, &label),
                "message": content,
                "line": number,
                "label": label,
                "event_id": event_id,
            }));
        }
    }
    Ok(records)
}

/// Bytes of a file, with its name in the error.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn obvious_level(content: &str, label: &str) -> &'static str {
    let lower = content.to_lowercase();
    if lower.contains("fatal") {
        "FATAL"
    } else if lower.contains("error") || lower.contains("failure") || !matches!(label, "" | "-") {
        "ERROR"
    } else if lower.contains("warn") || lower.contains("timed out") {
        "WARN"
    } else {
        "INFO"
    }
}

/// Rows of RFC 4180 text: quoted cells may hold commas, doubled quotes and line breaks.
pub fn csv_rows(text: &str) -> Result<Vec<Vec<String>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    if quoted {
        bail!("a quote is not closed");
    }
    if !row.is_empty() || !cell.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_keep_commas_quotes_and_line_breaks() {
        let rows = csv_rows("a,b\n1,\"x, \"\"y\"\"\nz\"\n2,\n").unwrap();
        assert_eq!(rows, [vec!["a", "b"], vec!["1", "x, \"y\"\nz"], vec!["2", ""]]);
        assert!(csv_rows("\"open").is_err());
    }
}
