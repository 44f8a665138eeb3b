//! Texts become bytes: one for all, a dictionary, numbers in disguise, or plain.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use insighthub_model::batch::TextColumn;
use xxhash_rust::xxh3::xxh3_64;

use super::cursor::put_varint;
use super::{Encoder, Tag};
use crate::column_source::ids;

/// After this many rows a column of mostly different texts is taken to go on like that.
const SAMPLE_ROWS: usize = 2_048;
/// How many digits the decimals of a column show: all of the scale, none that is a zero at the end, or as listed.
pub(super) const DIGITS_ALL: u8 = 0;
pub(super) const DIGITS_SHORTEST: u8 = 1;
pub(super) const DIGITS_LISTED: u8 = 2;

/// Keys are hashes already.
#[derive(Default)]
pub(in crate::block) struct HashedKey(u64);

impl Hasher for HashedKey {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Multiplied, so that neighbours lie apart in the bits a table looks at (Knuth, The Art of Computer Programming).
    fn write_i64(&mut self, number: i64) {
        self.0 = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The different texts of a column in order of first appearance.
pub(in crate::block) struct Distinct {
    /// Row by row, index into `first_rows`.
    codes: Vec<i64>,
    /// A row that has the text.
    pub(in crate::block) first_rows: Vec<u32>,
}

impl Distinct {
    /// `None` when most texts are different, so that looking further is not worth it.
    pub(in crate::block) fn of(texts: &TextColumn) -> Option<Distinct> {
        let mut known: HashMap<u64, u32, BuildHasherDefault<HashedKey>> = HashMap::default();
        let mut codes: Vec<i64> = Vec::with_capacity(texts.len());
        let mut first_rows: Vec<u32> = Vec::new();
        let mut before = None;
        for (row, text) in texts.iter().enumerate() {
            // Rows are sorted by service, and much is the same in all its records.
            if let Some((same, code)) = before
                && same == text
            {
                codes.push(code);
                continue;
            }
            let next = first_rows.len() as u32;
            let code = *known.entry(xxh3_64(text.as_bytes())).or_insert(next);
            if code == next {
                first_rows.push(row as u32);
                if row >= SAMPLE_ROWS && first_rows.len() > row / 4 * 3 {
                    return None;
                }
            } else if first_rows.get(code as usize).is_none_or(|first| texts.get(*first as usize) != text) {
                // Two texts of one hash: vanishingly rare, and a dictionary would mix them up.
                return None;
            }
            codes.push(i64::from(code));
            before = Some((text, i64::from(code)));
        }
        Some(Distinct { codes, first_rows })
    }
}

impl Encoder {
    /// Appends a stream of texts; `distinct` is [`Distinct::of`] them.
    pub(in crate::block) fn texts(
        &mut self,
        texts: &TextColumn,
        distinct: Option<&Distinct>,
        out: &mut Vec<u8>,
    ) {
        let Some(distinct) = distinct.filter(|distinct| distinct.first_rows.len() < texts.len()) else {
            return self.different_texts(texts, out);
        };
        if distinct.first_rows.len() == 1 {
            out.push(Tag::Constant as u8);
            put_text(out, texts.get(0));
            return;
        }
        let mut dictionary = vec![Tag::Dictionary as u8];
        put_varint(&mut dictionary, distinct.first_rows.len() as u64);
        let different: TextColumn = distinct.first_rows.iter().map(|row| texts.get(*row as usize)).collect();
        self.different_texts(&different, &mut dictionary);
        self.integers(&distinct.codes, &mut dictionary);
        if distinct.first_rows.len() > texts.len() / 8 {
            let mut plain = Vec::new();
            self.different_texts(texts, &mut plain);
            if plain.len() < dictionary.len() {
                dictionary = plain;
            }
        }
        out.extend_from_slice(&dictionary);
    }

    /// Appends a stream of texts that are likely numbers, or few.
    pub(in crate::block) fn variables(&mut self, texts: &TextColumn, out: &mut Vec<u8>) {
        if !self.numeric(texts, out) {
            self.texts(texts, Distinct::of(texts).as_ref(), out);
        }
    }

    fn different_texts(&mut self, texts: &TextColumn, out: &mut Vec<u8>) {
        if self.disguised(texts, out) {
            return;
        }
        let (prefix, suffix) = common_affixes(texts);
        if !prefix.is_empty() || !suffix.is_empty() {
            let between = |text: &'_ str| (prefix.len(), text.len().saturating_sub(suffix.len()));
            let rest: TextColumn = texts
                .iter()
                .map(|text| {
                    let (start, end) = between(text);
                    text.get(start..end).unwrap_or("")
                })
                .collect();
            let mut stream = vec![Tag::Affixed as u8];
            put_text(&mut stream, prefix);
            put_text(&mut stream, suffix);
            if self.disguised(&rest, &mut stream) {
                out.extend_from_slice(&stream);
                return;
            }
        }
        let mut stream = vec![Tag::Plain as u8];
        self.lengths(texts, 1, &mut stream);
        stream.extend_from_slice(texts.arena_text().as_bytes());
        out.extend_from_slice(&self.compressed(stream));
    }

    /// Appends texts that are numbers as numbers; false, with nothing appended, where they are not.
    fn disguised(&mut self, texts: &TextColumn, out: &mut Vec<u8>) -> bool {
        if self.numeric(texts, out) {
            return true;
        }
        if texts.is_empty() {
            return false;
        }
        let mut bytes = Vec::new();
        let stream = if texts.iter().all(|text| ids::uuid_bytes(text).map(|id| bytes.extend(id)).is_some()) {
            vec![Tag::Uuid as u8]
        } else {
            bytes.clear();
            if !texts.iter().all(|text| ids::hex_bytes(text, &mut bytes)) {
                return false;
            }
            let mut stream = vec![Tag::Hex as u8];
            self.lengths(texts, 2, &mut stream);
            stream
        };
        out.extend_from_slice(&self.compressed([stream, bytes].concat()));
        true
    }

    /// The same for integers and decimal fractions.
    fn numeric(&mut self, texts: &TextColumn, out: &mut Vec<u8>) -> bool {
        if texts.is_empty() {
            return false;
        }
        if let Some(integers) = texts.iter().map(ids::integer).collect::<Option<Vec<_>>>() {
            out.push(Tag::Number as u8);
            self.integers(&integers, out);
            return true;
        }
        let Some(decimals) = texts.iter().map(ids::decimal).collect::<Option<Vec<_>>>() else { return false };
        let scale = decimals.iter().map(|(_, digits)| *digits).max().unwrap_or(0);
        let scaled = decimals.iter().map(|(number, digits)| number.checked_mul(10i64.pow(scale - digits)));
        let Some(scaled) = scaled.collect::<Option<Vec<i64>>>() else { return false };
        out.push(Tag::DecimalText as u8);
        out.push(scale as u8);
        if decimals.iter().all(|(_, digits)| *digits == scale) {
            out.push(DIGITS_ALL);
        } else if decimals
            .iter()
            .zip(&scaled)
            .all(|((_, digits), scaled)| *digits == shortest(*scaled, scale))
        {
            out.push(DIGITS_SHORTEST);
        } else {
            out.push(DIGITS_LISTED);
            let digits: Vec<i64> = decimals.iter().map(|(_, digits)| i64::from(*digits)).collect();
            self.integers(&digits, out);
        }
        self.integers(&scaled, out);
        true
    }

    fn lengths(&mut self, texts: &TextColumn, unit: i64, out: &mut Vec<u8>) {
        let lengths: Vec<i64> = texts.iter().map(|text| text.len() as i64 / unit).collect();
        self.integers(&lengths, out);
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Digits behind the point without the zeros at the end.
pub(super) fn shortest(scaled: i64, scale: u32) -> u32 {
    let (mut rest, mut digits) = (scaled, scale);
    while digits > 0 && rest % 10 == 0 {
        rest /= 10;
        digits -= 1;
    }
    digits
}

/// What all texts begin with and what they end with, without overlap.
fn common_affixes(texts: &TextColumn) -> (&str, &str) {
    let (mut prefix, mut suffix) = (texts.get(0), texts.get(0));
    let mut shortest = usize::MAX;
    for text in texts.iter() {
        shortest = shortest.min(text.len());
        let same = prefix.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        if same < prefix.len() {
            let boundary = (0..=same).rev().find(|at| prefix.is_char_boundary(*at)).unwrap_or(0);
            prefix = prefix.get(..boundary).unwrap_or("");
        }
        let same = suffix.bytes().rev().zip(text.bytes().rev()).take_while(|(a, b)| a == b).count();
        if same < suffix.len() {
            let start = suffix.len() - same;
            let boundary = (start..=suffix.len()).find(|at| suffix.is_char_boundary(*at));
            suffix = suffix.get(boundary.unwrap_or(suffix.len())..).unwrap_or("");
        }
        if prefix.is_empty() && suffix.is_empty() {
            break;
        }
    }
    if prefix.len().saturating_add(suffix.len()) > shortest { (prefix, "") } else { (prefix, suffix) }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
