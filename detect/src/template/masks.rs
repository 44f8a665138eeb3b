//! Variable parts that a company knows of its own messages (order numbers of letters, names of tenants): regular
//! expressions whose matches become `<*>` before the built-in masks look.
//!
//! All replicas of a service must have the same from the same record on.

use std::borrow::Cow;

use insighthub_model::detection::DetectionSettings;
use regex::{Regex, RegexBuilder};

use super::mask::{MASK, cut};

/// Expressions there may be: each is a pass over each message.
pub const MASKS_MAX: usize = DetectionSettings::MASKS_MAX;
/// Bytes of an expression compiled, so that no counted repetition takes the memory.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Why expressions cannot be masks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    #[error("mask {number}, `{pattern}`: {reason}")]
    Pattern { number: usize, pattern: String, reason: String },
    #[error("{0} masks, at most {MASKS_MAX} are taken")]
    TooMany(usize),
}

/// The expressions, compiled.
#[derive(Debug, Clone, Default)]
pub struct Masks {
    patterns: Vec<Regex>,
}

impl PartialEq for Masks {
    fn eq(&self, other: &Masks) -> bool {
        self.patterns.iter().map(Regex::as_str).eq(other.patterns.iter().map(Regex::as_str))
    }
}

impl Masks {
    /// Compiles expressions; they are applied in this order. Those that match nothing at all are refused: they would put a
    /// mask between any two letters.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Masks, MaskError> {
        if patterns.len() > MASKS_MAX {
            return Err(MaskError::TooMany(patterns.len()));
        }
        let compile = |(number, pattern): (usize, &S)| {
            let pattern = pattern.as_ref();
            compiled(pattern).map_err(|reason| MaskError::Pattern {
                number,
                pattern: pattern.to_owned(),
                reason,
            })
        };
        let patterns = (1..).zip(patterns).map(compile).collect::<Result<_, _>>()?;
        Ok(Masks { patterns })
    }

    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The message with each match masked; no further than templates look.
    pub(super) fn apply<'a>(&self, message: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(cut(message));
        for pattern in &self.patterns {
            let replaced = match pattern.replace_all(&text, regex::NoExpand(MASK)) {
                Cow::Owned(replaced) => Some(replaced),
                Cow::Borrowed(_) => None,
            };
            if let Some(replaced) = replaced {
                text = Cow::Owned(replaced);
            }
        }
        text
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    if let Err(error) = regex_syntax::parse(pattern) {
        return Err(match &error {
            regex_syntax::Error::Parse(error) => at(error.kind(), error.span().start.column),
            regex_syntax::Error::Translate(error) => at(error.kind(), error.span().start.column),
            other => other.to_string(),
        });
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| format!("{error}"))?;
    if compiled.is_match("") { Err("it matches nothing at all".to_owned()) } else { Ok(compiled) }
}

fn at(kind: &dyn std::fmt::Display, column: usize) -> String {
    format!("{kind} at column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_masked_in_order_and_the_rest_is_left() {
        let masks = Masks::new(&[r"tenant=\S+", r"\b[A-Z]{3}-[A-Z]{3}\b"]).unwrap();
        assert_eq!(masks.apply("order ABC-XYZ of tenant=$1 sent"), "order <*> of <*> sent");
        assert!(matches!(masks.apply("nothing here"), Cow::Borrowed("nothing here")));
    }

    #[test]
    fn an_expression_that_is_none_is_named_with_its_place() {
        let error = |patterns: &[&str]| Masks::new(patterns).unwrap_err().to_string();
        assert_eq!(error(&["a+", "b(c"]), "mask 2, `b(c`: unclosed group at column 2");
        assert_eq!(error(&["x*"]), "mask 1, `x*`: it matches nothing at all");
        assert!(error(&["(?:a{500}){500}"]).contains("size"), "{}", error(&["(?:a{500}){500}"]));
        assert_eq!(error(&["a"; MASKS_MAX + 1]), "33 masks, at most 32 are taken");
    }
}
