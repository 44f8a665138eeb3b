//! Which template a masked text was found to be: a text seen before costs one look. Each text has one place, and the
//! newest text of a place stays. Part of the state: what was decided stays decided.

use serde::{Deserialize, Serialize};

use crate::memory;
use crate::prng::mix;

/// Places, powers of two: few services have many texts.
const SLOTS_MIN: usize = 16;
const SLOTS_MAX: usize = 2_048;
/// A slot holds the upper 48 bits of a text's hash and its template; 0 is empty.
const TEMPLATE_BITS: u64 = 0xffff;
/// Set in each tag, so that none is 0.
const TAG_MARK: u64 = 1 << 16;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TextMemory {
    slots: Vec<u64>,
}

impl TextMemory {
    /// The template of a text with this hash, if it is remembered. Another text is taken for it once in 2^47.
    pub(super) fn get(&self, hash: u64) -> Option<u16> {
        let slot = self.slots.get(self.place(tag(hash))?)?;
        (slot & !TEMPLATE_BITS == tag(hash)).then_some((slot & TEMPLATE_BITS) as u16)
    }

    /// Remembers a text; where its place is taken there are more places first, up to the bound.
    pub(super) fn put(&mut self, hash: u64, template: u16) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS_MIN];
        }
        while self.slots.len() < SLOTS_MAX && self.is_taken(tag(hash)) {
            self.double();
        }
        let place = self.place(tag(hash)).and_then(|place| self.slots.get_mut(place));
        if let Some(slot) = place {
            *slot = tag(hash) | u64::from(template);
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.slots)
    }

    fn place(&self, tag: u64) -> Option<usize> {
        let last = self.slots.len().checked_sub(1)?;
        Some(mix(tag) as usize & last)
    }

    fn is_taken(&self, tag: u64) -> bool {
        let slot = self.place(tag).and_then(|place| self.slots.get(place));
        slot.is_some_and(|slot| *slot != 0 && slot & !TEMPLATE_BITS != tag)
    }

    fn double(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; 2 * old.len()];
        // Each had a place of its own among half as many.
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let place = self.place(slot & !TEMPLATE_BITS).and_then(|place| self.slots.get_mut(place));
            if let Some(place) = place {
                *place = slot;
            }
        }
    }
}

fn tag(hash: u64) -> u64 {
    (hash & !TEMPLATE_BITS) | TAG_MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_texts_take_few_places_and_many_no_more_than_the_bound() {
        let mut memory = TextMemory::default();
        assert_eq!((memory.get(mix(1)), memory.memory_bytes()), (None, 0));
        for text in 0..6 {
            memory.put(mix(text), text as u16);
        }
        assert!(memory.memory_bytes() <= 1_024, "{}", memory.memory_bytes());
        for text in 0..6 {
            assert_eq!(memory.get(mix(text)), Some(text as u16));
        }
        for text in 0..100_000 {
            memory.put(mix(text), text as u16);
            assert_eq!(memory.get(mix(text)), Some(text as u16));
        }
        assert_eq!(memory.memory_bytes(), SLOTS_MAX * size_of::<u64>());
        let known = (0..100_000).filter(|text| memory.get(mix(*text)).is_some()).count();
        assert!((SLOTS_MAX * 9 / 10..=SLOTS_MAX).contains(&known), "{known}");
    }
}
