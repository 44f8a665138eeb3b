//! Integers bit-packed in groups, each with its own lowest value and width, so that an outlier widens
//! one group only.

use super::Cursor;
use super::cursor::{put_signed, signed_bytes};
use super::{DamagedChunk, Decoded};

/// Small enough that an outlier costs little, large enough that a group's header (2 to 4 bytes) does.
const GROUP_VALUES: usize = 256;

/// Appends the packed values.
pub(super) fn pack(values: &[i64], out: &mut Vec<u8>) {
    for group in values.chunks(GROUP_VALUES) {
        let (lowest, width) = range(group);
        put_signed(out, lowest);
        out.push(width as u8);
        pack_group(group, lowest, width, out);
    }
}

/// The length of what [`pack`] appends.
pub(super) fn packed_bytes(values: &[i64]) -> usize {
    let group_bytes = |group: &[i64]| {
        let (lowest, width) = range(group);
        signed_bytes(lowest) + 1 + (group.len() * width as usize).div_ceil(8)
    };
    values.chunks(GROUP_VALUES).map(group_bytes).sum()
}

/// The lowest value of a group, and the bits its largest distance from it takes.
fn range(group: &[i64]) -> (i64, u32) {
    let first = group.first().copied().unwrap_or(0);
    let (lowest, highest) = group
        .iter()
        .fold((first, first), |(lowest, highest), value| (lowest.min(*value), highest.max(*value)));
    (lowest, u64::BITS - (highest.wrapping_sub(lowest) as u64).leading_zeros())
}

fn pack_group(group: &[i64], lowest: i64, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut held, mut bits) = (0u64, 0u32);
    for value in group {
        let step = value.wrapping_sub(lowest) as u64;
        held |= step << bits;
        bits += width;
        if bits >= u64::BITS {
            out.extend_from_slice(&held.to_le_bytes());
            bits -= u64::BITS;
            held = step.checked_shr(width - bits).unwrap_or(0);
        }
    }
    let left = held.to_le_bytes();
    out.extend_from_slice(left.get(..bits.div_ceil(8) as usize).unwrap_or(&left));
}

/// The values of [`pack`].
pub(super) fn unpack(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Vec<i64>> {
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let group = (count - values.len()).min(GROUP_VALUES);
        let (lowest, width, bytes) = take_group(cursor, group)?;
        unpack_group(bytes, group, lowest, width, &mut values);
    }
    Ok(values)
}

/// Those of the values of [`pack`] at these places, which ascend; fewer where a place lies behind the end.
pub(super) fn pick(cursor: &mut Cursor<'_>, count: usize, places: &[usize]) -> Decoded<Vec<i64>> {
    let mut picked = Vec::with_capacity(places.len());
    let mut places = places.iter().copied().peekable();
    for start in (0..count).step_by(GROUP_VALUES) {
        let group = (count - start).min(GROUP_VALUES);
        let (lowest, width, bytes) = take_group(cursor, group)?;
        while let Some(place) = places.next_if(|place| *place < start + group) {
            picked.push(lowest.wrapping_add(packed_value(bytes, place - start, width)));
        }
    }
    Ok(picked)
}

/// Lowest value, width and bytes of the next group.
fn take_group<'a>(cursor: &mut Cursor<'a>, values: usize) -> Decoded<(i64, u32, &'a [u8])> {
    let lowest = cursor.signed()?;
    let width = u32::from(cursor.u8()?);
    if width > u64::BITS {
        return Err(DamagedChunk("a packed group is too wide"));
    }
    Ok((lowest, width, cursor.take((values * width as usize).div_ceil(8))?))
}

fn packed_value(bytes: &[u8], at: usize, width: u32) -> i64 {
    let first_bit = at * width as usize;
    // 64 bits that begin within a byte touch nine.
    let mut held = [0; 16];
    let from = bytes.get(first_bit / 8..).unwrap_or(&[]);
    held.iter_mut().zip(from.iter().take(9)).for_each(|(to, from)| *to = *from);
    let value = u128::from_le_bytes(held) >> (first_bit % 8) & ((1u128 << width) - 1);
    value as u64 as i64
}

fn unpack_group(bytes: &[u8], count: usize, lowest: i64, width: u32, values: &mut Vec<i64>) {
    let mask = (1u128 << width) - 1;
    let (words, tail) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    let mut words = words.iter().chain([&last]);
    let (mut held, mut bits) = (0u128, 0u32);
    for _ in 0..count {
        if bits < width {
            let word = words.next().map_or(0, |word| u64::from_le_bytes(*word));
            held |= u128::from(word) << bits;
            bits += u64::BITS;
        }
        values.push(lowest.wrapping_add((held & mask) as u64 as i64));
        held >>= width;
        bits -= width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_values_read_back(values in prop::collection::vec(any::<i64>(), 0..600), shift in 0u32..64) {
            let values: Vec<i64> = values.iter().map(|value| value >> shift).collect();
            let mut bytes = Vec::new();
            pack(&values, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_bytes(&values));
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(unpack(&mut cursor, values.len()), Ok(values));
            prop_assert_eq!(cursor.expect_end(), Ok(()));
        }
    }

    #[test]
    fn a_group_of_equal_values_is_its_header() {
        let mut bytes = Vec::new();
        pack(&[7; GROUP_VALUES], &mut bytes);
        assert_eq!(bytes.len(), 2);
    }
}
