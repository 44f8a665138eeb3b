//! The level that a line of plain text names: what its protocol does not say in a field of its own.

use insighthub_model::Level;

/// A level stands near the beginning: `2025-12-02 10:10:02,123 [main] ERROR ...`.
const LOOKED_AT_BYTES: usize = 256;
/// Names of a level in logfmt.
const KEYS: [&str; 4] = ["level", "lvl", "severity", "loglevel"];

/// Words that are a level and nothing else, where they stand in capitals or in brackets.
const WORDS: [&str; 12] = [
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERR", "ERROR", "SEVERE", "CRIT", "CRITICAL",
    "FATAL",
];

/// `level=warn` anywhere near the beginning, else the first word that is a level in capitals or in brackets.
pub(in crate::ingest) fn find(line: &str) -> Option<Level> {
    let start = line.get(..line.floor_char_boundary(LOOKED_AT_BYTES)).unwrap_or_default();
    let of_key = start.split([' ', '\t']).find_map(|word| {
        let (key, value) = word.split_once('=')?;
        KEYS.contains(&key).then(|| value.trim_matches('"').parse().ok()).flatten()
    });
    of_key.or_else(|| {
        start.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()).scan(' ', word).flatten().next()
    })
}

/// The level of a word that is one beyond doubt. `before` is the letter in front of the word.
fn word(before: &mut char, word: &str) -> Option<Option<Level>> {
    let bare = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let after = word.get(bare.len()..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
    let in_brackets = matches!((*before, after), ('[', ']') | ('<', '>') | ('(', ')'));
    *before = after;
    let is_whole = !matches!(after, '-' | '_' | '=' | '/' | '.');
    let is_word = |word: &&str| *word == bare || (in_brackets && word.eq_ignore_ascii_case(bare));
    let is_level = (in_brackets || is_whole) && WORDS.iter().any(is_word);
    Some(is_level.then(|| bare.parse().ok()).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_where_it_is_named_and_not_where_a_word_looks_like_one() {
        for (line, level) in [
            ("level=warn msg=\"disk is slow\"", Some(Level::Warn)),
            ("ts=1 lvl=\"error\" x=y", Some(Level::Error)),
            ("2025-12-02 10:10:02,123 [main] ERROR pay - no", Some(Level::Error)),
            ("2025-12-02T10:10:02Z WARN: disk", Some(Level::Warn)),
            ("[error] upstream gone", Some(Level::Error)),
            ("INFO started", Some(Level::Info)),
            ("081109 203615 148 INFO dfs.DataNode$PacketResponder: terminating", Some(Level::Info)),
            ("there was no error at all", None),
            ("ERROR_CODE=5", None),
            ("an LOG of oak", None),
            ("level=oak", None),
            ("", None),
        ] {
            let found = find(line);
            assert_eq!(found, level, "{line}");
        }
    }
}
