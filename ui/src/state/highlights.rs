//! Which parts of a text are marked: what the query looks for, and the words the reader follows with the eye.

use insighthub_model::query::token::{fold_char, is_word_char};
use insighthub_model::query::{self, Expression, FieldTest, Test, Text};

/// More words than that mark everything.
const TERMS_MAX: usize = 16;

/// Words to mark, case aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Highlights(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    folded: Vec<char>,
    /// It must not go on before, or after, as a part of a longer word.
    starts_word: bool,
    ends_word: bool,
}

impl Highlights {
    /// What a query looks for in messages, and words with white space between them.
    pub fn of(query: &str, words: &str) -> Highlights {
        let mut terms = Vec::new();
        if let Ok(found) = query::parse_filter(query) {
            collect(&found, &mut terms);
        }
        terms.extend(words.split_whitespace().filter_map(|word| Term::new(word, false, false)));
        terms.truncate(TERMS_MAX);
        Highlights(terms)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text in parts, those that are marked and those that are not.
    pub fn parts<'a>(&self, text: &'a str) -> Vec<(bool, &'a str)> {
        let letters: Vec<(usize, char)> =
            text.char_indices().map(|(at, letter)| (at, fold_char(letter))).collect();
        let mut marked: Vec<(usize, usize)> = self.0.iter().flat_map(|term| term.places(&letters)).collect();
        marked.sort_unstable();
        let byte = |place: usize| letters.get(place).map_or(text.len(), |(at, _)| *at);
        let (mut parts, mut done) = (Vec::new(), 0);
        for (from, to) in marked {
            let (from, to) = (byte(from).max(done), byte(to));
            if to <= from {
                continue;
            }
            parts.push((false, text.get(done..from).unwrap_or_default()));
            parts.push((true, text.get(from..to).unwrap_or_default()));
            done = to;
        }
        parts.push((false, text.get(done..).unwrap_or_default()));
        parts.retain(|(_, part)| !part.is_empty());
        parts
    }
}

impl Term {
    fn new(text: &str, starts_word: bool, ends_word: bool) -> Option<Term> {
        let folded: Vec<char> = text.chars().map(fold_char).collect();
        (!folded.is_empty()).then_some(Term { folded, starts_word, ends_word })
    }

    /// First letter, and the one after the last, of each place.
    fn places(&self, letters: &[(usize, char)]) -> Vec<(usize, usize)> {
        let length = self.folded.len();
        let is_word = |place: Option<usize>| {
            place.and_then(|place| letters.get(place)).is_some_and(|(_, letter)| is_word_char(*letter))
        };
        let fits = |(from, window): (usize, &[(usize, char)])| {
            let is_same = window.iter().map(|(_, letter)| letter).eq(&self.folded);
            let is_cut = (self.starts_word && is_word(from.checked_sub(1)))
                || (self.ends_word && is_word(Some(from + length)));
            (is_same && !is_cut).then_some((from, from + length))
        };
        letters.windows(length).enumerate().filter_map(fits).collect()
    }
}

fn collect(expression: &Expression, terms: &mut Vec<Term>) {
    match expression {
        Expression::Message(text) => terms.extend(terms_of(text)),
        Expression::Field(FieldTest { name, test: Test::Is(text) | Test::Contains(text) })
            if name == "message" =>
        {
            terms.extend(terms_of(text));
        }
        Expression::And(parts) | Expression::Or(parts) => parts.iter().for_each(|part| collect(part, terms)),
        // What must not be there cannot be marked.
        Expression::Not(_) | Expression::All | Expression::Field(_) => {}
    }
}

fn terms_of(text: &Text) -> Vec<Term> {
    match text {
        Text::Exact(text) => Term::new(text, true, true).into_iter().collect(),
        Text::Wildcard(parts) => {
            let last = parts.len().saturating_sub(1);
            let term = |(place, part): (usize, &String)| Term::new(part, place == 0, place == last);
            parts.iter().enumerate().filter_map(term).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, words: &str, text: &str) -> String {
        let parts = Highlights::of(query, words).parts(text).into_iter();
        parts.map(|(is_marked, part)| if is_marked { format!("[{part}]") } else { part.to_owned() }).collect()
    }

    #[test]
    fn what_was_looked_for_is_marked_as_the_query_means_it() {
        let text = "Card declined: card of discarded user, größe";
        assert_eq!(shown("card", "", text), "[Card] declined: [card] of discarded user, größe");
        assert_eq!(
            shown("\"card declined\" level:error", "", text),
            "[Card declined]: card of discarded user, größe"
        );
        assert_eq!(shown("disc*", "", text), "Card declined: card of [disc]arded user, größe");
        assert_eq!(shown("-card OR GRÖßE", "", text), "Card declined: card of discarded user, [größe]");
    }

    #[test]
    fn words_to_follow_are_marked_wherever_they_stand() {
        assert_eq!(shown("", "ard USE", "card used"), "c[ard] [use]d");
        assert_eq!(shown("(half", "", "half"), "half");
    }

    #[test]
    fn marks_that_overlap_are_one_after_the_other() {
        assert_eq!(shown("", "abc bcd", "abcd"), "[abc][d]");
        assert_eq!(shown("", "", "abcd"), "abcd");
    }
}
