//! A few values of a stream, without decoding the others where the encoding lets them be passed over. The cursor
//! ends behind the stream, as if all had been read. Places ascend.

use insighthub_model::batch::TextColumn;

use super::floats::{Float, POWERS};
use super::integers::{code_values, read_integers, scaled};
use super::packed::pick;
use super::text_decoding::{decode_ends, text};
use super::texts::{DIGITS_ALL, DIGITS_LISTED, DIGITS_SHORTEST, shortest};
use super::{Cursor, DamagedChunk, Decoded, Tag, decode_stream, pass_frame};
use crate::column_source::ids;

const NOT_THERE: DamagedChunk = DamagedChunk("a value is asked for that is not there");
const OTHER_ENCODING: DamagedChunk = DamagedChunk("a stream of texts has another encoding");

/// Reads a stream; where nothing of it is wanted and it is compressed, it is passed over as it is.
fn pick_stream<T: Default>(
    cursor: &mut Cursor<'_>,
    places: &[usize],
    read: impl FnOnce(Tag, &mut Cursor<'_>) -> Decoded<T>,
) -> Decoded<T> {
    match places {
        [] if pass_frame(cursor)? => Ok(T::default()),
        _ => decode_stream(cursor, read),
    }
}

/// Integers of a stream of so many.
pub(in crate::block) fn pick_integers(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
) -> Decoded<Vec<i64>> {
    pick_stream(cursor, places, |tag, cursor| match tag {
        Tag::Constant => Ok(vec![cursor.signed()?; places.len()]),
        Tag::Delta if places.is_empty() => {
            let (_, _) = (cursor.signed()?, cursor.varint()?);
            pick(cursor, count, places)
        }
        Tag::Packed => {
            let (base, scale) = (cursor.signed()?, cursor.varint()?);
            let steps = pick(cursor, count, places)?;
            all_there(steps.into_iter().map(|step| scaled(base, scale, step)).collect(), places)
        }
        Tag::Codes => {
            let (values, different) = code_values(cursor)?;
            let codes = cursor.take(count)?;
            let value = |place: &usize| {
                let code = codes.get(*place).map(|code| usize::from(*code)).filter(|code| *code < different);
                code.and_then(|code| values.get(code)).copied().ok_or(NOT_THERE)
            };
            places.iter().map(value).collect()
        }
        // A difference builds on all before it.
        tag => picked(&read_integers(tag, cursor, count)?, places),
    })
}

/// Floats of a stream of so many.
pub(in crate::block) fn pick_floats<F: Float>(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
) -> Decoded<Vec<F>> {
    decode_stream(cursor, |tag, cursor| match tag {
        Tag::Decimal => {
            let digits = cursor.length()?;
            let power = *POWERS.get(digits).ok_or(DamagedChunk("a decimal has too many digits"))?;
            let integers = pick_integers(cursor, count, places)?;
            Ok(integers.into_iter().map(|integer| F::narrow(integer as f64 / power)).collect())
        }
        Tag::Planes => {
            let mut bits = vec![0u64; places.len()];
            for plane in 0..F::BYTES {
                let bytes = cursor.take(count)?;
                for (bits, place) in bits.iter_mut().zip(places) {
                    *bits |= u64::from(*bytes.get(*place).ok_or(NOT_THERE)?) << (8 * plane);
                }
            }
            Ok(bits.into_iter().map(F::of_bits).collect())
        }
        _ => Err(DamagedChunk("a stream of floats has another encoding")),
    })
}

/// Texts of a stream of so many.
pub(in crate::block) fn pick_texts(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
) -> Decoded<TextColumn> {
    pick_stream(cursor, places, |tag, cursor| match tag {
        Tag::Constant => {
            let text = text(cursor)?;
            Ok(places.iter().map(|_| text).collect())
        }
        Tag::Dictionary => {
            let different = cursor.length()?;
            if different > count {
                return Err(DamagedChunk("a dictionary has more texts than there are rows"));
            }
            // The codes stand behind the texts: those are found first, and picked when it is known which.
            let mut texts = cursor.clone();
            pick_stream(cursor, &[], |tag, cursor| pick_different(tag, cursor, different, &[]))?;
            let codes = pick_integers(cursor, count, places)?;
            let code =
                |code: &i64| usize::try_from(*code).ok().filter(|code| *code < different).ok_or(NOT_THERE);
            let codes = codes.iter().map(code).collect::<Decoded<Vec<usize>>>()?;
            let mut wanted = codes.clone();
            wanted.sort_unstable();
            wanted.dedup();
            let found = pick_stream(&mut texts, &wanted, |tag, cursor| {
                pick_different(tag, cursor, different, &wanted)
            })?;
            let place = |code: &usize| wanted.binary_search(code).unwrap_or(0);
            Ok(codes.iter().map(|code| found.get(place(code))).collect())
        }
        tag => pick_different(tag, cursor, count, places),
    })
}

fn pick_different(tag: Tag, cursor: &mut Cursor<'_>, count: usize, places: &[usize]) -> Decoded<TextColumn> {
    match tag {
        Tag::Plain => {
            let (ends, end) = decode_ends(cursor, count)?;
            let bytes = cursor.take(end as usize)?;
            let slice = |place: &usize| {
                let start = place.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                let bytes = bytes.get(start as usize..*ends.get(*place)? as usize)?;
                std::str::from_utf8(bytes).ok()
            };
            places.iter().map(|place| slice(place).ok_or(NOT_THERE)).collect()
        }
        Tag::Affixed => {
            let (prefix, suffix) = (text(cursor)?, text(cursor)?);
            let between = pick_stream(cursor, places, |tag, cursor| {
                pick_disguised(tag, cursor, count, places, (prefix, suffix))
            })?;
            Ok(between)
        }
        tag => pick_disguised(tag, cursor, count, places, ("", "")),
    }
}

fn pick_disguised(
    tag: Tag,
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
    (prefix, suffix): (&str, &str),
) -> Decoded<TextColumn> {
    let mut column = TextColumn::default();
    let mut push = |value: &dyn Fn(&mut String)| {
        column.arena().push_str(prefix);
        value(column.arena());
        column.arena().push_str(suffix);
        column.close();
    };
    match tag {
        Tag::Number => {
            let integers = pick_integers(cursor, count, places)?;
            integers.into_iter().for_each(|integer| push(&|out| ids::push_integer(integer, out)));
        }
        Tag::DecimalText => {
            let (scale, scaled, digits) = pick_decimals(cursor, count, places)?;
            for (scaled, digits) in scaled.into_iter().zip(digits) {
                push(&|out| ids::push_decimal(scaled, scale, digits, out));
            }
        }
        Tag::Uuid => {
            let (all, _) = cursor.take(count.saturating_mul(16))?.as_chunks::<16>();
            for place in places {
                let id = all.get(*place).ok_or(NOT_THERE)?;
                push(&|out| ids::push_uuid(id, out));
            }
        }
        Tag::Hex => {
            let (ends, end) = decode_ends(cursor, count)?;
            let bytes = cursor.take(end as usize)?;
            for place in places {
                let start = place.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                let end = *ends.get(*place).ok_or(NOT_THERE)?;
                let id = bytes.get(start as usize..end as usize).ok_or(NOT_THERE)?;
                push(&|out| ids::push_hex(id, out));
            }
        }
        _ => return Err(OTHER_ENCODING),
    }
    Ok(column)
}

/// Digits behind the point, the picked decimals without it, and how many digits each shows.
fn pick_decimals(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
) -> Decoded<(u32, Vec<i64>, Vec<u32>)> {
    let scale = u32::from(cursor.u8()?);
    if scale > ids::DECIMAL_DIGITS_MAX {
        return Err(DamagedChunk("a decimal has too many digits"));
    }
    let shape = cursor.u8()?;
    let listed = if shape == DIGITS_LISTED { pick_integers(cursor, count, places)? } else { Vec::new() };
    let scaled = pick_integers(cursor, count, places)?;
    let digits = match shape {
        DIGITS_ALL => vec![scale; places.len()],
        DIGITS_SHORTEST => scaled.iter().map(|scaled| shortest(*scaled, scale)).collect(),
        DIGITS_LISTED => listed.into_iter().map(|digits| digits.clamp(0, i64::from(scale)) as u32).collect(),
        _ => return Err(DamagedChunk("a stream of decimals has another shape")),
    };
    Ok((scale, scaled, digits))
}

fn picked(values: &[i64], places: &[usize]) -> Decoded<Vec<i64>> {
    places.iter().map(|place| values.get(*place).copied().ok_or(NOT_THERE)).collect()
}

fn all_there(values: Vec<i64>, places: &[usize]) -> Decoded<Vec<i64>> {
    if values.len() == places.len() { Ok(values) } else { Err(NOT_THERE) }
}

#[cfg(test)]
mod tests {
    use super::super::{Distinct, Encoder, decode_floats, decode_integers, decode_texts};
    use super::*;
    use proptest::prelude::*;

    fn places(wanted: &[prop::sample::Index], count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = wanted.iter().filter(|_| count > 0).map(|at| at.index(count)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    proptest! {
        #[test]
        fn picked_integers_are_those_of_the_whole(
            values in prop_oneof![
                prop::collection::vec(any::<i64>(), 0..700),
                prop::collection::vec(0i64..9, 0..700),
                (any::<i64>(), prop::collection::vec(0i64..50, 0..700)).prop_map(|(start, steps)| {
                    steps.iter().scan(start, |at, step| { *at = at.wrapping_add(*step); Some(*at) }).collect()
                }),
            ],
            shift in 0u32..64,
            wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let values: Vec<i64> = values.iter().map(|value| value >> shift).collect();
            let places = places(&wanted, values.len());
            let mut bytes = Vec::new();
            Encoder::new().unwrap().integers(&values, &mut bytes);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(pick_integers(&mut cursor, values.len(), &places), picked(&values, &places));
            prop_assert_eq!(cursor.expect_end(), Ok(()));
            prop_assert_eq!(decode_integers(&mut Cursor::new(&bytes), values.len()), Ok(values));
        }

        #[test]
        fn picked_floats_are_those_of_the_whole(
            values in prop_oneof![
                prop::collection::vec((-9_000i32..9_000).prop_map(|n| f64::from(n) / 100.0), 0..300),
                prop::collection::vec(any::<f64>(), 0..300),
            ],
            wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let places = places(&wanted, values.len());
            let mut bytes = Vec::new();
            Encoder::new().unwrap().floats(&values, &mut bytes);
            let mut cursor = Cursor::new(&bytes);
            let found: Vec<f64> = pick_floats(&mut cursor, values.len(), &places).unwrap();
            prop_assert_eq!(cursor.expect_end(), Ok(()));
            let whole: Vec<f64> = decode_floats(&mut Cursor::new(&bytes), values.len()).unwrap();
            let bits = |value: &f64| value.to_bits();
            prop_assert!(found.iter().map(bits).eq(places.iter().map(|place| whole[*place].to_bits())));
        }

        #[test]
        fn picked_texts_are_those_of_the_whole(
            shape in 0usize..8,
            numbers in prop::collection::vec(0u32..40_000, 0..400),
            different in 1u32..40_000,
            wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text = |number: &u32| {
                let number = number % different;
                match shape {
                    0 => format!("{number}"),
                    1 => format!("u{number}"),
                    2 => format!("{:08x}", number),
                    3 => format!("7e57d004-2b97-0e7a-b45f-53873677{number:04x}"),
                    4 => format!("{}.{:02}", number / 100, number % 100),
                    5 => format!("{}ms", f64::from(number) / 10.0),
                    6 => format!("größe {number} of some"),
                    _ => format!("{:x}", u64::from(number) * 0x1000_0001),
                }
            };
            let texts: Vec<String> = numbers.iter().map(text).collect();
            let column: TextColumn = texts.iter().map(String::as_str).collect();
            let places = places(&wanted, texts.len());
            let mut bytes = Vec::new();
            Encoder::new().unwrap().texts(&column, Distinct::of(&column).as_ref(), &mut bytes);
            let mut cursor = Cursor::new(&bytes);
            let found = pick_texts(&mut cursor, texts.len(), &places).unwrap();
            prop_assert_eq!(cursor.expect_end(), Ok(()));
            let found: Vec<&str> = found.iter().collect();
            prop_assert_eq!(found, places.iter().map(|place| texts[*place].as_str()).collect::<Vec<_>>());
            prop_assert_eq!(decode_texts(&mut Cursor::new(&bytes), texts.len()).unwrap().to_column(), column);
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(0u8..20, 0..120), count in 0usize..40) {
            let places: Vec<usize> = (0..count).step_by(7).collect();
            let all = |found: Option<usize>| found.is_none_or(|found| found == places.len());
            prop_assert!(all(pick_integers(&mut Cursor::new(&bytes), count, &places).ok().map(|found| found.len())));
            prop_assert!(all(pick_texts(&mut Cursor::new(&bytes), count, &places).ok().map(|found| found.len())));
        }
    }
}
