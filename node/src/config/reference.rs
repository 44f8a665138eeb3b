//! The configuration written down for people: `docs/configuration.md`, made from the sections themselves.

use std::fmt::{self, Write};

use insighthub_model::settings::{Range, Section};

use super::keys::{Key, keys_of};
use super::sections::{NODE, SECTIONS};

const INTRODUCTION: &str = "# Configuration

One file, `cluster.toml`, the same on every node; every key may be left out. It is checked at start: a mistake is told with the key,
what it holds, what it may hold and an example. `insighthub config check FILE` does the same without a node.

Every key but those of nodes can be set from the environment, which goes before the file: `INSIGHTHUB_LIMITS__BODY_BYTES_MAX=1048576`
is `limits.body_bytes_max`. With `_FILE` behind it a variable names a file that holds the value, for secrets:
`INSIGHTHUB_CLUSTER__SECRET_FILE=/run/secrets/cluster`.

This page is printed by `insighthub config reference`.
";

/// The page, in Markdown.
pub(crate) fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    // A String takes whatever is written.
    if SECTIONS.into_iter().try_for_each(|section| write_section(&mut page, section)).is_err() {
        page.clear();
    }
    page
}

fn write_section(page: &mut String, section: Section) -> fmt::Result {
    let heading = if section.name == NODE { "[[node]]".to_owned() } else { format!("[{}]", section.name) };
    writeln!(page, "\n## `{heading}`\n\n{}\n", section.about.trim())?;
    writeln!(page, "| key | default | may hold | |\n|---|---|---|---|")?;
    for key in keys_of(section) {
        let (name, about) = (key.setting.name, key.setting.about.trim());
        writeln!(page, "| `{name}` | {} | {} | {about} |", default(key), holds(key))?;
    }
    Ok(())
}

fn default(key: Key) -> String {
    if key.is_required() {
        return "must be set".to_owned();
    }
    match (key.setting.default)() {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Number(number) => {
            let count = number.as_i64().unwrap_or_default();
            readable(key, count).map_or_else(|| format!("`{count}`"), |size| format!("`{count}` ({size})"))
        }
        other => format!("`{other}`"),
    }
}

fn holds(key: Key) -> String {
    let range = match key.setting.range {
        Range::Integer(min, max) => {
            let shown = |count: i64| readable(key, count).unwrap_or_else(|| count.to_string());
            format!("{} to {}", shown(min), shown(max))
        }
        Range::Text(bytes_max) => format!("text of 1 to {bytes_max} bytes"),
        Range::OneOf(names) => {
            let quoted: Vec<String> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
            quoted.join(" or ")
        }
        Range::Address => "IP address and port".to_owned(),
    };
    match key.setting.like {
        Some(example) => format!("{range}, such as `{example}`"),
        None => range,
    }
}

/// Whole sizes in the largest unit that leaves no rest.
fn readable(key: Key, count: i64) -> Option<String> {
    if !key.setting.name.contains("bytes") {
        return None;
    }
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let (unit, shift) = units.into_iter().find(|(_, shift)| count != 0 && count % (1 << shift) == 0)?;
    Some(format!("{} {unit}", count >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_repository_is_what_the_sections_say() {
        let page = include_str!("../../../docs/configuration.md");
        assert!(
            page == reference(),
            "docs/configuration.md is out of date: cargo run --bin insighthub config reference > docs/configuration.md"
        );
    }

    #[test]
    fn every_key_says_what_it_is() {
        for key in SECTIONS.into_iter().flat_map(keys_of) {
            let about = key.setting.about.trim();
            assert!(about.ends_with('.') && !about.contains(['|', '[']), "{}: {about}", key.path());
        }
    }

    #[test]
    fn sizes_are_shown_in_their_unit() {
        let key = |name: &str| SECTIONS.into_iter().flat_map(keys_of).find(|key| key.path() == name).unwrap();
        let segment = key("storage.wal_segment_bytes");
        assert_eq!(
            (default(segment), holds(segment)),
            ("`67108864` (64 MiB)".into(), "1 MiB to 1 GiB".into())
        );
        assert_eq!(default(key("cluster.partitions")), "`8`");
        assert_eq!(default(key("node.http")), "must be set");
    }
}
