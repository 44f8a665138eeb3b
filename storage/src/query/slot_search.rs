//! A word of letters and digits in the slots of a template: decided slot by slot, without putting messages
//! together. Beside a slot there is no letter or digit of ASCII, so such a word lies in one slot or in none.

use insighthub_model::query::token::is_word_char;

use crate::column_source::{Codes, ColumnError, Numbers, Printed, Template, Texts, ids, slot_character};

/// Reads what stands in a slot of the template in question.
pub(super) type Slots<'a> = dyn Fn(usize) -> Result<Option<Texts<'static>>, ColumnError> + 'a;

/// The word, folded, and whether what is before and behind the slot ends a word.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    word: &'a str,
    is_free_before: bool,
    is_free_behind: bool,
}

/// True for words that this can look for.
pub(super) fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Row by row of the template, whether one of its slots holds the plain, folded word. Reads the slots that may.
pub(super) fn rows_holding(
    template: &Template,
    slots: &Slots<'_>,
    word: &str,
) -> Result<Vec<bool>, ColumnError> {
    let mut found = vec![false; template.rows as usize];
    let neighbours = template.literals.iter().zip(template.literals.iter().skip(1));
    for ((slot, characters), (before, behind)) in template.characters.iter().enumerate().zip(neighbours) {
        if word.bytes().any(|byte| characters & slot_character(byte) == 0) {
            continue;
        }
        let Some(slot) = slots(slot)? else { continue };
        let wanted = Wanted {
            word,
            is_free_before: !before.ends_with(is_word_char),
            is_free_behind: !behind.starts_with(is_word_char),
        };
        match &slot {
            Texts::Coded { .. } => of_codes(slot.codes(), wanted, &mut found),
            Texts::Printed(printed) => of_printed(printed, wanted, &mut found),
            Texts::Plain(texts) => {
                found.iter_mut().zip(texts.iter()).for_each(|(found, text)| *found |= wanted.is_in(text));
            }
        }
    }
    Ok(found)
}

fn of_codes(codes: Option<Codes<'_>>, wanted: Wanted<'_>, found: &mut [bool]) {
    let Some(Codes { values, codes }) = codes else { return };
    let verdicts: Vec<bool> = values.iter().map(|text| wanted.is_in(text)).collect();
    for (found, code) in found.iter_mut().zip(codes) {
        *found |= verdicts.get(*code as usize).is_some_and(|is| *is);
    }
}

fn of_printed(printed: &Printed, wanted: Wanted<'_>, found: &mut [bool]) {
    let number = ids::integer(wanted.word);
    match printed.bare() {
        Some(Numbers::Integers(values)) => {
            let number = number.filter(|_| wanted.is_free_before && wanted.is_free_behind);
            if let Some(number) = number {
                found.iter_mut().zip(values).for_each(|(found, value)| *found |= *value == number);
            }
        }
        Some(Numbers::Decimals { scaled, scale, digits })
            if wanted.word.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let unit = 10i64.pow(*scale);
            let fraction = wanted.word.parse::<i64>().ok();
            for ((found, scaled), digits) in found.iter_mut().zip(scaled).zip(digits) {
                let digits = u32::from(*digits);
                let is_free_behind = wanted.is_free_behind || digits > 0;
                let is_whole = wanted.is_free_before && is_free_behind && number == Some(scaled / unit);
                let is_fraction = || {
                    let shown = scaled % unit / 10i64.pow(scale.saturating_sub(digits));
                    wanted.is_free_behind
                        && digits > 0
                        && wanted.word.len() == digits as usize
                        && fraction == Some(shown)
                };
                *found |= is_whole || is_fraction();
            }
        }
        _ => {
            let mut text = String::new();
            for (at, found) in found.iter_mut().enumerate() {
                text.clear();
                printed.push(at, &mut text);
                *found |= wanted.is_in(&text);
            }
        }
    }
}

impl Wanted<'_> {
    fn is_in(self, text: &str) -> bool {
        let mut start = 0;
        text.split(|character: char| !character.is_ascii_alphanumeric()).any(|run| {
            let end = start + run.len();
            let is_free = (start > 0 || self.is_free_before) && (end < text.len() || self.is_free_behind);
            start = end + 1;
            is_free && run.eq_ignore_ascii_case(self.word)
        })
    }
}
