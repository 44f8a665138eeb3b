//! Where words begin and end, and what "the same but for case" means. Search, block filters and live
//! tail share these rules: a record found by one way must be found by every way.
//!
//! A word constituent is a Unicode alphanumeric or `_`; a token is a maximal run of them, folded.

use std::borrow::Cow;

/// True for letters and digits of any script, and for `_`.
pub fn is_word_char(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || character == '_'
    } else {
        character.is_alphanumeric()
    }
}

/// The lower-case form of one character, one character long.
///
/// ASCII folds to ASCII and the rest never does, so that ASCII text can be searched byte by byte:
/// the Kelvin sign is not a `k`. A character whose lower case has two characters stays as it is.
pub fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(folded), None) if !folded.is_ascii() => folded,
        _ => character,
    }
}

/// Replaces what `folded` holds by the folded text. The buffer is an argument because callers fold
/// text after text.
pub fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(text.chars().map(fold_char));
    }
}

/// The folded text.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// The tokens of a text, in order. See [`for_each_token`] for the way without allocation.
pub fn tokens(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    runs(text).map(|run| {
        let is_folded = run.chars().all(|character| fold_char(character) == character);
        if is_folded { Cow::Borrowed(run) } else { Cow::Owned(fold(run)) }
    })
}

/// Visits the tokens of a text; `folded` is scratch space that callers keep from text to text.
pub fn for_each_token(text: &str, folded: &mut String, visit: impl FnMut(&str)) {
    fold_into(text, folded);
    // Folding never makes a word constituent of anything else or the other way round.
    runs(folded).for_each(visit);
}

/// Maximal runs of word constituents.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = run_start(rest)?;
        let run = rest.get(start..)?;
        let length = run_length(run);
        let (run, after) = run.split_at_checked(length)?;
        rest = after;
        Some(run)
    })
}

/// Where the first word constituent stands.
fn run_start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|byte| !byte.is_ascii() || is_word_byte(*byte))?;
    if bytes.get(at).is_some_and(u8::is_ascii) {
        return Some(at);
    }
    let rest = text.get(at..)?;
    rest.find(is_word_char).map(|found| at + found)
}

/// Length of the run of word constituents at the start.
fn run_length(text: &str) -> usize {
    let ascii = text.bytes().take_while(|byte| is_word_byte(*byte)).count();
    match text.as_bytes().get(ascii) {
        Some(byte) if !byte.is_ascii() => {
            let rest = text.get(ascii..).unwrap_or("");
            ascii + rest.find(|character| !is_word_char(character)).unwrap_or(rest.len())
        }
        _ => ascii,
    }
}

fn is_word_byte(byte: u8) -> bool {
    WORD_BYTES.get(usize::from(byte)).copied().unwrap_or(false)
}

const WORD_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collected(text: &str) -> Vec<String> {
        tokens(text).map(Cow::into_owned).collect()
    }

    #[test]
    fn tokens_are_runs_of_letters_digits_and_underscores_in_lower_case() {
        assert_eq!(
            collected("Timeout after 30s: user-id=U_7 (10.0.0.1)"),
            ["timeout", "after", "30s", "user", "id", "u_7", "10", "0", "0", "1"]
        );
        assert_eq!(collected("ÜBER-größe, 東京都 ✓"), ["über", "größe", "東京都"]);
        assert!(collected(" -- ").is_empty());
        assert!(collected("").is_empty());
    }

    #[test]
    fn folding_keeps_word_constituents_apart_from_the_rest_and_is_final() {
        for character in '\0'..=char::MAX {
            let folded = fold_char(character);
            assert_eq!(is_word_char(character), is_word_char(folded), "{character:?} folds to {folded:?}");
            assert_eq!(fold_char(folded), folded, "{character:?} folds to {folded:?}");
            assert_eq!(character.is_ascii(), folded.is_ascii(), "{character:?} folds to {folded:?}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_to_tokens_agree_with_the_definition(text in "([a-zA-Z0-9_ .:-]|\\PC){0,40}") {
            let expected: Vec<String> = text
                .split(|character| !is_word_char(character))
                .filter(|run| !run.is_empty())
                .map(|run| run.chars().map(fold_char).collect())
                .collect();
            prop_assert_eq!(collected(&text), expected.clone());
            let mut visited = Vec::new();
            for_each_token(&text, &mut String::new(), |token| visited.push(token.to_owned()));
            prop_assert_eq!(visited, expected);
        }
    }
}
