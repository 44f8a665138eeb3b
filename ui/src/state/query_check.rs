//! Checks query text as it is typed, with the server's own parser: a half-typed query is never sent.

use insighthub_model::query;

/// What is wrong with the text, with a caret under the place; `None` if it can be sent.
pub fn problem(text: &str) -> Option<String> {
    query::parse_filter(text).err().map(|error| error.with_caret(text))
}

/// The same for a query that may have stages.
pub fn problem_of_query(text: &str) -> Option<String> {
    query::parse(text).err().map(|error| error.with_caret(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_sent_has_no_problem() {
        for text in
            ["", "timeout", "\"card declined\" userId:1932", "latency_ms:>500 -level:DEBUG", "a OR (b AND c)"]
        {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn a_half_typed_query_is_explained_at_its_place() {
        let problem = problem("(a OR").unwrap();
        assert!(problem.contains('^') && problem.contains("(a OR"), "{problem}");
        assert!(super::problem("timeout | stats count()").unwrap().contains("filter alone"));
        assert_eq!(problem_of_query("timeout | stats count()"), None);
        assert!(problem_of_query("timeout | stats cont()").unwrap().contains('^'));
    }
}
