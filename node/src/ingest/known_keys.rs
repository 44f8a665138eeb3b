//! The names of members that records of a body have, and which one follows which: nearly always the one that did last time,
//! so that it is recognised by comparing its bytes.
//!
//! An economy alone: what a name means follows from the name.

use insighthub_model::record::SYSTEM_FIELDS;

use super::scan::Scanner;
use super::slots::Slot;

/// Names that are remembered: more than usual bodies have. Others are read letter by letter.
const KEYS_MAX: usize = 64;

/// What a member of a record is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Slot(Slot),
    /// A field of the client's own.
    Own,
    /// A field named like one of ours.
    System,
}

impl Meaning {
    pub(super) fn of(name: &str) -> Meaning {
        match Slot::of(name) {
            Some(slot) => Meaning::Slot(slot),
            None if SYSTEM_FIELDS.contains(&name) => Meaning::System,
            None => Meaning::Own,
        }
    }
}

/// The name of a member in an earlier record.
#[derive(Clone, Copy, Debug)]
struct KnownKey<'a> {
    /// From its opening quote to its colon, as it was sent.
    quoted: &'a str,
    name: &'a str,
    meaning: Meaning,
    /// The place of what followed it last.
    next: usize,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct KnownKeys<'a> {
    keys: Vec<KnownKey<'a>>,
    /// The place of what came first last time.
    first: usize,
    /// The place of the member before, within a record.
    before: Option<usize>,
}

impl<'a> KnownKeys<'a> {
    pub(super) fn start_record(&mut self) {
        self.before = None;
    }

    /// Takes the name that is expected here, if it is what follows.
    #[inline]
    pub(super) fn take(&mut self, scanner: &mut Scanner<'a>) -> Option<(&'a str, Meaning)> {
        let place = match self.before {
            None => self.first,
            Some(before) => self.keys.get(before)?.next,
        };
        let known = self.keys.get(place)?;
        scanner.take_exact(known.quoted).then(|| {
            self.before = Some(place);
            (known.name, known.meaning)
        })
    }

    /// Learns the name that was found where another was expected.
    pub(super) fn learn(&mut self, quoted: &'a str, name: &'a str, meaning: Meaning) {
        let found = self.keys.iter().position(|known| known.name == name);
        let place = found.unwrap_or(self.keys.len());
        if place >= KEYS_MAX {
            return;
        }
        match self.before.and_then(|before| self.keys.get_mut(before)) {
            Some(before) => before.next = place,
            None => self.first = place,
        }
        match self.keys.get_mut(place) {
            // The same name may be sent in another form: with a space in front of its colon.
            Some(known) => known.quoted = quoted,
            None => self.keys.push(KnownKey { quoted, name, meaning, next: place + 1 }),
        }
        self.before = Some(place);
    }
}
