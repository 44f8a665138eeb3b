//! Where charts and lists of Home and Analytics lead: to the records they are of.

use insighthub_model::query::token::is_word_char;

use crate::state::conditions;
use crate::state::filter::Filter;
use crate::state::page::{Page, Place};
use crate::state::range::{Range, rfc3339};
use crate::state::url;

/// Which latencies are meant: from one up to another, which does not belong to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latencies {
    pub from_ms: f64,
    /// `None`: open.
    pub to_ms: Option<f64>,
}

/// Records in Explore.
pub fn records(filter: &Filter, range: Range) -> Place {
    explore(filter, range, Vec::new())
}

pub fn of_service(service: &str, range: Range) -> Place {
    records(&Filter { service: service.to_owned(), ..Filter::default() }, range)
}

/// The records of a stretch of the heatmap.
pub fn cell(service: &str, range: Range, latencies: Latencies) -> Place {
    let mut text = format!("latency_ms:>={}", latencies.from_ms);
    if let Some(to_ms) = latencies.to_ms {
        text.push_str(&format!(" latency_ms:<{to_ms}"));
    }
    records(&Filter { text, service: service.to_owned(), ..Filter::default() }, range)
}

/// What the records of a stretch of the heatmap have in common that the others of the whole range do not.
pub fn different(service: &str, whole: Range, (from_ms, to_ms): (i64, i64), latencies: Latencies) -> Place {
    let filter = Filter { service: service.to_owned(), ..Filter::default() };
    let mut pairs = vec![
        ("tab", "different".to_owned()),
        ("selection_from", rfc3339(from_ms)),
        ("selection_to", rfc3339(to_ms)),
        ("latency_from", latencies.from_ms.to_string()),
    ];
    pairs.extend(latencies.to_ms.map(|to_ms| ("latency_to", to_ms.to_string())));
    explore(&filter, whole, pairs)
}

/// One record, amid those around it.
pub fn record(service: &str, range: Range, log_id: &str) -> Place {
    let filter = Filter { service: service.to_owned(), ..Filter::default() };
    explore(&filter, range, vec![("log_id", log_id.to_owned())])
}

/// Messages like this one: those with the words that never vary.
pub fn pattern(service: &str, range: Range, pattern: &str) -> Place {
    let text = fixed_words(pattern);
    records(&Filter { text, service: service.to_owned(), ..Filter::default() }, range)
}

/// The condition that a record is of this service, in the query language; of any, if it is not named.
pub fn service_condition(service: &str) -> String {
    if service.is_empty() {
        return "*".to_owned();
    }
    conditions::include("", "service", service)
}

fn explore(filter: &Filter, range: Range, more: Vec<(&'static str, String)>) -> Place {
    let mut pairs = Vec::new();
    filter.add_to(&mut pairs);
    range.add_to(&mut pairs);
    pairs.extend(more);
    Place { page: Page::Explore, query: url::encode(&pairs) }
}

/// The stretches between what varies, each as a phrase. A word that touches what varies is left out, as a phrase ends where a
/// word does.
fn fixed_words(pattern: &str) -> String {
    /// More make the query slow to read and find nothing else.
    const PHRASES_MAX: usize = 4;
    let parts: Vec<&str> = pattern.split("<*>").collect();
    let last = parts.len() - 1;
    let mut phrases: Vec<&str> = parts
        .into_iter()
        .enumerate()
        .map(|(place, part)| {
            let part = if place > 0 { part.trim_start_matches(is_word_char) } else { part };
            let part = if place < last { part.trim_end_matches(is_word_char) } else { part };
            part.trim_matches(|letter: char| !is_word_char(letter))
        })
        .filter(|part| !part.is_empty() && !part.contains(['"', '\\', '*']))
        .collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    phrases.truncate(PHRASES_MAX);
    phrases.into_iter().map(|phrase| format!("\"{phrase}\"")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::url::Pairs;

    #[test]
    fn a_cell_leads_to_its_records() {
        let range = Range::between(0, 300_000);
        let place = cell("auth", range, Latencies { from_ms: 0.5, to_ms: Some(1.0) });
        let pairs = Pairs::of(&place.query);
        assert_eq!(pairs.get("q"), Some("latency_ms:>=0.5 latency_ms:<1"));
        assert_eq!(pairs.get("service"), Some("auth"));
        assert_eq!(Range::from_pairs(&pairs), Some(range));
        let open = cell("", range, Latencies { from_ms: 64.0, to_ms: None });
        assert_eq!(Pairs::of(&open.query).get("q"), Some("latency_ms:>=64"));
    }

    #[test]
    fn what_is_different_is_held_against_the_whole_range() {
        let place = different(
            "auth",
            Range::Last(21_600),
            (0, 300_000),
            Latencies { from_ms: 4.0, to_ms: Some(8.0) },
        );
        let pairs = Pairs::of(&place.query);
        assert_eq!(pairs.get("from"), Some("-6h"));
        assert_eq!(pairs.get("selection_to"), Some("1970-01-01T00:05:00.000Z"));
        assert_eq!((pairs.get("tab"), pairs.get("latency_to")), (Some("different"), Some("8")));
    }

    #[test]
    fn a_pattern_is_found_by_the_words_that_never_vary() {
        assert_eq!(
            fixed_words("charge ch_<*> declined: currency EUR"),
            "\"declined: currency EUR\" \"charge\""
        );
        assert_eq!(fixed_words("<*> <*>"), "");
        assert_eq!(fixed_words("no answer"), "\"no answer\"");
        for text in ["a \"b\" c <*> in 5ms", "GET /api/<*>/items", "x"] {
            let words = fixed_words(text);
            assert!(insighthub_model::query::parse_filter(&words).is_ok(), "{words}");
        }
    }
}
