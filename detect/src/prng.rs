//! Chance from a seed, as the model has it, and a hash; nothing else in this crate is random.

pub(crate) use insighthub_model::prng::{SplitMix64, mix};

/// A hash of bytes that is the same in every version and on every machine.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let step = |hash: u64, word: [u8; 8]| mix(hash.rotate_left(5) ^ u64::from_le_bytes(word));
    let (words, rest) = bytes.as_chunks::<8>();
    let start = mix(bytes.len() as u64 ^ 0x51_7cc1_b727_220a);
    let hash = words.iter().fold(start, |hash, word| step(hash, *word));
    if rest.is_empty() {
        return hash;
    }
    let mut word = [0u8; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    step(hash, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_sees_length_and_order() {
        let hashes = [&b""[..], b"\0", b"a", b"ab", b"ba", b"12345678", b"123456789"].map(hash_bytes);
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash));
        }
    }
}
