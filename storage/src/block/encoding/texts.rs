//! Texts: one for all, a dictionary, numbers in disguise, or plain.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use insighthub_model::batch::TextColumn;
use xxhash_rust::xxh3::xxh3_64;

use super::cursor::put_varint;
use super::integers::decode_integers;
use super::{Cursor, DamagedChunk, Decoded, Encoder, Tag, decode_stream, ids};

/// After this many rows a column of mostly different texts is taken to go on like that.
const SAMPLE_ROWS: usize = 2_048;
/// A shorter common beginning saves nothing that zstd would not.
const PREFIX_BYTES_MIN: usize = 3;

const OUT_OF_RANGE: DamagedChunk = DamagedChunk("a text's length is out of range");

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
        for (row, text) in texts.iter().enumerate() {
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

    fn different_texts(&mut self, texts: &TextColumn, out: &mut Vec<u8>) {
        if self.disguised(texts, out) {
            return;
        }
        let prefix = common_prefix(texts);
        if prefix.len() >= PREFIX_BYTES_MIN {
            let rest: TextColumn = texts.iter().map(|text| text.get(prefix.len()..).unwrap_or("")).collect();
            let mut stream = vec![Tag::Prefix as u8];
            put_text(&mut stream, prefix);
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
        if texts.is_empty() {
            return false;
        }
        if let Some(integers) = texts.iter().map(ids::integer).collect::<Option<Vec<_>>>() {
            out.push(Tag::Number as u8);
            self.integers(&integers, out);
            return true;
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

    fn lengths(&mut self, texts: &TextColumn, unit: i64, out: &mut Vec<u8>) {
        let lengths: Vec<i64> = texts.iter().map(|text| text.len() as i64 / unit).collect();
        self.integers(&lengths, out);
    }
}

/// The texts of a stream. Streams nest only as the encoder nests them, so that damage cannot recurse.
pub(in crate::block) fn decode_texts(cursor: &mut Cursor<'_>, count: usize) -> Decoded<TextColumn> {
    decode_stream(cursor, |tag, cursor| match tag {
        Tag::Constant => {
            let text = text(cursor)?;
            Ok(std::iter::repeat_n(text, count).collect())
        }
        Tag::Dictionary => {
            let different = cursor.length()?;
            if different > count {
                return Err(DamagedChunk("a dictionary has more texts than there are rows"));
            }
            let texts = decode_stream(cursor, |tag, cursor| decode_different(tag, cursor, different))?;
            let mut column = TextColumn::default();
            for code in decode_integers(cursor, count)? {
                let code = usize::try_from(code).ok().filter(|code| *code < different);
                column.push(texts.get(code.ok_or(DamagedChunk("a code has no text"))?));
            }
            Ok(column)
        }
        _ => decode_different(tag, cursor, count),
    })
}

fn decode_different(tag: Tag, cursor: &mut Cursor<'_>, count: usize) -> Decoded<TextColumn> {
    match tag {
        Tag::Plain => decode_plain(cursor, count),
        Tag::Prefix => {
            let prefix = text(cursor)?;
            let rest = decode_stream(cursor, |tag, cursor| decode_disguised(tag, cursor, count))?;
            let mut column = TextColumn::default();
            for text in rest.iter() {
                column.arena().push_str(prefix);
                column.push(text);
            }
            Ok(column)
        }
        _ => decode_disguised(tag, cursor, count),
    }
}

fn decode_disguised(tag: Tag, cursor: &mut Cursor<'_>, count: usize) -> Decoded<TextColumn> {
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(count);
    match tag {
        Tag::Number => {
            for integer in decode_integers(cursor, count)? {
                bytes.extend_from_slice(integer.to_string().as_bytes());
                ends.push(end_of(&bytes)?);
            }
        }
        Tag::Uuid => {
            let (ids, _) = cursor.take(count.saturating_mul(16))?.as_chunks::<16>();
            for id in ids {
                ids::push_uuid(id, &mut bytes);
                ends.push(end_of(&bytes)?);
            }
        }
        Tag::Hex => {
            for length in decode_integers(cursor, count)? {
                let length = usize::try_from(length).map_err(|_| OUT_OF_RANGE)?;
                ids::push_hex(cursor.take(length)?, &mut bytes);
                ends.push(end_of(&bytes)?);
            }
        }
        _ => return Err(DamagedChunk("a stream of texts has another encoding")),
    }
    column_of(bytes, ends)
}

fn decode_plain(cursor: &mut Cursor<'_>, count: usize) -> Decoded<TextColumn> {
    let mut ends = Vec::with_capacity(count);
    let mut end = 0u32;
    for length in decode_integers(cursor, count)? {
        let length = u32::try_from(length).map_err(|_| OUT_OF_RANGE)?;
        end = end.checked_add(length).ok_or(OUT_OF_RANGE)?;
        ends.push(end);
    }
    column_of(cursor.take(end as usize)?.to_vec(), ends)
}

fn end_of(bytes: &[u8]) -> Decoded<u32> {
    u32::try_from(bytes.len()).map_err(|_| OUT_OF_RANGE)
}

fn column_of(bytes: Vec<u8>, ends: Vec<u32>) -> Decoded<TextColumn> {
    let text = String::from_utf8(bytes).map_err(|_| DamagedChunk("a text is not UTF-8"))?;
    TextColumn::from_parts(text, ends).ok_or(OUT_OF_RANGE)
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Decoded<&'a str> {
    let length = cursor.length()?;
    std::str::from_utf8(cursor.take(length)?).map_err(|_| DamagedChunk("a text is not UTF-8"))
}

/// What all texts begin with.
fn common_prefix(texts: &TextColumn) -> &str {
    let mut prefix = texts.get(0);
    for text in texts.iter() {
        let same = prefix.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        if same < prefix.len() {
            let boundary = (0..=same).rev().find(|at| prefix.is_char_boundary(*at)).unwrap_or(0);
            prefix = prefix.get(..boundary).unwrap_or("");
        }
    }
    prefix
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
