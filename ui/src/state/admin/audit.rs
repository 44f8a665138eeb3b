//! Pages of the audit trail.

use crate::api::audit::AuditEntry;

/// Several screens.
pub const ENTRIES: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its first number; `None`: the newest entries.
    pub from: Option<u64>,
    pub entries: u64,
}

impl Page {
    pub fn of(from: Option<u64>) -> Page {
        Page { from, entries: ENTRIES }
    }
}

/// Where the page before begins: numbers have no gaps, but a filter passes over some. `None`: there is none before.
pub fn older(entries: &[AuditEntry]) -> Option<u64> {
    let first = entries.first()?.number;
    (first > 0).then(|| first.saturating_sub(ENTRIES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(first: u64) -> Vec<AuditEntry> {
        let hash = "0".repeat(64);
        let text = format!(
            r#"[{{"number":{first},"at":"2026-01-01T00:00:00Z","node":"n1","user":"a","action":"x","target":"","detail":"","outcome":"done","hash":"{hash}"}}]"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn pages_go_back_to_the_first_entry() {
        assert_eq!(older(&entries(250)), Some(150));
        assert_eq!(older(&entries(40)), Some(0));
        assert_eq!((older(&entries(0)), older(&[])), (None, None));
    }
}
