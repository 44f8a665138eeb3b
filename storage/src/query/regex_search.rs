//! A regular expression, and the literal that every text it matches must hold.

use insighthub_model::query::token::{fold, fold_char, is_word_char, tokens};
use insighthub_model::query::{LetterCase, Regex as Pattern};
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// What a compiled expression may take: some times what the largest one that is typed does.
const COMPILED_BYTES_MAX: usize = 8 << 20;
/// More alternatives cost more to look for than they save.
const ALTERNATIVES_MAX: usize = 16;
/// Copies of a counted repetition that are written out.
const COPIES_MAX: u32 = 64;

/// An expression to be found anywhere in a text.
#[derive(Debug, Clone)]
pub(super) struct RegexSearch {
    regex: Regex,
    /// One of these, folded, is in every folded text with a match; empty when nothing is known.
    required: Vec<String>,
    /// The expression is this text and nothing else.
    literal: Option<String>,
    tokens: Vec<String>,
    held: Option<u128>,
    prefix: Option<String>,
}

/// What is known of the texts a part of an expression matches.
enum Known {
    /// It is this, folded.
    Exactly(String),
    /// It holds one of these.
    OneOf(Vec<String>),
    Nothing,
}

/// For the fuzz target: a text with a match holds what the expression requires.
pub(crate) fn finds_what_it_requires(pattern: &Pattern, text: &str) -> bool {
    let Ok(search) = RegexSearch::new(pattern) else { return true };
    let required = search.required();
    let folded = fold(text);
    !search.matches(text) || required.is_empty() || required.iter().any(|part| folded.contains(part.as_str()))
}

impl RegexSearch {
    /// Fails with a sentence for the one who typed it.
    pub(super) fn new(pattern: &Pattern) -> Result<RegexSearch, String> {
        let ignores_case = pattern.case() == LetterCase::Ignored;
        let too_large = |_| "the regular expression is too large: expected smaller counts in { }".to_owned();
        let regex = RegexBuilder::new(pattern.pattern())
            .case_insensitive(ignores_case)
            .size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(too_large)?;
        let hir = ParserBuilder::new().case_insensitive(ignores_case).build().parse(pattern.pattern()).ok();
        let required = match hir.as_ref().map(known) {
            Some(Known::Exactly(text)) if !text.is_empty() => vec![text],
            Some(Known::OneOf(texts)) => texts,
            _ => Vec::new(),
        };
        let literal = match hir.as_ref().map(Hir::kind) {
            Some(HirKind::Literal(literal)) => String::from_utf8(literal.0.to_vec()).ok(),
            _ => None,
        };
        let tokens = match required.as_slice() {
            [text] => inner_tokens(text),
            _ => Vec::new(),
        };
        let held = hir.as_ref().and_then(ascii_held);
        let prefix = hir.as_ref().and_then(prefix);
        Ok(RegexSearch { regex, required, literal, tokens, held, prefix })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Folded texts one of which every folded text with a match holds; empty when none is known.
    pub(super) fn required(&self) -> &[String] {
        &self.required
    }

    /// The text that is looked for, where the expression is no more than that.
    pub(super) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// The ASCII characters that a match may hold, one bit each; `None` where it depends on what is around a match
    /// whether it is one.
    pub(super) fn held(&self) -> Option<u128> {
        self.held
    }

    /// A text that every match begins with, as it stands there.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Tokens that every text with a match has.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

/// The tokens of a text that is found anywhere: those that do not touch its ends.
fn inner_tokens(text: &str) -> Vec<String> {
    let inner = text.trim_start_matches(is_word_char).trim_end_matches(is_word_char);
    tokens(inner).map(|token| token.into_owned()).collect()
}

fn prefix(hir: &Hir) -> Option<String> {
    let first = match hir.kind() {
        HirKind::Concat(parts) => parts.first()?,
        _ => hir,
    };
    let HirKind::Literal(literal) = first.kind() else { return None };
    String::from_utf8(literal.0.to_vec()).ok()
}

/// Recursion is bounded by the nesting of the expression.
fn ascii_held(hir: &Hir) -> Option<u128> {
    let of_range = |(first, last): (u32, u32)| {
        (first..=last.min(0x7f)).fold(0, |held, character| held | 1u128.unbounded_shl(character))
    };
    match hir.kind() {
        HirKind::Empty => Some(0),
        HirKind::Look(_) => None,
        HirKind::Literal(literal) => {
            Some(literal.0.iter().fold(0, |held, byte| held | 1u128.unbounded_shl(u32::from(*byte))))
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges =
                class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end())));
            Some(ranges.map(of_range).fold(0, |held, range| held | range))
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges =
                class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end())));
            Some(ranges.map(of_range).fold(0, |held, range| held | range))
        }
        HirKind::Capture(capture) => ascii_held(&capture.sub),
        HirKind::Repetition(repetition) => ascii_held(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().try_fold(0, |held, part| Some(held | ascii_held(part)?))
        }
    }
}

/// Recursion is bounded by the nesting of the expression.
fn known(hir: &Hir) -> Known {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Known::Exactly(String::new()),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Known::Exactly(fold(text)),
            Err(_) => Known::Nothing,
        },
        HirKind::Class(class) => {
            one_letter(class).map_or(Known::Nothing, |letter| Known::Exactly(letter.into()))
        }
        HirKind::Capture(capture) => known(&capture.sub),
        HirKind::Repetition(repetition) => match known(&repetition.sub) {
            _ if repetition.min == 0 => Known::Nothing,
            Known::Exactly(text)
                if Some(repetition.min) == repetition.max && repetition.min <= COPIES_MAX =>
            {
                Known::Exactly(text.repeat(repetition.min as usize))
            }
            Known::Exactly(text) => one_of(vec![text]),
            other => other,
        },
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                match known(part) {
                    Known::Exactly(text) => texts.push(text),
                    Known::OneOf(more) => texts.extend(more),
                    Known::Nothing => return Known::Nothing,
                }
            }
            one_of(texts)
        }
    }
}

fn one_of(texts: Vec<String>) -> Known {
    let is_of_use = texts.len() <= ALTERNATIVES_MAX && texts.iter().all(|text| !text.is_empty());
    if is_of_use { Known::OneOf(texts) } else { Known::Nothing }
}

fn of_sequence(parts: &[Hir]) -> Known {
    let mut best: Option<Vec<String>> = None;
    let mut open = String::new();
    let mut is_exact = true;
    let shortest = |texts: &[String]| texts.iter().map(String::len).min().unwrap_or(0);
    let mut offer = |texts: Vec<String>| {
        if shortest(&texts) > best.as_deref().map_or(0, shortest) {
            best = Some(texts);
        }
    };
    for part in parts {
        match known(part) {
            Known::Exactly(text) => open.push_str(&text),
            other => {
                is_exact = false;
                offer(vec![std::mem::take(&mut open)]);
                if let Known::OneOf(texts) = other {
                    offer(texts);
                }
            }
        }
    }
    if is_exact {
        return Known::Exactly(open);
    }
    offer(vec![open]);
    best.map_or(Known::Nothing, one_of)
}

/// The folded letter of a class that is one letter in its two cases.
fn one_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut letters = class.ranges().iter().flat_map(|range| range.start()..=range.end()).map(fold_char);
    let first = letters.next()?;
    letters.take(ALTERNATIVES_MAX).all(|letter| letter == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(pattern: &str, case: LetterCase) -> RegexSearch {
        RegexSearch::new(&Pattern::new(pattern, case).unwrap()).unwrap()
    }

    #[test]
    fn what_must_be_there_is_known() {
        for (pattern, required) in [
            ("timeout after \\d+ ms", vec!["timeout after "]),
            ("^GET /(api|health)/x", vec!["get /"]),
            ("(foo|ba[rR])", vec!["foo", "bar"]),
            ("a{3}b", vec!["aaab"]),
            ("(ab)+", vec!["ab"]),
            ("\\d+", vec![]),
            ("x*|abc", vec![]),
            ("(a|)b", vec!["b"]),
            ("Größe", vec!["größe"]),
        ] {
            assert_eq!(search(pattern, LetterCase::Counts).required(), required, "{pattern}");
        }
        assert_eq!(search("TimeOut", LetterCase::Ignored).required(), ["timeout"]);
        assert_eq!(search("x failed to y", LetterCase::Counts).tokens(), ["failed", "to"]);
        assert_eq!(search("timeout", LetterCase::Counts).literal(), Some("timeout"));
        assert_eq!(search("timeout$", LetterCase::Counts).literal(), None);
    }
}
