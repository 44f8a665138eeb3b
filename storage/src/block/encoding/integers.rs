//! Integers: one for all, few different ones as codes, or bit-packed values or differences.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::cursor::{put_signed, put_varint};
use super::packed::{pack, packed_bytes, unpack};
use super::{Cursor, DamagedChunk, Decoded, Encoder, HashedKey, Tag, decode_stream};

/// Codes are one byte each.
const CODES_MAX: usize = 256;
/// No code of a value.
const NO_CODE: u16 = u16::MAX;
/// A table of so many codes is small beside the cache of a core.
const NEAR_SPAN_MAX: u64 = 4_096;

impl Encoder {
    /// Appends a stream of integers.
    pub(in crate::block) fn integers(&mut self, values: &[i64], out: &mut Vec<u8>) {
        let first = values.first().copied().unwrap_or(0);
        if values.iter().all(|value| *value == first) {
            out.push(Tag::Constant as u8);
            put_signed(out, first);
            return;
        }
        let packed = self.compressed(packed_or_delta(values));
        let coded = coded(values).map(|stream| self.compressed(stream));
        match coded {
            Some(coded) if coded.len() < packed.len() => out.extend_from_slice(&coded),
            _ => out.extend_from_slice(&packed),
        }
    }
}

/// The integers of a stream.
pub(in crate::block) fn decode_integers(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Vec<i64>> {
    decode_stream(cursor, |tag, cursor| read_integers(tag, cursor, count))
}

pub(super) fn read_integers(tag: Tag, cursor: &mut Cursor<'_>, count: usize) -> Decoded<Vec<i64>> {
    match tag {
        Tag::Constant => Ok(vec![cursor.signed()?; count]),
        Tag::Packed => {
            let (base, scale) = (cursor.signed()?, cursor.varint()?);
            let steps = unpack(cursor, count)?;
            Ok(steps.into_iter().map(|step| scaled(base, scale, step)).collect())
        }
        Tag::Delta => {
            let (base, scale) = (cursor.signed()?, cursor.varint()?);
            let mut step = 0i64;
            let differences = unpack(cursor, count)?;
            Ok(differences
                .into_iter()
                .map(|difference| {
                    step = step.wrapping_add(difference);
                    scaled(base, scale, step)
                })
                .collect())
        }
        Tag::Codes => decode_codes(cursor, count),
        _ => Err(DamagedChunk("a stream of integers has another encoding")),
    }
}

pub(super) fn scaled(base: i64, scale: u64, step: i64) -> i64 {
    base.wrapping_add(step.wrapping_mul(scale as i64))
}

/// Values in steps of their greatest common divisor: timestamps in ms shrink by 20 bits.
fn packed_or_delta(values: &[i64]) -> Vec<u8> {
    let base = values.iter().copied().min().unwrap_or(0);
    let scale = common_divisor(values, base).max(1);
    let distances = values.iter().map(|value| value.wrapping_sub(base) as u64);
    let steps: Vec<i64> = match scale {
        1 => distances.map(|distance| distance as i64).collect(),
        _ => distances.map(|distance| (distance / scale) as i64).collect(),
    };
    let mut before = 0i64;
    let differences: Vec<i64> = steps
        .iter()
        .map(|step| {
            let difference = step.wrapping_sub(before);
            before = *step;
            difference
        })
        .collect();
    let (packed_bytes, delta_bytes) = (packed_bytes(&steps), packed_bytes(&differences));
    let (tag, values) =
        if delta_bytes < packed_bytes { (Tag::Delta, &differences) } else { (Tag::Packed, &steps) };
    let mut stream = Vec::with_capacity(packed_bytes.min(delta_bytes) + 24);
    stream.push(tag as u8);
    put_signed(&mut stream, base);
    put_varint(&mut stream, scale);
    pack(values, &mut stream);
    stream
}

fn common_divisor(values: &[i64], base: i64) -> u64 {
    let mut divisor = 0u64;
    for value in values {
        let mut rest = value.wrapping_sub(base) as u64;
        while rest != 0 {
            (divisor, rest) = (rest, if divisor == 0 { 0 } else { divisor % rest });
        }
        if divisor == 1 {
            return 1;
        }
    }
    divisor
}

/// One byte per value, if there are few enough different ones.
fn coded(values: &[i64]) -> Option<Vec<u8>> {
    let lowest = values.iter().copied().min()?;
    let span = values.iter().fold(0, |span, value| span.max(value.wrapping_sub(lowest) as u64));
    // Values that lie near each other are looked up in a table, others in a map.
    let mut near = vec![NO_CODE; if span < NEAR_SPAN_MAX { span as usize + 1 } else { 0 }];
    let mut far: HashMap<i64, u16, BuildHasherDefault<HashedKey>> = HashMap::default();
    let mut different = Vec::new();
    let mut bytes = Vec::with_capacity(values.len());
    for value in values {
        let next = different.len() as u16;
        let code = match near.get_mut(value.wrapping_sub(lowest) as usize) {
            Some(code) => {
                *code = if *code == NO_CODE { next } else { *code };
                *code
            }
            None => *far.entry(*value).or_insert(next),
        };
        if code == next {
            if different.len() == CODES_MAX {
                return None;
            }
            different.push(*value);
        }
        bytes.push(code as u8);
    }
    let mut stream = vec![Tag::Codes as u8];
    put_varint(&mut stream, different.len() as u64);
    different.iter().for_each(|value| put_signed(&mut stream, *value));
    stream.extend_from_slice(&bytes);
    Some(stream)
}

/// What codes stand for, and how many of them there are.
pub(super) fn code_values(cursor: &mut Cursor<'_>) -> Decoded<([i64; CODES_MAX], usize)> {
    let different = cursor.length()?;
    if different > CODES_MAX {
        return Err(DamagedChunk("a stream has too many codes"));
    }
    let mut values = [0; CODES_MAX];
    for value in values.iter_mut().take(different) {
        *value = cursor.signed()?;
    }
    Ok((values, different))
}

fn decode_codes(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Vec<i64>> {
    let (values, different) = code_values(cursor)?;
    let codes = cursor.take(count)?;
    // Checked as a whole: a check value by value costs more than all the rest.
    if codes.iter().max().is_some_and(|highest| usize::from(*highest) >= different) {
        return Err(DamagedChunk("a code has no value"));
    }
    Ok(codes.iter().map(|code| values[usize::from(*code)]).collect())
}

/// The integers of a stream as numbers below `end`.
pub(in crate::block) fn decode_codes_below(
    cursor: &mut Cursor<'_>,
    count: usize,
    end: usize,
) -> Decoded<Vec<u32>> {
    let codes = decode_integers(cursor, count)?;
    let highest = codes.iter().fold(0, |highest, code| highest.max(*code as u64));
    if count > 0 && highest >= end as u64 {
        return Err(DamagedChunk("a code is out of range"));
    }
    Ok(codes.into_iter().map(|code| code as u32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(values: Vec<i64>) -> usize {
        let mut bytes = Vec::new();
        Encoder::new().unwrap().integers(&values, &mut bytes);
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(decode_integers(&mut cursor, values.len()), Ok(values));
        assert_eq!(cursor.expect_end(), Ok(()));
        bytes.len()
    }

    proptest! {
        #[test]
        fn integers_read_back(values in prop::collection::vec(any::<i64>(), 0..700), shift in 0u32..64) {
            check(values.iter().map(|value| value >> shift).collect());
        }

        #[test]
        fn scaled_and_rising_integers_read_back(
            steps in prop::collection::vec(0i64..50, 0..700), base in any::<i64>(), scale in 1i64..1 << 40,
        ) {
            let mut value = base;
            check(steps.iter().map(|step| { value = value.wrapping_add(step.wrapping_mul(scale)); value }).collect());
        }
    }

    #[test]
    fn common_shapes_are_small() {
        assert!(check(vec![i64::MIN; 65_536]) < 16);
        // Every 20 ms a record: nanoseconds, but only milliseconds matter.
        let times: Vec<i64> = (0..65_536).map(|n| 1_764_670_202_000_000_000 + n * 20_000_000).collect();
        assert!(check(times) < 200);
        let status: Vec<i64> = (0..65_536).map(|n| if n % 97 == 0 { 503 } else { 200 }).collect();
        assert!(check(status) < 2_000);
        assert_eq!(check(Vec::new()), 2);
        check(vec![i64::MIN, i64::MAX, 0, -1]);
    }
}
