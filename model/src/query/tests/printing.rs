//! Printing and parsing agree, and nothing panics, whatever the tree and whatever the text.

use proptest::prelude::*;

use super::super::*;
use super::trees;

/// Pieces of which any text of the language can be put together, and any other.
const PIECES: &str = "([a-z():\"\\\\*|!<>=~{},/ \\-\\[\\]]|AND |OR |NOT |TO |level:|timestamp:|in\\(|-15m|\\| stats |count\\(\\)| by |time\\(5m\\)| if \\(| as n|p99\\(|\\| where n > 5|\\| sort |desc|\\| top 5 |\\| fields |\\| uniq by |\\| limit 5|\\| patterns |\\| context 0003-00000000001a |/a.b/i|\\PC|\\s){0,60}";

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_tree(query in trees::query()) {
        let text = query.to_string();
        match parse(&text) {
            Ok(again) => prop_assert_eq!(again, query, "{}", text),
            Err(error) => prop_assert!(false, "{}", error.with_caret(&text)),
        }
    }

    #[test]
    fn random_text_never_panics_and_errors_point_into_it(text in PIECES) {
        match parse(&text) {
            Ok(query) => {
                let printed = query.to_string();
                prop_assert_eq!(parse(&printed), Ok(query), "{}", printed);
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.position));
                prop_assert!(error.with_caret(&text).contains('^'));
            }
        }
    }

    #[test]
    fn a_resolved_query_is_as_good_as_typed(query in trees::query(), now in 1_000_000_000_000_000_000i64..2_000_000_000_000_000_000) {
        let resolved = query.resolved_at(crate::Timestamp(now));
        let again = resolved.clone().resolved_at(crate::Timestamp(0));
        prop_assert_eq!(&again, &resolved, "resolving again changes nothing");
        prop_assert_eq!(parse(&resolved.to_string()), Ok(resolved));
    }
}
