//! Which words a block cannot hold: a filter over the tokens of messages and text fields, and over whole values of
//! text fields that are more than one token.

use insighthub_model::batch::{FieldColumn, FieldValues, TextColumn};
use insighthub_model::query::token;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::encoding::Distinct;
use super::hash_parts::HashParts;
use super::templates::Draft;
use crate::split_filter::SplitFilter;

/// Longer values are looked for by their tokens alone.
const VALUE_BYTES_MAX: usize = 128;
/// As many as fit into a core's first cache.
const RECENT_HASHES: usize = 4_096;

/// The hashes a filter is made of, while the block is written.
#[derive(Debug)]
pub(super) struct TokenSet {
    hashes: HashParts,
    /// Hashes seen lately, each at the place its last bits say: most tokens come again soon, and the set is large.
    recent: Vec<u64>,
    folded: String,
}

impl Default for TokenSet {
    fn default() -> Self {
        TokenSet { hashes: HashParts::default(), recent: vec![0; RECENT_HASHES], folded: String::new() }
    }
}

impl TokenSet {
    /// Takes in the tokens of texts, each different text once where `distinct` knows them.
    pub(super) fn add_texts(&mut self, texts: &TextColumn, distinct: Option<&Distinct>) {
        match distinct {
            None => texts.iter().for_each(|text| self.add_tokens(text)),
            Some(distinct) => {
                distinct.first_rows.iter().for_each(|row| self.add_tokens(texts.get(*row as usize)));
            }
        }
    }

    /// Takes in the tokens of messages: those of a template's literals once, and row by row those that hold a
    /// variable.
    pub(super) fn add_draft(&mut self, draft: &Draft) {
        for ((number, literals), slots) in (0u32..).zip(&draft.literals).zip(&draft.slots) {
            if draft.free == Some(number) {
                slots.iter().for_each(|slot| self.add_texts(slot, None));
                continue;
            }
            let last = literals.len().saturating_sub(1);
            let glue = |at: usize| glued(literals.get(at).map_or("", String::as_str), at > 0, at < last);
            let mut text = String::new();
            for at in 0..literals.len() {
                self.add_tokens(glue(at).1);
            }
            let mut at = 0;
            while at < slots.len() {
                // Slots that only word constituents part are of one token.
                let mut end = at + 1;
                while end < slots.len() && glue(end).1.is_empty() && glue(end).2.is_empty() {
                    end += 1;
                }
                for row in 0..slots.get(at).map_or(0, TextColumn::len) {
                    text.clear();
                    text.push_str(glue(at).2);
                    for slot in at..end {
                        if slot > at {
                            text.push_str(glue(slot).0);
                        }
                        text.push_str(slots.get(slot).map_or("", |slot| slot.get(row)));
                    }
                    text.push_str(glue(end).0);
                    self.add_tokens(&text);
                }
                at = end;
            }
        }
    }

    /// Takes in the tokens and whole values of a field's column.
    pub(super) fn add_field(&mut self, column: &FieldColumn, distinct: Option<&Distinct>) {
        let (FieldValues::Text(texts) | FieldValues::Json(texts)) = &column.values else { return };
        self.add_texts(texts, distinct);
        if !matches!(column.values, FieldValues::Text(_)) {
            return;
        }
        match distinct {
            None => texts.iter().for_each(|text| self.add_value(&column.name, text)),
            Some(distinct) => {
                let rows = distinct.first_rows.iter();
                rows.for_each(|row| self.add_value(&column.name, texts.get(*row as usize)));
            }
        }
    }

    fn add_tokens(&mut self, text: &str) {
        let (hashes, recent) = (&mut self.hashes, &mut self.recent);
        token::for_each_token(text, &mut self.folded, |token| {
            let hash = xxh3_64(token.as_bytes());
            match recent.get_mut(hash as usize % RECENT_HASHES) {
                Some(before) if *before == hash && hash != 0 => {}
                before => {
                    before.into_iter().for_each(|before| *before = hash);
                    hashes.insert(hash);
                }
            }
        });
    }

    fn add_value(&mut self, name: &str, value: &str) {
        if is_token(value) {
            return;
        }
        token::fold_into(value, &mut self.folded);
        if self.folded.len() <= VALUE_BYTES_MAX {
            self.hashes.insert(value_hash(name, &self.folded));
        }
    }

    pub(super) fn filter(self) -> TokenFilter {
        TokenFilter(SplitFilter::of(self.hashes.into_different().into_iter()))
    }
}

/// The filter of a block.
#[derive(Debug, PartialEq)]
pub(super) struct TokenFilter(SplitFilter);

impl TokenFilter {
    /// False when no text of the block has this token, which must be folded.
    pub(super) fn may_hold_token(&self, token: &str) -> bool {
        self.0.may_hold(xxh3_64(token.as_bytes()))
    }

    /// False when no record has this text in the text field of this name, whatever the case.
    pub(super) fn may_hold_value(&self, name: &str, value: &str) -> bool {
        let folded = token::fold(value);
        if !is_token(&folded) && folded.len() <= VALUE_BYTES_MAX {
            return self.0.may_hold(value_hash(name, &folded));
        }
        token::tokens(&folded).all(|token| self.may_hold_token(&token))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// `None` when the bytes are no filter.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<TokenFilter> {
        SplitFilter::from_bytes(bytes).map(TokenFilter)
    }

    pub(super) fn bytes_held(&self) -> usize {
        self.0.bytes_held()
    }
}

/// A literal cut into what belongs to a token of the slot before it, what is of its own, and what belongs to a
/// token of the slot behind it. All of it belongs to the one before where nothing in it ends a token.
fn glued(literal: &str, has_before: bool, has_behind: bool) -> (&str, &str, &str) {
    let start = match has_before {
        true => literal.find(|character| !token::is_word_char(character)).unwrap_or(literal.len()),
        false => 0,
    };
    let (before, rest) = literal.split_at(start);
    let own = match has_behind {
        true => rest.trim_end_matches(token::is_word_char),
        false => rest,
    };
    let (own, behind) = rest.split_at(own.len());
    (before, own, behind)
}

fn value_hash(name: &str, folded: &str) -> u64 {
    xxh3_64_with_seed(folded.as_bytes(), xxh3_64(name.as_bytes()))
}

fn is_token(text: &str) -> bool {
    // Most values are ids in ASCII, whose bytes are quicker to look at than characters.
    let is_ascii_token = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !text.is_empty() && (is_ascii_token || text.chars().all(token::is_word_char))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter_of(texts: &[String]) -> TokenFilter {
        let mut field = FieldColumn::new("f".into(), insighthub_model::batch::FieldKind::Text);
        if let FieldValues::Text(column) = &mut field.values {
            texts.iter().for_each(|text| column.push(text));
        }
        let mut set = TokenSet::default();
        set.add_field(&field, None);
        set.filter()
    }

    proptest! {
        #[test]
        fn nothing_held_is_denied(texts in prop::collection::vec("\\PC{0,20}|[a-zA-Z0-9 -]{0,160}", 0..40)) {
            let filter = filter_of(&texts);
            for text in &texts {
                prop_assert!(token::tokens(text).all(|token| filter.may_hold_token(&token)));
                prop_assert!(filter.may_hold_value("f", text));
                prop_assert!(filter.may_hold_value("f", &text.to_ascii_uppercase()));
            }
            let read = TokenFilter::from_bytes(&filter.to_bytes());
            prop_assert_eq!(read, Some(filter));
        }
    }

    proptest! {
        #[test]
        fn templates_give_the_tokens_of_their_messages(
            shapes in prop::collection::vec("(_|é|[a-z ]{0,3}|[0-9]{1,2}(\\.[0-9])?|[A-F0-9]{3}|[-./]){0,7}", 1..4),
            rows in prop::collection::vec(("[0-9]{1,2}", any::<prop::sample::Index>()), 8..80),
        ) {
            let messages: TextColumn = rows
                .iter()
                .map(|(number, shape)| shape.get(&shapes).replace('0', number))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect();
            let Some(draft) = super::super::templates::cut(&messages) else { return Ok(()) };
            let (mut plain, mut cut) = (TokenSet::default(), TokenSet::default());
            plain.add_texts(&messages, None);
            cut.add_draft(&draft);
            prop_assert_eq!(plain.hashes.into_different(), cut.hashes.into_different());
        }
    }

    #[test]
    fn about_one_in_a_hundred_absent_tokens_passes() {
        let texts: Vec<String> = (0..20_000).map(|number| format!("token{number}")).collect();
        let filter = filter_of(&texts);
        let passed = (0..20_000).filter(|number| filter.may_hold_token(&format!("absent{number}"))).count();
        assert!((20..600).contains(&passed), "{passed} of 20000");
        assert!(!filter.may_hold_value("f", "token1 token2"));
    }
}
