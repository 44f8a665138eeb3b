//! Drain: messages of equal length and equal first words are compared word by word; at least half equal is the
//! same template, and words that differ become variable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mask::{MASK, masked};
use crate::prng::{hash_bytes, mix};

/// Templates a service may have; messages that fit none of them are [`OVERFLOW`].
pub const TEMPLATES_MAX: usize = 2_000;
/// The template of messages that found no room.
pub const OVERFLOW: u16 = u16::MAX;
/// Share of equal words that makes two messages alike.
const SIMILARITY_MIN: f64 = 0.5;
/// Slots of the memory of masked texts, a power of two. Part of the state: what was decided stays decided.
const MEMORY_SLOTS: usize = 2_048;

/// A kind of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Hash of the first masked text: the same on every node and in every life of the service.
    pub id: u64,
    /// The words, variable ones as `<*>`, joined by spaces.
    pub text: String,
    /// The template that this one has become equal to.
    pub merged_into: Option<u16>,
}

/// The templates of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Miner {
    templates: Vec<Template>,
    /// Templates by number of words and hash of the first two.
    leaves: BTreeMap<(u16, u64), Vec<u16>>,
    /// Masked text's hash and its template, at the slot that the hash says.
    memory: Vec<(u64, u16)>,
    /// Templates that are new or whose text has changed since they were asked for.
    changed: Vec<u16>,
    #[serde(skip)]
    buffer: String,
}

impl Default for Miner {
    fn default() -> Miner {
        Miner {
            templates: Vec::new(),
            leaves: BTreeMap::new(),
            memory: vec![(0, OVERFLOW); MEMORY_SLOTS],
            changed: Vec::new(),
            buffer: String::new(),
        }
    }
}

impl Miner {
    /// The templates so far, merged ones included, by number.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The number of a message's template, learned where it is new; [`OVERFLOW`] where there is no room.
    pub fn learn(&mut self, message: &str) -> u16 {
        let mut text = std::mem::take(&mut self.buffer);
        masked(message, &mut text);
        let hash = hash_bytes(text.as_bytes()) | 1;
        let slot = (mix(hash) % MEMORY_SLOTS as u64) as usize;
        let known = self.memory.get(slot).filter(|(known, _)| *known == hash).map(|(_, template)| *template);
        let template = known.unwrap_or_else(|| {
            let template = self.match_or_add(&text, hash);
            if let Some(remembered) = self.memory.get_mut(slot) {
                *remembered = (hash, template);
            }
            template
        });
        self.buffer = text;
        self.current(template)
    }

    /// The template a number stands for now, merges followed.
    pub fn current(&self, mut number: u16) -> u16 {
        while let Some(next) = self.templates.get(usize::from(number)).and_then(|found| found.merged_into) {
            number = next;
        }
        number
    }

    /// Templates that are new or whose text has changed since the last call, ascending.
    pub fn take_changed(&mut self) -> Vec<u16> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    fn match_or_add(&mut self, text: &str, id: u64) -> u16 {
        let key = leaf_key(text);
        let leaf = self.leaves.get(&key).map_or(&[][..], Vec::as_slice);
        let mut best: Option<(f64, u16)> = None;
        for number in leaf {
            let Some(template) = self.templates.get(usize::from(*number)) else { continue };
            let similarity = similarity(&template.text, text);
            if similarity >= SIMILARITY_MIN && best.is_none_or(|(most, _)| similarity > most) {
                best = Some((similarity, *number));
            }
        }
        match best {
            Some((_, number)) => {
                self.generalise(number, text, key);
                number
            }
            None => self.add(text, id, key),
        }
    }

    fn add(&mut self, text: &str, id: u64, key: (u16, u64)) -> u16 {
        if self.templates.len() >= TEMPLATES_MAX {
            return OVERFLOW;
        }
        let number = self.templates.len() as u16;
        self.templates.push(Template { id, text: text.to_owned(), merged_into: None });
        self.leaves.entry(key).or_default().push(number);
        self.changed.push(number);
        number
    }

    /// Makes words that differ variable; a template that has become another's text is merged into it.
    fn generalise(&mut self, number: u16, text: &str, key: (u16, u64)) {
        let Some(template) = self.templates.get_mut(usize::from(number)) else { return };
        let words = template.text.split(' ').zip(text.split(' '));
        let general: Vec<&str> = words.map(|(old, new)| if old == new { old } else { MASK }).collect();
        let general = general.join(" ");
        if general == template.text {
            return;
        }
        template.text.clone_from(&general);
        self.changed.push(number);
        let Some(leaf) = self.leaves.get_mut(&key) else { return };
        let is_same = |other: &u16| {
            *other != number
                && self.templates.get(usize::from(*other)).is_some_and(|other| other.text == general)
        };
        if let Some(other) = leaf.iter().copied().find(is_same) {
            leaf.retain(|kept| *kept != number);
            if let Some(template) = self.templates.get_mut(usize::from(number)) {
                template.merged_into = Some(other);
            }
        }
    }
}

/// Number of words and a hash of the first two, variable ones alike.
fn leaf_key(text: &str) -> (u16, u64) {
    let words = text.bytes().filter(|byte| *byte == b' ').count().min(usize::from(u16::MAX) - 1);
    let first = text.split(' ').take(2).map(|word| if word.contains(MASK) { MASK } else { word });
    (words as u16, first.fold(0, |hash, word| mix(hash ^ hash_bytes(word.as_bytes()))))
}

/// Share of words that are equal.
fn similarity(template: &str, text: &str) -> f64 {
    let (mut equal, mut words) = (0u32, 0u32);
    for (a, b) in template.split(' ').zip(text.split(' ')) {
        words += 1;
        equal += u32::from(a == b);
    }
    f64::from(equal) / f64::from(words.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_variables_have_one_template() {
        let mut miner = Miner::default();
        let first = miner.learn("user alice logged in from 10.0.0.1");
        assert_eq!(miner.learn("user alice logged in from 10.0.0.2"), first);
        assert_eq!(miner.templates()[usize::from(first)].text, "user alice logged in from <*>");
        let other = miner.learn("disk full on node 3");
        assert_ne!(other, first);
        assert_eq!(miner.learn("disk gone on node 4"), miner.learn("disk gone on node 5"));
    }

    #[test]
    fn ids_come_from_the_first_text_alone() {
        let (mut one, mut other) = (Miner::default(), Miner::default());
        other.learn("something else");
        let (a, b) = (one.learn("job 1 done ok"), other.learn("job 2 done ok"));
        assert_eq!(one.templates()[usize::from(a)].id, other.templates()[usize::from(b)].id);
    }

    #[test]
    fn there_is_a_bound_and_beyond_it_overflow() {
        let mut miner = Miner::default();
        let word = |number: usize| -> String {
            (0..4).map(|digit| char::from(b'g' + (number >> (4 * digit) & 15) as u8)).collect()
        };
        for number in 0..TEMPLATES_MAX + 10 {
            let expected = if number < TEMPLATES_MAX { number as u16 } else { OVERFLOW };
            assert_eq!(miner.learn(&word(number)), expected);
        }
        assert_eq!(miner.templates().len(), TEMPLATES_MAX);
    }
}
