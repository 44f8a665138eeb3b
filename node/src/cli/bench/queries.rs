//! The eight questions of the query benchmark: what each means and how it is asked.
//!
//! They are the ones the project's published figures of other log stores were taken with. The reference
//! script `node/benches/query_reference.py` answers the same eight; their texts must agree.

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// How figures and expected answers name it.
    pub(super) name: &'static str,
    /// What a person would say.
    pub(super) meaning: &'static str,
    /// What is asked, in the query language.
    pub(super) text: &'static str,
}

pub(super) const QUESTIONS: [Question; 8] = [
    Question {
        name: "q1",
        meaning: "last 50 errors of a service",
        text: "service:payment level:error | limit 50",
    },
    Question {
        name: "q2",
        meaning: "errors per minute per service, 24 h",
        text: "level:error | stats count() as errors by service, time(1m)",
    },
    Question {
        name: "q3",
        meaning: "a phrase in the message, 10 hits",
        text: "\"ledger checksum mismatch\" | limit 100",
    },
    Question {
        name: "q4",
        meaning: "a regular expression, 0.8 % hits, count",
        text: "/took ([89]\\d\\d|[1-9]\\d{3,})ms/ | stats count() as hits",
    },
    Question {
        name: "q5",
        meaning: "p95 latency per service per 5 min, 24 h",
        text: "* | stats p95(latency_ms) as p95 by service, time(5m)",
    },
    Question {
        name: "q6",
        meaning: "every record of one trace",
        text: "trace_id:4bf92f3577b34da6a3ce929d0e0e4736 | limit 100",
    },
    Question {
        name: "q7",
        meaning: "the substring 'timeout', 1.2 % hits, count",
        text: "*timeout* | stats count() as hits",
    },
    Question { name: "q8", meaning: "distinct userId, exact", text: "* | stats distinct(userId) as users" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::set::planted;

    #[test]
    fn what_is_searched_for_is_what_is_planted() {
        let [_, _, phrase, _, _, trace, ..] = QUESTIONS;
        assert!(phrase.text.contains(planted::PHRASE));
        assert!(trace.text.contains(planted::TRACE_ID_TEXT));
        assert!(phrase.meaning.contains(&planted::PHRASES.to_string()));
    }

    #[test]
    fn the_reference_names_the_same_questions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/query_reference.py");
        let script = std::fs::read_to_string(path).unwrap();
        for Question { name, text, .. } in QUESTIONS {
            assert!(script.contains(&format!("{name}: {text}\n")), "{name}: {text}");
        }
    }
}
