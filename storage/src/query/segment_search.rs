//! A regular expression in the messages of a template, without putting messages together: a match holds only
//! characters that the expression can take, so it lies between two that it cannot. What stands between such
//! characters of the template's literals is looked at alone, and of one variable each value once.

use foldhash::{HashMap, HashMapExt};
use insighthub_model::query::token::fold;

use super::regex_search::RegexSearch;
use super::slot_search::Slots;
use super::template_search::{Ends, may_hold};
use crate::column_source::{Codes, ColumnError, Printed, Template, Texts, slot_character};

/// A stretch of a template that a match cannot reach out of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// One more than there are slots in it.
    literals: Vec<String>,
    /// Number of its first slot in the template.
    first_slot: usize,
}

/// What a template says of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judged {
    /// Every row has a match, or none.
    Always,
    Never,
    /// A row has a match where one of these has.
    In(Vec<Segment>),
}

/// `held` are the ASCII characters that a match may hold, one bit each.
pub(super) fn judge(template: &Template, regex: &RegexSearch, held: u128) -> Judged {
    let mut open = Vec::new();
    for segment in segments(template, held) {
        match segment.literals.as_slice() {
            [text] if regex.matches(text) => return Judged::Always,
            [_] => {}
            _ if may_match(&segment, template, regex) => open.extend(from_prefix(segment, template, regex)),
            _ => {}
        }
    }
    if open.is_empty() { Judged::Never } else { Judged::In(open) }
}

fn segments(template: &Template, held: u128) -> Vec<Segment> {
    let is_cut = |character: char| character.is_ascii() && held >> (character as u32) & 1 == 0;
    let mut all = Vec::new();
    let mut open = Segment { literals: Vec::new(), first_slot: 0 };
    for (number, literal) in template.literals.iter().enumerate() {
        let mut pieces = literal.split(is_cut);
        open.literals.push(pieces.next().unwrap_or_default().to_owned());
        for piece in pieces {
            let next = Segment { literals: vec![piece.to_owned()], first_slot: number };
            all.push(std::mem::replace(&mut open, next));
        }
    }
    all.push(open);
    all
}

/// The segment from the first place on where a match may begin; none where there is no such place. Known where every
/// match begins with a text no byte of which the slots hold.
fn from_prefix(segment: Segment, template: &Template, regex: &RegexSearch) -> Option<Segment> {
    let Some(prefix) = regex.prefix() else { return Some(segment) };
    let slots = segment.first_slot..segment.first_slot + segment.literals.len() - 1;
    let held = template.characters.get(slots).unwrap_or(&[]).iter().fold(0, |held, slot| held | slot);
    let is_free = template.literals.iter().all(String::is_empty);
    if is_free || fold(prefix).bytes().any(|byte| held & slot_character(byte) != 0) {
        return Some(segment);
    }
    let mut places = segment.literals.iter().enumerate();
    let (number, at) = places.find_map(|(number, literal)| Some((number, literal.find(prefix)?)))?;
    let mut literals = segment.literals;
    literals.drain(..number);
    if let Some(first) = literals.first_mut() {
        first.drain(..at);
    }
    Some(Segment { literals, first_slot: segment.first_slot + number })
}

/// False when what must be in every match cannot stand in the segment.
fn may_match(segment: &Segment, template: &Template, regex: &RegexSearch) -> bool {
    let slots = segment.first_slot..segment.first_slot + segment.literals.len() - 1;
    let Some(characters) = template.characters.get(slots) else { return true };
    let part = Template::new(segment.literals.clone(), characters.to_vec(), template.rows);
    let ends = Ends { start_bounded: false, end_bounded: false };
    regex.required().is_empty() || regex.required().iter().any(|text| may_hold(&part, text, ends))
}

/// Row by row of the template, whether one of the segments has a match. Reads the slots of these.
pub(super) fn rows_matching(
    segments: &[Segment],
    slots: &Slots<'_>,
    rows: usize,
    regex: &RegexSearch,
) -> Result<Vec<bool>, ColumnError> {
    let mut found = vec![false; rows];
    for segment in segments {
        let numbers = segment.first_slot..segment.first_slot + segment.literals.len().saturating_sub(1);
        let slots: Vec<Texts<'static>> =
            numbers.filter_map(|slot| slots(slot).transpose()).collect::<Result<_, _>>()?;
        match (segment.literals.as_slice(), slots.as_slice()) {
            ([before, behind], [slot]) => {
                let mut text = String::new();
                let mut matches = |value: &dyn Fn(&mut String)| {
                    text.clear();
                    text.push_str(before);
                    value(&mut text);
                    text.push_str(behind);
                    regex.matches(&text)
                };
                of_one_slot(slot, &mut found, &mut matches);
            }
            (literals, slots) => of_slots(literals, slots, regex, &mut found),
        }
    }
    Ok(found)
}

/// Judges the segment with what is pushed into its slot.
type Matches<'a> = dyn FnMut(&dyn Fn(&mut String)) -> bool + 'a;

/// Judges each different value once where they are known by number.
fn of_one_slot(slot: &Texts<'_>, found: &mut [bool], matches: &mut Matches<'_>) {
    match slot {
        Texts::Coded { .. } => {
            let Some(Codes { values, codes }) = slot.codes() else { return };
            let verdicts: Vec<bool> =
                values.iter().map(|value| matches(&|text: &mut String| text.push_str(value))).collect();
            for (found, code) in found.iter_mut().zip(codes) {
                *found |= verdicts.get(*code as usize).is_some_and(|is| *is);
            }
        }
        Texts::Printed(printed) => of_printed(printed, found, matches),
        Texts::Plain(texts) => {
            for (found, value) in found.iter_mut().zip(texts.iter()) {
                *found = *found || matches(&|text: &mut String| text.push_str(value));
            }
        }
    }
}

fn of_printed(printed: &Printed, found: &mut [bool], matches: &mut Matches<'_>) {
    let mut known: HashMap<(i64, u8), bool> = HashMap::new();
    for (at, found) in found.iter_mut().enumerate().filter(|(_, found)| !**found) {
        let mut look = || matches(&|text: &mut String| printed.push(at, text));
        *found = match printed.number(at) {
            Some(number) => *known.entry(number).or_insert_with(look),
            None => look(),
        };
    }
}

fn of_slots(literals: &[String], slots: &[Texts<'_>], regex: &RegexSearch, found: &mut [bool]) {
    let mut text = String::new();
    for (at, found) in found.iter_mut().enumerate().filter(|(_, found)| !**found) {
        text.clear();
        let mut slots = slots.iter();
        for (number, literal) in literals.iter().enumerate() {
            if number > 0
                && let Some(slot) = slots.next()
            {
                slot.push(at, &mut text);
            }
            text.push_str(literal);
        }
        *found = regex.matches(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query::{LetterCase, Regex};

    fn judged(literals: &[&str], pattern: &str) -> Judged {
        let regex = RegexSearch::new(&Regex::new(pattern, LetterCase::Counts).unwrap()).unwrap();
        let literals: Vec<String> = literals.iter().map(|literal| (*literal).to_owned()).collect();
        // Digits alone.
        let characters = vec![(1 << 10) - 1; literals.len() - 1];
        judge(&Template::new(literals, characters, 1), &regex, regex.held().unwrap())
    }

    fn segment(literals: &[&str], first_slot: usize) -> Judged {
        let literals = literals.iter().map(|literal| (*literal).to_owned()).collect();
        Judged::In(vec![Segment { literals, first_slot }])
    }

    #[test]
    fn a_match_is_looked_for_between_characters_it_cannot_hold() {
        let pattern = r"took ([89]\d\d|[1-9]\d{3,})ms";
        assert_eq!(judged(&["GET /a/", " took ", "ms in ", " rows"], pattern), segment(&["took ", "ms "], 1));
        assert_eq!(judged(&["took 950ms, ", " rows"], pattern), Judged::Always);
        assert_eq!(judged(&["took ", " s"], pattern), segment(&["took ", " s"], 0));
        assert_eq!(judged(&["order ", " paid"], pattern), Judged::Never);
        assert_eq!(judged(&["took", " took ", "ms"], pattern), segment(&["took ", "ms"], 1));
        // It may begin in the slot.
        assert_eq!(judged(&["in: ", " took ", "ms"], r"\d took \d{4}ms"), segment(&[" ", " took ", "ms"], 0));
        assert_eq!(
            judged(&["/", "/", "/"], r"\d\d"),
            Judged::In(vec![
                Segment { literals: vec![String::new(), String::new()], first_slot: 0 },
                Segment { literals: vec![String::new(), String::new()], first_slot: 1 },
            ])
        );
    }

    #[test]
    fn what_looks_around_cannot_be_cut() {
        for pattern in [r"\btook", "^a", "a$", r"(?m)a$", r"a|\Bb"] {
            let regex = RegexSearch::new(&Regex::new(pattern, LetterCase::Counts).unwrap()).unwrap();
            assert_eq!(regex.held(), None, "{pattern}");
        }
    }
}
