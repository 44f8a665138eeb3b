//! From a message pattern to the condition that finds its messages again: by the words that never vary.

use insighthub_model::query::Expression;
use insighthub_model::query::token::is_word_char;

use crate::state::conditions;

/// What stands in a pattern where messages differ.
pub const VARIES: &str = "<*>";

/// `None`: nothing in it stays the same.
pub fn condition(pattern: &str) -> Option<Expression> {
    let fixed: Vec<String> = fixed(pattern);
    (!fixed.is_empty()).then(|| conditions::phrases(fixed))
}

/// Asks for one record.
pub fn record_query(log_id: &str) -> String {
    Expression::field_is("log_id", log_id).to_string()
}

/// The stretches between what varies, without words that touch it: a phrase ends where a word does.
fn fixed(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = pattern.split(VARIES).collect();
    let last = parts.len().saturating_sub(1);
    let whole = |(place, part): (usize, &&str)| {
        let mut part: &str = part;
        if place > 0 && part.starts_with(is_word_char) {
            part = part.trim_start_matches(is_word_char);
        }
        if place < last && part.ends_with(is_word_char) {
            part = part.trim_end_matches(is_word_char);
        }
        // Marks at the ends say little, and would need a character of no word beside them.
        let part = part.trim_matches(|letter: char| !is_word_char(letter));
        (!part.is_empty()).then(|| part.to_owned())
    };
    parts.iter().enumerate().filter_map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query::parse_filter;

    #[test]
    fn what_varies_is_left_out_with_the_words_it_touches() {
        assert_eq!(fixed("order <*> paid in <*> ms"), ["order", "paid in", "ms"]);
        assert_eq!(fixed("GET /api/users/<*> 200 in <*>ms"), ["GET /api/users", "200 in"]);
        assert_eq!(fixed("user=<*>, id abc<*>"), ["user", "id"]);
        assert_eq!(fixed("no change at all"), ["no change at all"]);
        assert_eq!(fixed("<*> <*>"), Vec::<String>::new());
    }

    #[test]
    fn the_condition_can_be_read() {
        for pattern in ["a \"quoted\" <*> (x)", "path \\ <*>", "x: <*> | y", "-a <*> OR"] {
            let text = condition(pattern).unwrap().to_string();
            assert!(parse_filter(&text).is_ok(), "{pattern}: {text}");
        }
        assert_eq!(condition("<*>"), None);
    }
}
