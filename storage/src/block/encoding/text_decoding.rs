//! Texts from bytes, kept as they were coded: by number, or as the numbers they print.

use insighthub_model::batch::TextColumn;

use super::integers::{decode_codes_below, decode_integers};
use super::texts::{DIGITS_ALL, DIGITS_LISTED, DIGITS_SHORTEST, shortest};
use super::{Cursor, DamagedChunk, Decoded, Tag, decode_stream};
use crate::column_source::ids::DECIMAL_DIGITS_MAX;
use crate::column_source::{Column, Numbers, Printed, Texts};

pub(super) const OUT_OF_RANGE: DamagedChunk = DamagedChunk("a text's length is out of range");

/// The texts of a stream. Streams nest only as the encoder nests them, so that damage cannot recurse.
pub(in crate::block) fn decode_texts(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Texts<'static>> {
    decode_stream(cursor, |tag, cursor| match tag {
        Tag::Constant => {
            let values: TextColumn = std::iter::once(text(cursor)?).collect();
            Ok(coded(values, vec![0; count]))
        }
        Tag::Dictionary => {
            let different = cursor.length()?;
            if different > count {
                return Err(DamagedChunk("a dictionary has more texts than there are rows"));
            }
            let values = decode_stream(cursor, |tag, cursor| decode_different(tag, cursor, different))?;
            let codes = decode_codes_below(cursor, count, different)?;
            Ok(coded(values.to_column(), codes))
        }
        _ => decode_different(tag, cursor, count),
    })
}

fn coded(values: TextColumn, codes: Vec<u32>) -> Texts<'static> {
    Texts::Coded { values: Column::Shared(values.into()), codes: Column::Shared(codes.into()) }
}

fn decode_different(tag: Tag, cursor: &mut Cursor<'_>, count: usize) -> Decoded<Texts<'static>> {
    let (prefix, suffix, numbers) = match tag {
        Tag::Plain => return Ok(Texts::Plain(Column::Shared(decode_plain(cursor, count)?.into()))),
        Tag::Affixed => {
            let (prefix, suffix) = (text(cursor)?.to_owned(), text(cursor)?.to_owned());
            let numbers = decode_stream(cursor, |tag, cursor| decode_disguised(tag, cursor, count))?;
            (prefix, suffix, numbers)
        }
        _ => (String::new(), String::new(), decode_disguised(tag, cursor, count)?),
    };
    Ok(Texts::Printed(Printed::new(prefix, suffix, numbers).into()))
}

fn decode_disguised(tag: Tag, cursor: &mut Cursor<'_>, count: usize) -> Decoded<Numbers> {
    Ok(match tag {
        Tag::Number => Numbers::Integers(decode_integers(cursor, count)?),
        Tag::DecimalText => decode_decimals(cursor, count)?,
        Tag::Uuid => {
            let (ids, _) = cursor.take(count.saturating_mul(16))?.as_chunks::<16>();
            Numbers::Uuids(ids.to_vec())
        }
        Tag::Hex => {
            let (ends, end) = decode_ends(cursor, count)?;
            Numbers::Hex { bytes: cursor.take(end as usize)?.to_vec(), ends }
        }
        _ => return Err(DamagedChunk("a stream of texts has another encoding")),
    })
}

fn decode_decimals(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Numbers> {
    let scale = u32::from(cursor.u8()?);
    if scale > DECIMAL_DIGITS_MAX {
        return Err(DamagedChunk("a decimal has too many digits"));
    }
    let shape = cursor.u8()?;
    let listed = if shape == DIGITS_LISTED { decode_integers(cursor, count)? } else { Vec::new() };
    let scaled = decode_integers(cursor, count)?;
    let digits = match shape {
        DIGITS_ALL => vec![scale as u8; count],
        DIGITS_SHORTEST => scaled.iter().map(|scaled| shortest(*scaled, scale) as u8).collect(),
        DIGITS_LISTED => listed.into_iter().map(|digits| digits.clamp(0, i64::from(scale)) as u8).collect(),
        _ => return Err(DamagedChunk("a stream of decimals has another shape")),
    };
    Ok(Numbers::Decimals { scaled, scale, digits })
}

fn decode_plain(cursor: &mut Cursor<'_>, count: usize) -> Decoded<TextColumn> {
    let (ends, end) = decode_ends(cursor, count)?;
    let text = String::from_utf8(cursor.take(end as usize)?.to_vec());
    TextColumn::from_parts(text.map_err(|_| DamagedChunk("a text is not UTF-8"))?, ends).ok_or(OUT_OF_RANGE)
}

/// Where each of the texts ends, from their lengths; and the last end.
pub(super) fn decode_ends(cursor: &mut Cursor<'_>, count: usize) -> Decoded<(Vec<u32>, u32)> {
    let mut end = 0u32;
    let mut ends = Vec::with_capacity(count);
    for length in decode_integers(cursor, count)? {
        let length = u32::try_from(length).map_err(|_| OUT_OF_RANGE)?;
        end = end.checked_add(length).ok_or(OUT_OF_RANGE)?;
        ends.push(end);
    }
    Ok((ends, end))
}

pub(super) fn text<'a>(cursor: &mut Cursor<'a>) -> Decoded<&'a str> {
    let length = cursor.length()?;
    std::str::from_utf8(cursor.take(length)?).map_err(|_| DamagedChunk("a text is not UTF-8"))
}
