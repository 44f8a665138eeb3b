//! Which rows have a value: all, a bit each, or a list.

use super::integers::decode_integers;
use super::{Cursor, DamagedChunk, Decoded, Encoder, Tag, decode_stream};
use crate::column_source::{Column, Rows};

/// Above one row in 32 a bit per row is cheaper than a list of differences.
const BITMAP_SHARE: usize = 32;

impl Encoder {
    /// Appends a stream of ascending rows out of `total`.
    pub(in crate::block) fn rows(&mut self, rows: &[u32], total: usize, out: &mut Vec<u8>) {
        if rows.len() == total {
            out.push(Tag::AllRows as u8);
        } else if rows.len() * BITMAP_SHARE >= total {
            let mut stream = vec![0; 1 + total.div_ceil(8)];
            if let Some((tag, bits)) = stream.split_first_mut() {
                *tag = Tag::Bitmap as u8;
                for row in rows {
                    if let Some(byte) = bits.get_mut(*row as usize / 8) {
                        *byte |= 1 << (row % 8);
                    }
                }
            }
            out.extend_from_slice(&self.compressed(stream));
        } else {
            out.push(Tag::RowList as u8);
            let rows: Vec<i64> = rows.iter().map(|row| i64::from(*row)).collect();
            self.integers(&rows, out);
        }
    }
}

/// The `count` rows of a stream: ascending, all below `total`.
pub(in crate::block) fn decode_rows(
    cursor: &mut Cursor<'_>,
    count: usize,
    total: usize,
) -> Decoded<Rows<'static>> {
    const DAMAGED: DamagedChunk = DamagedChunk("rows are out of order or not as many as there are values");
    let rows: Option<Vec<u32>> = decode_stream(cursor, |tag, cursor| match tag {
        Tag::AllRows => Ok(None),
        Tag::Bitmap => Ok(Some(rows_of_bits(cursor.take(total.div_ceil(8))?, count))),
        Tag::RowList => {
            let row = |row: i64| u32::try_from(row).map_err(|_| DamagedChunk("a row is out of range"));
            decode_integers(cursor, count)?.into_iter().map(row).collect::<Decoded<_>>().map(Some)
        }
        _ => Err(DamagedChunk("a stream of rows has another encoding")),
    })?;
    match rows {
        None if count == total => Ok(Rows::All(total)),
        Some(rows)
            if rows.len() == count
                && rows.last().is_none_or(|last| (*last as usize) < total)
                && rows.is_sorted_by(|a, b| a < b) =>
        {
            Ok(Rows::Listed(Column::Shared(rows.into())))
        }
        _ => Err(DAMAGED),
    }
}

/// `count` is how many there should be.
fn rows_of_bits(bytes: &[u8], count: usize) -> Vec<u32> {
    let mut rows = Vec::with_capacity(count.min(bytes.len() * 8));
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(last, byte)| *last = *byte);
    for (word, first) in words.iter().chain([&last]).zip((0u32..).step_by(64)) {
        let mut left = u64::from_le_bytes(*word);
        while left != 0 {
            rows.push(first + left.trailing_zeros());
            left &= left - 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_read_back(wanted in prop::collection::btree_set(0u32..3000, 0..300), beyond in 0usize..400) {
            let rows: Vec<u32> = wanted.into_iter().collect();
            let total = rows.last().map_or(0, |last| *last as usize + 1) + beyond;
            let mut bytes = Vec::new();
            Encoder::new().unwrap().rows(&rows, total, &mut bytes);
            let mut cursor = Cursor::new(&bytes);
            let read = decode_rows(&mut cursor, rows.len(), total).unwrap();
            prop_assert_eq!(read.iter().map(|row| row as u32).collect::<Vec<_>>(), rows.clone());
            prop_assert_eq!(cursor.expect_end(), Ok(()));
            let wrong_count = decode_rows(&mut Cursor::new(&bytes), rows.len() + 1, total);
            // No rows and one row 0 are the same bytes; the count is the footer's to know.
            prop_assert!(rows.is_empty() || wrong_count.is_err());
        }
    }
}
