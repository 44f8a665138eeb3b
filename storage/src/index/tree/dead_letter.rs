//! Dead letters, cut into pieces. Key: partition, number, piece.

use insighthub_model::PartitionId;
use insighthub_model::dead_letter::DeadLetter;

use super::super::IndexError;

/// sled multiplies the disk space of larger values.
const PIECE_BYTES_MAX: usize = 8 << 10;

/// Key and value.
pub(in crate::index) type Piece = (Vec<u8>, Vec<u8>);

/// The pieces of a dead letter.
pub(in crate::index) fn pieces(
    partition: PartitionId,
    number: u64,
    letter: &DeadLetter,
) -> Result<Vec<Piece>, IndexError> {
    let bytes = super::encode(letter)?;
    let key = |piece: u32| [&prefix(partition, number)[..], &piece.to_be_bytes()].concat();
    Ok((0..).zip(bytes.chunks(PIECE_BYTES_MAX)).map(|(piece, bytes)| (key(piece), bytes.to_vec())).collect())
}

/// What the keys of a dead letter begin with; also below all of them.
pub(in crate::index) fn prefix(partition: PartitionId, number: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    let parts = partition.0.to_be_bytes().into_iter().chain(number.to_be_bytes());
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    bytes
}

pub(in crate::index) fn number_of(key: &[u8]) -> Result<u64, IndexError> {
    let number = key.get(2..).and_then(<[u8]>::first_chunk);
    number.map(|number| u64::from_be_bytes(*number)).ok_or_else(|| IndexError::damaged("a key is too short"))
}

/// The dead letter of its pieces in order.
pub(in crate::index) fn decode(pieces: &[u8]) -> Result<DeadLetter, IndexError> {
    super::decode(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::Timestamp;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_dead_letter_reads_back(reason in "\\PC{0,30}", length in 0usize..70_000, number in any::<u64>()) {
            let letter = DeadLetter {
                received_at: Timestamp(number as i64),
                origin: "http".into(),
                service: None,
                field: Some("level".into()),
                reason,
                position: number,
                raw: (0..length).map(|at| at as u8).collect(),
                raw_bytes_total: length as u64,
            };
            let pieces = pieces(PartitionId(3), number, &letter).unwrap();
            prop_assert!(pieces.is_sorted());
            for (key, value) in &pieces {
                prop_assert_eq!(number_of(key).unwrap(), number);
                prop_assert!(key.starts_with(&prefix(PartitionId(3), number)) && value.len() <= PIECE_BYTES_MAX);
            }
            let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, value)| value).collect();
            prop_assert_eq!(decode(&bytes).unwrap(), letter);
        }
    }
}
