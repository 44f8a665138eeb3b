//! Whether a text can stand in a message of a template, its slots filled with what they may hold.

use insighthub_model::query::token::is_word_char;

use crate::column_source::{SLOT, Template, slot_character};

/// Which ends of the text must touch no word constituent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) start_bounded: bool,
    pub(super) end_bounded: bool,
}

/// Where in the template the next byte would stand: at a byte, at the first of a slot, or further in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: usize,
    /// A byte of the slot at `at` is taken.
    in_slot: bool,
}

/// False when no message of the template holds the folded text. Follows all places at once, byte by byte, as an
/// automaton; what a slot holds is known by its characters alone, so true may be wrong.
pub(super) fn may_hold(template: &Template, text: &str, ends: Ends) -> bool {
    let pattern = Pattern::of(template);
    let mut places: Vec<Place> = (0..pattern.bytes.len())
        .filter(|at| !ends.start_bounded || pattern.may_start(*at))
        .map(|at| Place { at, in_slot: false })
        .collect();
    let mut next = Vec::new();
    for byte in text.bytes() {
        next.clear();
        places.iter().for_each(|place| pattern.step(*place, byte, &mut next));
        next.sort_unstable();
        next.dedup();
        std::mem::swap(&mut places, &mut next);
        if places.is_empty() {
            return false;
        }
    }
    !ends.end_bounded || places.iter().any(|place| pattern.may_end(*place))
}

/// A template with the characters of the slot at each byte; none where there is a literal.
struct Pattern<'a> {
    bytes: &'a [u8],
    slots: Vec<u64>,
}

impl Pattern<'_> {
    fn of(template: &Template) -> Pattern<'_> {
        let mut characters = template.characters.iter();
        let slot = |byte: &u8| if *byte == SLOT { characters.next().copied().unwrap_or(0) } else { 0 };
        let slots = template.folded.iter().map(slot).collect();
        Pattern { bytes: &template.folded, slots }
    }

    /// Adds where the byte behind `byte` may stand.
    fn step(&self, place: Place, byte: u8, next: &mut Vec<Place>) {
        match self.bytes.get(place.at) {
            Some(&SLOT) => {
                let characters = self.slots.get(place.at).copied().unwrap_or(0);
                if characters & slot_character(byte) != 0 {
                    next.push(Place { at: place.at, in_slot: true });
                }
                if place.in_slot {
                    // The slot may have ended before this byte.
                    self.step(Place { at: place.at + 1, in_slot: false }, byte, next);
                }
            }
            Some(literal) if *literal == byte => next.push(Place { at: place.at + 1, in_slot: false }),
            _ => {}
        }
    }

    /// False when a word constituent is right before this place.
    fn may_start(&self, at: usize) -> bool {
        // Within a slot there may be a dot; and what is before a slot ends in whatever the literal ends in.
        if self.bytes.get(at) == Some(&SLOT) {
            return true;
        }
        let before = self.bytes.get(..at).unwrap_or(&[]);
        // A slot ends in a letter or digit.
        before.last() != Some(&SLOT) && !last_character(before).is_some_and(is_word_char)
    }

    /// False when a word constituent is right behind this place.
    fn may_end(&self, place: Place) -> bool {
        let behind = self.bytes.get(place.at..).unwrap_or(&[]);
        place.in_slot || (behind.first() != Some(&SLOT) && !first_character(behind).is_some_and(is_word_char))
    }
}

fn last_character(bytes: &[u8]) -> Option<char> {
    let start = bytes.iter().rposition(|byte| byte & 0xc0 != 0x80)?;
    std::str::from_utf8(bytes.get(start..)?).ok()?.chars().next()
}

fn first_character(bytes: &[u8]) -> Option<char> {
    let length = 1 + bytes.iter().skip(1).take_while(|byte| **byte & 0xc0 == 0x80).count();
    std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()
}
