//! Why records were refused, summed up by service.

use std::collections::BTreeMap;

use crate::api::dead_letter::DeadLetter;

/// Records of one service that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub service: Option<String>,
    pub field: Option<String>,
    /// What all their reasons have in common; part of each of them.
    pub text: String,
    pub count: usize,
}

/// The most frequent first.
pub fn reasons(letters: &[DeadLetter]) -> Vec<Reason> {
    let mut counts: BTreeMap<(&Option<String>, &Option<String>, &str), usize> = BTreeMap::new();
    for letter in letters {
        *counts.entry((&letter.service, &letter.field, common(&letter.reason))).or_default() += 1;
    }
    let mut reasons: Vec<Reason> = counts
        .into_iter()
        .map(|((service, field, text), count)| Reason {
            service: service.clone(),
            field: field.clone(),
            text: text.to_owned(),
            count,
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    reasons
}

/// The reason up to the first value in it: what is quoted or a number is different in each record.
fn common(reason: &str) -> &str {
    let end = reason.find(|letter: char| letter == '"' || letter == '`' || letter.is_ascii_digit());
    let head = end.and_then(|end| reason.get(..end)).unwrap_or(reason).trim_end();
    if head.is_empty() { reason } else { head }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(service: &str, reason: &str) -> DeadLetter {
        let text = serde_json::json!({ "id": "a", "service": service, "reason": reason, "field": "level" });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn records_that_differ_in_a_value_alone_share_a_reason() {
        let letters = [
            letter("shop", "level is \"loud\", not one of INFO"),
            letter("shop", "level is \"quiet\", not one of INFO"),
            letter("shop", "the record has 70000 bytes"),
            letter("mail", "level is \"loud\", not one of INFO"),
        ];
        let found = reasons(&letters);
        let first = found.first().unwrap();
        assert_eq!(
            (first.service.as_deref(), first.text.as_str(), first.count),
            (Some("shop"), "level is", 2)
        );
        assert_eq!(found.len(), 3);
        // A filter by it finds what it counts.
        assert!(letters.iter().filter(|letter| letter.reason.contains(&first.text)).count() >= first.count);
    }

    #[test]
    fn a_reason_that_begins_with_a_value_is_its_own() {
        assert_eq!((common("\"x\" is no level"), common("")), ("\"x\" is no level", ""));
    }
}
