//! Drain: messages of equal length and equal first words are compared word by word; at least half equal is the
//! same template, and words that differ become variable.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mask::{MASK, masked};
use super::masks::Masks;
use super::memory::TextMemory;
use super::words;
use crate::memory;
use crate::prng::{hash_bytes, mix};

/// Templates a service may have; messages that fit none of them are [`OVERFLOW`].
pub const TEMPLATES_MAX: usize = 2_000;
/// The template of messages that found no room.
pub const OVERFLOW: u16 = u16::MAX;
/// Share of equal words that makes two messages alike.
const SIMILARITY_MIN: f64 = 0.5;
/// Bytes that all texts may have: 2,000 ordinary ones. A service that logs pages of text has fewer templates.
const TEXT_BYTES_MAX: usize = 96 * 1_024;

/// A kind of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Hash of the first masked text: the same on every node and in every life of the service.
    pub id: u64,
    /// The words or their codes, variable ones as `<*>`, joined by spaces.
    pub text: String,
    /// The template that this one has become equal to.
    pub merged_into: Option<u16>,
}

/// The templates of one service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Miner {
    templates: Vec<Template>,
    text_bytes: usize,
    /// Templates by the key of their leaf, ascending.
    leaves: Vec<(u64, u16)>,
    memory: TextMemory,
    /// Templates that are new or whose text has changed since they were asked for.
    changed: Vec<u16>,
    /// Words are kept as codes: see [`super::words`].
    hides_words: bool,
    #[serde(skip)]
    buffer: String,
    /// The company's own masks, where it has any.
    #[serde(skip)]
    masks: Option<Arc<Masks>>,
}

impl Miner {
    /// A miner that keeps no word of a message.
    pub fn hiding_words() -> Miner {
        Miner { hides_words: true, ..Miner::default() }
    }

    /// The templates so far, merged ones included, by number.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Looks at messages through these masks first. No part of the state: to be set again after it was read back.
    pub fn set_masks(&mut self, masks: &Arc<Masks>) {
        self.masks = (!masks.is_empty()).then(|| Arc::clone(masks));
    }

    /// The number of a message's template, learned where it is new; [`OVERFLOW`] where there is no room.
    pub fn learn(&mut self, message: &str) -> u16 {
        self.learn_known(message, None).0
    }

    /// The same, with the hash of the masked text. A message whose hash is known is not masked again where its text is
    /// remembered. A miner with masks of the company's own neither makes use of hashes nor tells any (0): those masks may be
    /// others where the message comes again.
    pub(crate) fn learn_known(&mut self, message: &str, known: Option<u64>) -> (u16, u64) {
        if let Some(hash) = known
            && self.masks.is_none()
            && let Some(template) = self.memory.get(hash)
        {
            return (self.current(template), hash);
        }
        let mut text = std::mem::take(&mut self.buffer);
        match &self.masks {
            None => masked(message, &mut text),
            Some(masks) => masked(&masks.apply(message), &mut text),
        }
        let hash = hash_bytes(text.as_bytes()) | 1;
        let template = self.memory.get(hash).unwrap_or_else(|| {
            let template = match self.hides_words {
                false => self.match_or_add(&text, hash),
                true => self.match_or_add(&words::form(&text), hash),
            };
            self.memory.put(hash, template);
            template
        });
        self.buffer = text;
        (self.current(template), if self.masks.is_none() { hash } else { 0 })
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

    /// All templates are told anew: what they are told with may be gone.
    pub(crate) fn tell_all_again(&mut self) {
        self.changed = (0..self.templates.len() as u16).collect();
    }

    fn match_or_add(&mut self, text: &str, id: u64) -> u16 {
        let key = leaf_key(text);
        let from = self.leaves.partition_point(|(of, _)| *of < key);
        let leaf = self.leaves.iter().skip(from).take_while(|(of, _)| *of == key);
        let mut best: Option<(f64, u16)> = None;
        for (_, number) in leaf {
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

    fn add(&mut self, text: &str, id: u64, key: u64) -> u16 {
        if self.templates.len() >= TEMPLATES_MAX || self.text_bytes + text.len() > TEXT_BYTES_MAX {
            return OVERFLOW;
        }
        let number = self.templates.len() as u16;
        self.text_bytes += text.len();
        self.templates.push(Template { id, text: text.to_owned(), merged_into: None });
        let at = self.leaves.partition_point(|leaf| *leaf < (key, number));
        self.leaves.insert(at, (key, number));
        self.changed.push(number);
        number
    }

    /// Bytes on the heap.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.templates.iter().map(|template| template.text.capacity()).sum::<usize>();
        let lists =
            memory::of_vec(&self.templates) + memory::of_vec(&self.leaves) + memory::of_vec(&self.changed);
        texts + lists + self.memory.memory_bytes() + self.buffer.capacity()
    }

    /// Makes words that differ variable; a template that has become another's text is merged into it.
    fn generalise(&mut self, number: u16, text: &str, key: u64) {
        let Some(template) = self.templates.get_mut(usize::from(number)) else { return };
        let words = template.text.split(' ').zip(text.split(' '));
        let general: Vec<&str> = words.map(|(old, new)| if old == new { old } else { MASK }).collect();
        let general = general.join(" ");
        if general == template.text {
            return;
        }
        self.text_bytes = self.text_bytes + general.len() - template.text.len();
        template.text.clone_from(&general);
        self.changed.push(number);
        let is_same = |(of, other): &&(u64, u16)| {
            *of == key
                && *other != number
                && self.templates.get(usize::from(*other)).is_some_and(|other| other.text == general)
        };
        let Some(other) = self.leaves.iter().find(is_same).map(|(_, other)| *other) else { return };
        self.leaves.retain(|leaf| *leaf != (key, number));
        if let Some(template) = self.templates.get_mut(usize::from(number)) {
            template.merged_into = Some(other);
        }
    }
}

/// A hash of the number of words and of the first two, variable ones alike.
fn leaf_key(text: &str) -> u64 {
    let words = text.bytes().filter(|byte| *byte == b' ').count();
    let first = text.split(' ').take(2).map(|word| if word.contains(MASK) { MASK } else { word });
    first.fold(words as u64, |hash, word| mix(hash ^ hash_bytes(word.as_bytes())))
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
    fn masks_of_the_company_come_before_our_own() {
        let mut miner = Miner::default();
        miner.set_masks(&Arc::new(Masks::new(&[r"tenant=\S+"]).unwrap()));
        miner.learn("tenant=blue closed order 7");
        let number = miner.learn("tenant=red closed order 8");
        assert_eq!(miner.templates()[usize::from(number)].text, "<*> closed order <*>");
        assert_eq!(miner.templates().len(), 1);
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

    #[test]
    fn long_texts_leave_room_for_fewer_templates() {
        let mut miner = Miner::default();
        let letters = |number: u32| (0..900).map(move |at| b'g' + (number.pow(2 + at % 3) % 17) as u8);
        for number in 1..200 {
            miner.learn(&letters(number).map(char::from).collect::<String>());
        }
        let texts: usize = miner.templates().iter().map(|template| template.text.len()).sum();
        assert!(miner.templates().len() > 10 && texts == miner.text_bytes && texts <= TEXT_BYTES_MAX);
    }

    #[test]
    fn hashes_are_of_no_use_beside_masks_of_the_company() {
        let masks = Arc::new(Masks::new(&[r"tenant=\S+"]).unwrap());
        let (mut plain, mut own) = (Miner::default(), Miner::default());
        own.set_masks(&masks);
        let (message, other) = ("login of tenant=a failed", "login of tenant=b failed");
        let (_, hash) = plain.learn_known(message, None);
        assert_ne!(hash, 0);
        let (template, told) = own.learn_known(message, Some(hash));
        assert_eq!(told, 0);
        assert_eq!(own.learn_known(other, Some(hash)), (template, 0));
        assert_eq!(own.templates()[usize::from(template)].text, "login of <*> failed");
    }
}
