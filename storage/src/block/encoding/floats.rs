//! Floats: as decimal fractions where all of them are, else their bytes plane by plane.

use super::cursor::put_varint;
use super::integers::decode_integers;
use super::{Cursor, DamagedChunk, Decoded, Encoder, Tag, decode_stream};

/// Up to a millionth: milliseconds measured in nanoseconds.
pub(super) const POWERS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// Beyond 2^53 not every integer is a float.
const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// The two sizes of floats, by their bits: a NaN or a negative zero reads back as it was.
pub(in crate::block) trait Float: Copy {
    const BYTES: usize;
    fn bits(self) -> u64;
    fn of_bits(bits: u64) -> Self;
    fn wide(self) -> f64;
    fn narrow(wide: f64) -> Self;
}

impl Float for f64 {
    const BYTES: usize = 8;

    fn bits(self) -> u64 {
        self.to_bits()
    }

    fn of_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }

    fn wide(self) -> f64 {
        self
    }

    fn narrow(wide: f64) -> Self {
        wide
    }
}

impl Float for f32 {
    const BYTES: usize = 4;

    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }

    fn of_bits(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn narrow(wide: f64) -> Self {
        wide as f32
    }
}

impl Encoder {
    /// Appends a stream of floats.
    pub(in crate::block) fn floats<F: Float>(&mut self, values: &[F], out: &mut Vec<u8>) {
        if let Some((digits, integers)) = decimals(values) {
            out.push(Tag::Decimal as u8);
            put_varint(out, digits as u64);
            self.integers(&integers, out);
            return;
        }
        let mut stream = vec![Tag::Planes as u8];
        for plane in 0..F::BYTES {
            stream.extend(values.iter().map(|value| (value.bits() >> (8 * plane)) as u8));
        }
        out.extend_from_slice(&self.compressed(stream));
    }
}

/// The floats of a stream.
pub(in crate::block) fn decode_floats<F: Float>(cursor: &mut Cursor<'_>, count: usize) -> Decoded<Vec<F>> {
    decode_stream(cursor, |tag, cursor| match tag {
        Tag::Decimal => {
            let digits = cursor.length()?;
            let power = *POWERS.get(digits).ok_or(DamagedChunk("a decimal has too many digits"))?;
            let integers = decode_integers(cursor, count)?;
            Ok(integers.into_iter().map(|integer| F::narrow(integer as f64 / power)).collect())
        }
        Tag::Planes => {
            let mut bits = vec![0u64; count];
            for plane in 0..F::BYTES {
                let bytes = cursor.take(count)?;
                bits.iter_mut().zip(bytes).for_each(|(bits, byte)| *bits |= u64::from(*byte) << (8 * plane));
            }
            Ok(bits.into_iter().map(F::of_bits).collect())
        }
        _ => Err(DamagedChunk("a stream of floats has another encoding")),
    })
}

/// The fewest digits after the point with which every value is an integer fraction, and those integers.
fn decimals<F: Float>(values: &[F]) -> Option<(usize, Vec<i64>)> {
    let mut digits = 0;
    for value in values {
        while integer_of(*value, *POWERS.get(digits)?).is_none() {
            digits += 1;
        }
    }
    // A value that fits few digits may be too large for many.
    let power = *POWERS.get(digits)?;
    let integers = values.iter().map(|value| integer_of(*value, power)).collect::<Option<Vec<_>>>()?;
    Some((digits, integers))
}

fn integer_of<F: Float>(value: F, power: f64) -> Option<i64> {
    let rounded = (value.wide() * power).round();
    let integer = rounded as i64;
    // By way of the integer, in which a negative zero loses its sign.
    let reads_back = rounded.abs() <= INTEGER_MAX && F::narrow(integer as f64 / power).bits() == value.bits();
    reads_back.then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<F: Float>(values: &[F]) -> usize {
        let mut bytes = Vec::new();
        Encoder::new().unwrap().floats(values, &mut bytes);
        let mut cursor = Cursor::new(&bytes);
        let read: Vec<F> = decode_floats(&mut cursor, values.len()).unwrap();
        assert!(read.iter().map(|value| value.bits()).eq(values.iter().map(|value| value.bits())));
        assert_eq!(cursor.expect_end(), Ok(()));
        bytes.len()
    }

    proptest! {
        #[test]
        fn floats_read_back_bit_by_bit(bits in prop::collection::vec(any::<u64>(), 0..80)) {
            check(&bits.iter().map(|bits| f64::from_bits(*bits)).collect::<Vec<_>>());
            check(&bits.iter().map(|bits| f32::from_bits(*bits as u32)).collect::<Vec<_>>());
        }

        #[test]
        fn decimals_read_back(integers in prop::collection::vec(-1_000_000i64..1_000_000, 0..80), digits in 0usize..7) {
            check(&integers.iter().map(|integer| *integer as f64 / POWERS[digits]).collect::<Vec<_>>());
            check(&integers.iter().map(|integer| *integer as f32 / POWERS[digits] as f32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn odd_floats_read_back_and_decimals_are_small() {
        check(&[f64::NAN, -0.0, f64::INFINITY, f64::MIN_POSITIVE, 1e300, 0.1]);
        check(&[-0.0, 1.5]);
        check(&[1e15, 0.001]);
        let latencies: Vec<f64> = (0..4096).map(|n| f64::from(n % 1000) / 10.0).collect();
        assert!(check(&latencies) < 4096 * 2);
    }
}
