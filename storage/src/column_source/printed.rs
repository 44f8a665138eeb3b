//! Texts kept as what they print: integers, decimal fractions, hex ids and UUIDs, each between the same
//! beginning and the same end. A trace id takes 16 bytes so, and no time until it is looked at.

use memchr::memmem::Finder;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ids;

/// See the module's documentation.
#[derive(Debug, PartialEq)]
pub struct Printed {
    prefix: String,
    suffix: String,
    numbers: Numbers,
}

/// What is printed between prefix and suffix.
#[derive(Debug, PartialEq)]
pub(crate) enum Numbers {
    Integers(Vec<i64>),
    /// Millionths or the like, never negative: digits behind the point of the scale, and of each number.
    Decimals {
        scaled: Vec<i64>,
        scale: u32,
        digits: Vec<u8>,
    },
    /// Bytes of all ids, and where each ends.
    Hex {
        bytes: Vec<u8>,
        ends: Vec<u32>,
    },
    Uuids(Vec<[u8; 16]>),
}

impl Printed {
    pub(crate) fn new(prefix: String, suffix: String, numbers: Numbers) -> Printed {
        Printed { prefix, suffix, numbers }
    }

    pub fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Integers(values) => values.len(),
            Numbers::Decimals { scaled, .. } => scaled.len(),
            Numbers::Hex { ends, .. } => ends.len(),
            Numbers::Uuids(ids) => ids.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers where there is nothing around them.
    pub(crate) fn bare(&self) -> Option<&Numbers> {
        (self.prefix.is_empty() && self.suffix.is_empty()).then_some(&self.numbers)
    }

    /// What tells the texts of two values apart, where that is a number: itself and the digits it shows.
    pub(crate) fn number(&self, at: usize) -> Option<(i64, u8)> {
        match &self.numbers {
            Numbers::Integers(values) => Some((*values.get(at)?, 0)),
            Numbers::Decimals { scaled, digits, .. } => Some((*scaled.get(at)?, *digits.get(at)?)),
            Numbers::Hex { .. } | Numbers::Uuids(_) => None,
        }
    }

    /// [`id_hash`] of the text of a value, where the text need not be printed for it.
    pub(crate) fn id_hash(&self, at: usize) -> Option<u64> {
        match self.bare()? {
            Numbers::Hex { .. } => {
                Some(self.hex(at)).filter(|bytes| bytes.len() >= ID_BYTES_MIN).map(hash_of_hex)
            }
            Numbers::Uuids(ids) => ids.get(at).map(hash_of_uuid),
            Numbers::Integers(_) | Numbers::Decimals { .. } => None,
        }
    }

    /// Appends the text of a value; nothing past the end.
    pub fn push(&self, at: usize, out: &mut String) {
        if at >= self.len() {
            return;
        }
        out.push_str(&self.prefix);
        match &self.numbers {
            Numbers::Integers(values) => ids::push_integer(values.get(at).copied().unwrap_or(0), out),
            Numbers::Decimals { scaled, scale, digits } => {
                let (number, digits) = (scaled.get(at).copied(), digits.get(at).copied());
                ids::push_decimal(number.unwrap_or(0), *scale, u32::from(digits.unwrap_or(0)), out);
            }
            Numbers::Hex { .. } => ids::push_hex(self.hex(at), out),
            Numbers::Uuids(ids) => ids.get(at).iter().for_each(|id| ids::push_uuid(*id, out)),
        }
        out.push_str(&self.suffix);
    }

    /// The values whose text is `wanted`, which is folded, whatever the case. `None` where only printing them
    /// can tell.
    pub fn equal_to(&self, wanted: &str) -> Option<Vec<u32>> {
        let is_ascii = self.prefix.is_ascii() && self.suffix.is_ascii();
        let rest = wanted.strip_prefix(self.prefix.to_ascii_lowercase().as_str());
        let rest = rest.and_then(|rest| rest.strip_suffix(self.suffix.to_ascii_lowercase().as_str()));
        if !is_ascii || matches!(self.numbers, Numbers::Decimals { .. }) {
            return None;
        }
        let Some(rest) = rest else { return Some(Vec::new()) };
        let mut bytes = Vec::new();
        Some(match &self.numbers {
            Numbers::Integers(values) => {
                ids::integer(rest).map_or(Vec::new(), |id| places(values, |v| *v == id))
            }
            Numbers::Uuids(ids) => ids::uuid_bytes(rest).map_or(Vec::new(), |id| places(ids, |v| *v == id)),
            Numbers::Hex { bytes: all, ends } if ids::hex_bytes(rest, &mut bytes) => {
                equal_pieces(all, ends, &bytes)
            }
            Numbers::Hex { .. } | Numbers::Decimals { .. } => Vec::new(),
        })
    }

    fn hex(&self, at: usize) -> &[u8] {
        let Numbers::Hex { bytes, ends } = &self.numbers else { return &[] };
        let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let end = ends.get(at).copied().unwrap_or(start);
        bytes.get(start as usize..end as usize).unwrap_or(&[])
    }

    pub fn bytes_held(&self) -> usize {
        let numbers = match &self.numbers {
            Numbers::Integers(values) => size_of_val(values.as_slice()),
            Numbers::Decimals { scaled, digits, .. } => size_of_val(scaled.as_slice()) + digits.len(),
            Numbers::Hex { bytes, ends } => bytes.len() + size_of_val(ends.as_slice()),
            Numbers::Uuids(ids) => size_of_val(ids.as_slice()),
        };
        size_of::<Self>() + self.prefix.len() + self.suffix.len() + numbers
    }
}

/// The hash of a text that is a hex id or a UUID: of its bytes, so that what is kept as bytes is not printed to be told
/// apart. `None` for any other text.
pub(crate) fn id_hash(text: &str) -> Option<u64> {
    if let Some(id) = ids::uuid_bytes(text) {
        return Some(hash_of_uuid(&id));
    }
    let mut bytes = Vec::new();
    let is_long = text.len() >= 2 * ID_BYTES_MIN;
    (is_long && ids::hex_bytes(text, &mut bytes)).then(|| hash_of_hex(&bytes))
}

/// Shorter texts in hex may be words, and cost no more to hash as they are.
const ID_BYTES_MIN: usize = 8;

/// Seeds of their own: the same bytes in two forms are two texts.
fn hash_of_hex(bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, 6)
}

fn hash_of_uuid(id: &[u8; 16]) -> u64 {
    xxh3_64_with_seed(id, 7)
}

/// The pieces that are equal to one, of bytes cut at these ends: found in one run over all of them, for hardly any is.
fn equal_pieces(all: &[u8], ends: &[u32], wanted: &[u8]) -> Vec<u32> {
    let start_of =
        |at: usize| at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    if wanted.is_empty() {
        return (0..ends.len())
            .filter(|at| ends.get(*at).is_some_and(|end| *end as usize == start_of(*at)))
            .map(|at| at as u32)
            .collect();
    }
    let finder = Finder::new(wanted);
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(hit) = all.get(from..).and_then(|rest| finder.find(rest)) {
        let start = from + hit;
        let at = ends.partition_point(|end| *end as usize <= start);
        if start_of(at) == start && ends.get(at).is_some_and(|end| *end as usize == start + wanted.len()) {
            found.push(at as u32);
        }
        // A hit that lies across two pieces may overlap one that does not.
        from = start + 1;
    }
    found
}

fn places<T>(values: &[T], accepts: impl Fn(&T) -> bool) -> Vec<u32> {
    (0u32..).zip(values).filter(|(_, value)| accepts(value)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_as_bytes_has_the_hash_of_its_text(text in "[0-9a-f]{14,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            let mut bytes = Vec::new();
            let numbers = match ids::uuid_bytes(&text) {
                Some(id) => Numbers::Uuids(vec![id]),
                None if ids::hex_bytes(&text, &mut bytes) => Numbers::Hex { ends: vec![bytes.len() as u32], bytes },
                None => return Ok(()),
            };
            let printed = Printed::new(String::new(), String::new(), numbers);
            prop_assert_eq!(printed.id_hash(0), id_hash(&text));
        }

        #[test]
        fn equal_pieces_are_those_that_are_equal(
            pieces in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..60), wanted in prop::collection::vec(0u8..3, 0..4),
        ) {
            let ends: Vec<u32> = pieces.iter().scan(0, |end, piece| { *end += piece.len() as u32; Some(*end) }).collect();
            let expected: Vec<u32> = (0u32..).zip(&pieces).filter(|(_, piece)| **piece == wanted).map(|(at, _)| at).collect();
            prop_assert_eq!(equal_pieces(&pieces.concat(), &ends, &wanted), expected);
        }
    }
}
