//! Reading and writing the small pieces of a stream: bytes, varints, lengths.

use super::{DamagedChunk, Decoded};

/// A place in bytes that may be damaged.
#[derive(Clone, Debug)]
pub(in crate::block) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(in crate::block) fn new(bytes: &'a [u8]) -> Self {
        Cursor { rest: bytes }
    }

    pub(in crate::block) fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DamagedChunk("a stream ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(in crate::block) fn u8(&mut self) -> Decoded<u8> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or(0))
    }

    pub(in crate::block) fn varint(&mut self) -> Decoded<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DamagedChunk("a number is too long"))
    }

    pub(in crate::block) fn signed(&mut self) -> Decoded<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(in crate::block) fn length(&mut self) -> Decoded<usize> {
        usize::try_from(self.varint()?).map_err(|_| DamagedChunk("a length is too large"))
    }

    pub(in crate::block) fn expect_end(&self) -> Decoded<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(DamagedChunk("bytes follow the end of a stream")) }
    }
}

pub(in crate::block) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Zigzag: small numbers of either sign take one byte.
pub(in crate::block) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// How many bytes [`put_signed`] appends.
pub(super) fn signed_bytes(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    (u64::BITS - (zigzag | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_back(unsigned in any::<u64>(), signed in any::<i64>(), shift in 0u32..64) {
            let (unsigned, signed) = (unsigned >> shift, signed >> shift);
            let mut bytes = Vec::new();
            put_varint(&mut bytes, unsigned);
            let before = bytes.len();
            put_signed(&mut bytes, signed);
            prop_assert_eq!(bytes.len() - before, signed_bytes(signed));
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.varint(), Ok(unsigned));
            prop_assert_eq!(cursor.signed(), Ok(signed));
            prop_assert_eq!(cursor.expect_end(), Ok(()));
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_damage() {
        assert!(Cursor::new(&[0xff; 10]).varint().is_err());
        assert!(Cursor::new(&[0x80; 3]).varint().is_err());
    }
}
