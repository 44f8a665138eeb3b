//! Word search against its definition, row by row and column-wise.

use proptest::prelude::*;

use super::*;
use insighthub_model::query::token::fold_char;

/// The definition, slowly: at some place the folded characters are the needle's, and no word
/// constituent stands before or behind.
fn defined(needle: &str, text: &str) -> bool {
    let needle: Vec<char> = needle.chars().map(fold_char).collect();
    let text: Vec<char> = text.chars().map(fold_char).collect();
    (0..=text.len().saturating_sub(needle.len())).any(|at| {
        text[at..].starts_with(&needle)
            && (at == 0 || !is_word_char(text[at - 1]))
            && text.get(at + needle.len()).is_none_or(|next| !is_word_char(*next))
    })
}

/// The definition of a wildcard word: some stretch without white space, bounded on both sides, is the
/// parts with any runs between them.
fn wildcard_defined(parts: &[String], text: &str) -> bool {
    let parts: Vec<String> = parts.iter().map(|part| fold(part)).collect();
    let text: Vec<char> = fold(text).chars().collect();
    let bounded = |start: usize, end: usize| {
        (start == 0 || !is_word_char(text[start - 1]))
            && text.get(end).is_none_or(|next| !is_word_char(*next))
    };
    (0..=text.len()).any(|start| {
        (start..=text.len()).any(|end| {
            let stretch: String = text[start..end].iter().collect();
            bounded(start, end)
                && !stretch.contains(char::is_whitespace)
                && !stretch.is_empty()
                && insighthub_model::query::pattern::glob_matches(&parts, &stretch)
        })
    })
}

fn exact(needle: &str) -> WordSearch {
    WordSearch::new(&Text::Exact(needle.to_owned()))
}

fn matches(search: &WordSearch, text: &str) -> bool {
    search.matches(text, &mut String::new())
}

#[test]
fn words_are_found_as_grep_finds_them() {
    for (needle, text) in [
        ("timeout", "Stripe TIMEOUT after 30s"),
        ("10.0.0.1", "from 10.0.0.1:8080"),
        ("user-id", "x-user-id=7"),
        ("größe", "Die GRÖSSE, die Größe"),
        ("ÜBER", "über-mut"),
        ("a-a", "xa-a-a"),
        ("read timeout", "read timeout"),
    ] {
        assert!(matches(&exact(needle), text), "{needle} in {text}");
    }
    for (needle, text) in [
        ("time", "timeout"),
        ("out", "timeout"),
        ("10.0.0.1", "110.0.0.1"),
        ("id", "user_id"),
        ("ber", "über"),
        ("k", "\u{212a}"),
        ("", "a"),
    ] {
        assert!(!matches(&exact(needle), text), "{needle} in {text}");
    }
}

#[test]
fn tokens_that_touch_a_star_are_not_promised() {
    let whole =
        |parts: &[&str]| whole_tokens(&Text::Wildcard(parts.iter().map(|part| (*part).to_owned()).collect()));
    assert_eq!(whole(&["user-id", ""]), ["user"]);
    assert_eq!(whole(&["", "-id=7"]), ["id", "7"]);
    assert_eq!(whole(&["a.b.c", "d.e.f"]), ["a", "b", "e", "f"]);
    assert!(whole(&["pay", "x", "load"]).is_empty());
    assert_eq!(whole_tokens(&Text::Exact("Read-Timeout".into())), ["read", "timeout"]);
}

fn some_text() -> impl Strategy<Value = String> {
    "([abAB]|[abAB]|[ ._-]|[üÜσΣ\u{212a}✓]){0,24}"
}

proptest! {
    #[test]
    fn column_and_row_search_agree_with_the_definition(
        texts in proptest::collection::vec(some_text(), 0..70),
        needle in "([abAB]|[ ._-]|[üÜσ]){1,4}",
        wanted in any::<u64>(),
    ) {
        let search = exact(&needle);
        let column: TextColumn = texts.iter().map(String::as_str).collect();
        let mut rows = Bitmap::full(texts.len());
        rows.retain(|row| wanted >> (row % 64) & 1 == 1);
        let expected: Vec<usize> = rows.iter().filter(|row| defined(&needle, &texts[*row])).collect();
        search.narrow(&column, &mut rows);
        prop_assert_eq!(rows.iter().collect::<Vec<_>>(), expected);
        for text in &texts {
            if matches(&search, text) {
                let held: Vec<String> = tokens(text).map(|token| token.into_owned()).collect();
                prop_assert!(search.tokens().iter().all(|token| held.contains(token)));
            }
        }
    }

    #[test]
    fn wildcard_words_agree_with_the_definition(
        texts in proptest::collection::vec(some_text(), 0..20),
        parts in proptest::collection::vec("([abAB]|[._-]|[üσ]){0,2}", 2..4),
    ) {
        let Ok(query) = insighthub_model::query::parse(&parts.join("*").replace('-', "\\-")) else { return Ok(()) };
        let insighthub_model::query::Expression::Message(Text::Wildcard(parts)) = query.filter else { return Ok(()) };
        let search = WordSearch::new(&Text::Wildcard(parts.clone()));
        let column: TextColumn = texts.iter().map(String::as_str).collect();
        let mut rows = Bitmap::full(texts.len());
        search.narrow(&column, &mut rows);
        for (row, text) in texts.iter().enumerate() {
            let expected = wildcard_defined(&parts, text);
            prop_assert_eq!(rows.contains(row), expected, "{:?} in {:?}", parts, text);
            prop_assert_eq!(matches(&search, text), expected);
            if expected {
                let held: Vec<String> = tokens(text).map(|token| token.into_owned()).collect();
                prop_assert!(search.tokens().iter().all(|token| held.contains(token)));
            }
        }
    }
}
